from __future__ import annotations

from typing import Any, Final

from django.core.management.base import CommandError, CommandParser

from cleanup.management.naming import registry_called
from cleanup.models import Check
from cleanup.verifying import services
from cleanup.verifying.terms import MOST_SAMPLED, Terms
from jobs.at_terminal import JobCommand
from jobs.figures import Figure
from jobs.models import Job
from oci.errors import InvalidName, printable
from oci.names import parse_repository

_SHOWN: Final = 200  # findings


class Command(JobCommand):
    help = (
        "Check here and now whether all that a registry keeps is there, down to the layers, and say what is not. Ends"
        " with 0 when all is whole, 1 when something is broken or could not be asked for, 2 when nothing was begun."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("registry", help="its name")
        parser.add_argument("--sample", type=int, metavar="N", help="only so many random tags of each repository")
        parser.add_argument("--deep", action="store_true", help="read every byte, and hash it")
        parser.add_argument("--repository", default="", metavar="NAME", help="only this one")
        super().add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        check, job, _is_new = services.begin(registry_called(options["registry"]), _terms(options), here=True)
        was_left = self.see_through(job, _progress_line)
        check.refresh_from_db()
        for row in check.findings.in_order()[:_SHOWN]:
            tag = f":{row.tag}" if row.tag else ""
            self.stdout.write(printable(f"{row.repository}{tag}: {row.get_code_display()}: {row.sentence}", 1_000))
        self._end(check, job, was_left=was_left)

    def _end(self, check: Check, job: Job, *, was_left: bool) -> None:
        """How it ended, on the standard error: what is on the other is for machines."""
        said = check.message or job.message
        self.check_end(job, said, was_left=was_left)
        if check.state != Check.State.DONE or check.broken or check.unasked:
            raise CommandError(said, returncode=1)
        self.stderr.write(said, style_func=str)  # also with --quiet: there is nothing else


def _progress_line(job: Job) -> str:
    done, tags = Figure.read(job.figure("repositories")), Figure.read(job.figure("tags"))
    if done is None or tags is None:
        return ""
    return f"{done.done} of {done.total} repositories, {tags.done} tags"


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
