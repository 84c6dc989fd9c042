from __future__ import annotations

from typing import Any, NoReturn

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand

from access.passwords import create_first_admin
from catalog import removal
from registries.environment import from_environment, owners
from registries.findings import findings
from registries.models import Registry
from registries.probing import probe


class Command(BaseCommand):
    help = (
        "Before the first page: bring the registry of the options in step, ask it what it can do, make the first admin."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            registry = from_environment()
        except ImproperlyConfigured as error:
            self._stop(str(error))
        for retired in Registry.objects.exclude(retired_at=None):
            removal.stop_work(retired)
        if registry is not None:
            self._test(registry)
        if password := create_first_admin():
            self.stdout.write(f"admin-password: {password}")

    def _test(self, registry: Registry) -> None:
        """Ends the start when the registry cannot be used; what a person can mend on its page does not."""
        probe(registry)
        problem = registry.capability("problem")
        if not problem:
            return
        for finding in findings(registry):
            self.stderr.write(f"{registry.name}, {registry.url}: {finding.sentence} {finding.cure}".strip())
        mendable = problem == "foreign-realm" or (problem == "unauthorized" and "username" not in owners(registry))
        if not mendable:
            raise SystemExit(1)

    def _stop(self, sentence: str) -> NoReturn:
        self.stderr.write(sentence)
        raise SystemExit(1)
