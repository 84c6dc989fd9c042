from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from cleanup.management.naming import registry_called
from cleanup.models import UntaggedRun
from cleanup.untagged import services
from cleanup.untagged.in_words import lines_of, progress_line
from jobs.at_terminal import JobCommand
from jobs.models import Job
from registries.models import Registry


class Command(JobCommand):
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
        super().add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        if not 0 <= options["grace_hours"] <= services.MOST_GRACE:
            raise CommandError(f"--grace-hours is from 0 to {services.MOST_GRACE:,}", returncode=2)
        registry = registry_called(options["registry"])
        run, job = self._begun(registry, options)
        was_left = self.see_through(job, progress_line)
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

    def _end(self, run: UntaggedRun, job: Job, *, was_left: bool, only_plan: bool) -> None:
        """How it ended, on the standard error: what is on the other is for machines."""
        self.check_end(job, job.message, was_left=was_left)
        failed = run.items.filter(state="failed").exists()
        if failed or job.state != Job.State.DONE:
            raise CommandError(job.message, returncode=1)
        self.say(job.message)
        if only_plan and run.items.open().exists():
            self.say(f"To carry it out: ./run manage untagged {run.registry.name} --carry-out {run.pk}")
