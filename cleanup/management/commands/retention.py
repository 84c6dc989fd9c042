from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from cleanup.management.naming import registry_called
from cleanup.models import Policy, RetentionRun
from cleanup.retention import services
from cleanup.retention.in_tables import policies_table, progress_line, run_lines
from jobs.at_terminal import JobCommand
from jobs.models import Job
from registries.models import Registry


class Command(JobCommand):
    help = (
        "Carry out the retention of a registry here and now, and say what became of each tag, and why the rest stays."
        " Ends with 0 when all is well, 1 when something failed or is not done yet, 2 when nothing could be begun."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("registry", help="its name")
        parser.add_argument("--list", action="store_true", help="only say which policies it has, in their order")
        parser.add_argument("--plan", action="store_true", help="only say what would go, and why")
        parser.add_argument("--policy", metavar="NAME", help="only what this one decides on, also where it is off")
        parser.add_argument("--carry-out", type=int, metavar="RUN", help="what this run has planned, or the rest of it")
        parser.add_argument("--yes", action="store_true", help="also where more than a fifth of a repository goes")
        super().add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        registry = registry_called(options["registry"])
        policies = _policies(registry, options["policy"])
        if options["list"]:
            for line in policies_table(policies):
                self.stdout.write(line)
            return
        run, job = self._begun(registry, policies, options)
        was_left = self.see_through(job, progress_line)
        run.refresh_from_db()
        if (
            not options["plan"]
            and not was_left
            and job.state == Job.State.DONE
            and run.state == RetentionRun.State.PLANNED
        ):
            # It was somebody else's, who only wanted the plan.
            job = services.carry_on(run, allow=options["yes"], here=True)
            was_left = self.see_through(job, progress_line)
        run = RetentionRun.objects.select_related("registry").get(pk=run.pk)
        if run.planned_at is not None:
            for line in run_lines(run):
                self.stdout.write(line)
        self._end(run, job, was_left=was_left, only_plan=options["plan"])

    def _begun(self, registry: Registry, policies: list[Policy], options: dict[str, Any]) -> tuple[RetentionRun, Job]:
        if options["carry_out"] is not None:
            run = (
                RetentionRun.objects.select_related("registry")
                .filter(registry=registry, pk=options["carry_out"])
                .first()
            )
            if run is None:
                raise CommandError(f"{registry.name} has no run {options['carry_out']}", returncode=2)
            return run, services.carry_on(run, allow=options["yes"], here=True)
        among = policies if options["policy"] else ()
        run, job = services.begin(registry, only_plan=options["plan"], policies=among, allow=options["yes"], here=True)
        if options["yes"] and not options["plan"] and job.state == Job.State.ASKING:
            services.allow(run)
        return run, job

    def _end(self, run: RetentionRun, job: Job, *, was_left: bool, only_plan: bool) -> None:
        """How it ended, on the standard error: what is on the other is for machines."""
        said = job.message or run.message
        self.check_end(job, said, was_left=was_left)
        self.check_question(job, f"Say --yes, or answer on the page of job {job.pk}.")
        is_done = job.state == Job.State.DONE and (only_plan or run.state == RetentionRun.State.DONE)
        if run.tags.filter(state="failed").exists() or run.left_out or not is_done:
            raise CommandError(said, returncode=1)
        self.say(said)
        if only_plan and run.doomed:
            self.say(f"To carry it out: ./run manage retention {run.registry.name} --carry-out {run.pk}")


def _policies(registry: Registry, name: str | None) -> list[Policy]:
    """Raises CommandError, which says what there is instead."""
    rows = list(Policy.objects.filter(registry=registry).in_order())
    found = [row for row in rows if name in {None, row.name}]
    if not found:
        there = ", ".join(row.name for row in rows) or "none yet"
        what = f"has no policy called {name}" if name else "has no policy"
        raise CommandError(f"{registry.name} {what}; there are: {there}", returncode=2)
    return found
