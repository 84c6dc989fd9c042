from __future__ import annotations

import time
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser

from cleanup.classic import services
from cleanup.classic.ways import NoWay
from cleanup.management.naming import registry_called
from cleanup.models import ClassicRun
from jobs.models import Job

_LOOK: Final = 0.5  # seconds
_PATIENCE: Final = 10.0
_INTERRUPTED: Final = 130  # as shells say it


class Command(BaseCommand):
    help = (
        "Have a registry swept by the commands that are set up for it (docs/cleanup-classic.md), by the workers of the"
        " running Berth, and wait for the end. Ends with 0 when all is well, 1 when something failed or asks."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("registry", help="its name")
        parser.add_argument("--plan", action="store_true", help="only say what would be removed: a dry run")

    def handle(self, *args: Any, **options: Any) -> None:
        registry = registry_called(options["registry"])
        try:
            run, job = services.begin(registry, only_plan=options["plan"])
        except NoWay as reason:
            raise CommandError(reason.sentence) from reason
        try:
            self._wait(run, job)
        except KeyboardInterrupt:
            raise CommandError(f"It goes on without you, as job {job.pk}.", returncode=_INTERRUPTED) from None
        run.refresh_from_db()
        if job.state == Job.State.ASKING:
            details = " ".join(job.question.get("details", ()))
            raise CommandError(f"{job.question.get('text', '')} {details} Answer on the page of job {job.pk}.")
        if job.state != Job.State.DONE:
            raise CommandError(run.message or job.message)
        self.stdout.write(run.message or job.message)

    def _wait(self, run: ClassicRun, job: Job) -> None:
        """Until it is over or asks, telling each step as it begins."""
        told, is_told, began = 0, False, time.monotonic()
        while True:
            job.refresh_from_db()
            for step in run.steps.in_order()[told:]:
                self.stderr.write(f"{step.kind}: {' '.join(step.argv)}", style_func=str)
                told += 1
            if not job.is_moving:
                return
            if job.state == Job.State.QUEUED and not is_told and time.monotonic() - began > _PATIENCE:
                self.stderr.write("No worker has taken it yet: it waits for Berth to run.", style_func=str)
                is_told = True
            time.sleep(_LOOK)
