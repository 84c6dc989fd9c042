from __future__ import annotations

import time
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser

from cleanup.models import UntaggedRun
from cleanup.untagged import services
from cleanup.untagged.in_words import lines_of, progress_line
from jobs.here import see_through
from jobs.models import Job
from registries.models import Registry

_EVERY: Final = 1.0  # seconds between two lines of progress
_INTERRUPTED: Final = 130  # as shells say it


class Command(BaseCommand):
    help = (
        "Find the manifests of a registry that no tag, index, subject, trash entry or pin reaches, and delete them here"
        " and now. Ends with 0 when all is well, 1 when something failed or is not done yet, 2 when nothing was begun."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("registry", help="its name")
        parser.add_argument("--plan", action="store_true", help="only say what would go, and why")
        parser.add_argument("--carry-out", type=int, metavar="RUN", help="carry out what this run planned")
        parser.add_argument(
            "--grace-hours",
            type=int,
            default=services.GRACE,
            metavar="N",
            help=f"what is younger stays; {services.GRACE} without it",
        )
        parser.add_argument("--quiet", action="store_true", help="no progress")

    def handle(self, *args: Any, **options: Any) -> None:
        self._quiet, self._told, self._line = options["quiet"], 0.0, ""
        if not 0 <= options["grace_hours"] <= services.MOST_GRACE:
            raise CommandError(f"--grace-hours is from 0 to {services.MOST_GRACE:,}", returncode=2)
        registry = Registry.objects.catalogs().filter(name=options["registry"], retired_at=None).first()
        if registry is None:
            raise CommandError(f"no registry is called {options['registry']}; `registry list` names them", returncode=2)
        run, job = self._begun(registry, options)
        was_left = not see_through(job, self._tell)
        run.refresh_from_db()
        for line in lines_of(run, options["plan"]):
            self.stdout.write(line)
        self._end(run, job, was_left=was_left, only_plan=options["plan"])

    def _begun(self, registry: Registry, options: dict[str, Any]) -> tuple[UntaggedRun, Job]:
        if (key := options["carry_out"]) is None:
            return services.begin(registry, only_plan=options["plan"], grace_hours=options["grace_hours"], here=True)
        run = UntaggedRun.objects.select_related("registry").filter(registry=registry, pk=key).first()
        if run is None:
            raise CommandError(f"{registry.name} has no run {key}", returncode=2)
        return services.carry_on(run, here=True)

    def _tell(self, job: Job) -> None:
        """A line a second at most, and none that says nothing new."""
        line = progress_line(job)
        if self._quiet or line in {"", self._line} or time.monotonic() - self._told < _EVERY:
            return
        self._line, self._told = line, time.monotonic()
        self.stderr.write(line, style_func=str)

    def _end(self, run: UntaggedRun, job: Job, *, was_left: bool, only_plan: bool) -> None:
        """How it ended, on the standard error: what is on the other is for machines."""
        if job.is_moving:
            raise CommandError(f"It goes on without you, as job {job.pk}.", returncode=_INTERRUPTED)
        if was_left:
            raise CommandError(job.message, returncode=_INTERRUPTED)
        failed = run.items.filter(state="failed").exists()
        if failed or job.state != Job.State.DONE:
            raise CommandError(job.message, returncode=1)
        if not self._quiet:
            self.stderr.write(job.message, style_func=str)
            if only_plan and run.items.open().exists():
                again = f"./run manage untagged {run.registry.name} --carry-out {run.pk}"
                self.stderr.write(f"To carry it out: {again}", style_func=str)
