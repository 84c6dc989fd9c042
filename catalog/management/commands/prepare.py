from __future__ import annotations

from typing import Any, Final, NoReturn

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand

from access.passwords import create_first_admin
from catalog import removal
from jobs import services as jobs
from jobs.models import Job
from registries import environment
from registries.findings import findings
from registries.models import Registry
from registries.probing import ask, remember

_MENDED_BY: Final = {"unauthorized": "username", "client-certificate": "client_certificate"}


class Command(BaseCommand):
    help = (
        "Before the first page: ask the registry of the options what it can do, keep it, make the first admin."
        " Where it cannot be used, nothing is changed."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        leaving = set(Job.objects.unfinished().filter(kind=removal.KIND).values_list("subject", flat=True))
        try:
            planned = environment.planned(leaving)
            found = self._tested(planned) if planned else {}
            before = _active()
            registry = environment.from_environment(leaving)
        except ImproperlyConfigured as error:
            self._stop(str(error))
        for job in Job.objects.unfinished().filter(subject__in=before - _active()):
            jobs.stop(job)
        if registry is not None:
            remember(registry, found)
        if password := create_first_admin():
            self.stdout.write(f"admin-password: {password}")

    def _tested(self, registry: Registry) -> dict[str, Any]:
        """What was found. Ends the start when the registry cannot be used; what its page can mend does not."""
        found = registry.capabilities = ask(registry)
        problem = registry.capability("problem")
        if not problem:
            return found
        for finding in findings(registry):
            self.stderr.write(f"{registry.name}, {registry.url}: {finding.sentence} {finding.cure}".strip())
        # What a page can mend: a yes, or credentials that the options do not give.
        field = _MENDED_BY.get(problem)
        if problem != "foreign-realm" and (field is None or field in environment.owners(registry)):
            raise SystemExit(1)
        return found

    def _stop(self, sentence: str) -> NoReturn:
        self.stderr.write(sentence)
        raise SystemExit(1)


def _active() -> set[str]:
    """The job subjects of the registries that are scanned."""
    return {registry.job_subject for registry in Registry.objects.active()}
