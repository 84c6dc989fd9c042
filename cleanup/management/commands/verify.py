from __future__ import annotations

import time
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser

from cleanup.models import Check
from cleanup.verifying import services
from cleanup.verifying.terms import MOST_SAMPLED, Terms
from jobs.figures import Figure
from jobs.here import see_through
from jobs.models import Job
from oci.errors import InvalidName, printable
from oci.names import parse_repository
from registries.models import Registry

_EVERY: Final = 1.0  # seconds between two lines of progress
_INTERRUPTED: Final = 130  # as shells say it
_SHOWN: Final = 200  # findings


class Command(BaseCommand):
    help = (
        "Check here and now whether all that a registry keeps is there, down to the layers, and say what is not. Ends"
        " with 0 when all is whole, 1 when something is broken or could not be asked for, 2 when nothing was begun."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("registry", help="its name")
        parser.add_argument("--sample", type=int, metavar="N", help="only so many random tags of each repository")
        parser.add_argument("--deep", action="store_true", help="read every byte, and hash it")
        parser.add_argument("--repository", default="", metavar="NAME", help="only this one")
        parser.add_argument("--quiet", action="store_true", help="no progress")

    def handle(self, *args: Any, **options: Any) -> None:
        self._quiet, self._told, self._line = options["quiet"], 0.0, ""
        check, job, _is_new = services.begin(_registry(options["registry"]), _terms(options), here=True)
        was_left = not see_through(job, self._tell)
        check.refresh_from_db()
        for row in check.findings.in_order()[:_SHOWN]:
            tag = f":{row.tag}" if row.tag else ""
            self.stdout.write(printable(f"{row.repository}{tag}: {row.get_code_display()}: {row.sentence}", 1_000))
        self._end(check, job, was_left=was_left)

    def _tell(self, job: Job) -> None:
        """A line a second at most, and none that says nothing new."""
        done, tags = Figure.read(job.figure("repositories")), Figure.read(job.figure("tags"))
        if self._quiet or done is None or tags is None or time.monotonic() - self._told < _EVERY:
            return
        line = f"{done.done} of {done.total} repositories, {tags.done} tags"
        if line != self._line:
            self._line, self._told = line, time.monotonic()
            self.stderr.write(line, style_func=str)

    def _end(self, check: Check, job: Job, *, was_left: bool) -> None:
        """How it ended, on the standard error: what is on the other is for machines."""
        if job.is_moving:
            raise CommandError(f"It goes on without you, as job {job.pk}.", returncode=_INTERRUPTED)
        said = check.message or job.message
        if was_left:
            raise CommandError(said, returncode=_INTERRUPTED)
        if check.state != Check.State.DONE or check.broken or check.unasked:
            raise CommandError(said, returncode=1)
        self.stderr.write(said, style_func=str)


def _registry(name: str) -> Registry:
    registry = Registry.objects.active().filter(name=name).first()
    if registry is None:
        raise CommandError(f"no registry of ours is called {printable(name, 80)}", returncode=2)
    return registry


def _terms(options: dict[str, Any]) -> Terms:
    sample, repository = options["sample"], options["repository"]
    if sample is not None and not 1 <= sample <= MOST_SAMPLED:
        raise CommandError(f"--sample takes a number from 1 to {MOST_SAMPLED}", returncode=2)
    if repository:
        try:
            parse_repository(repository)
        except InvalidName as error:
            raise CommandError(str(error), returncode=2) from error
    return Terms(sample, options["deep"], repository)
