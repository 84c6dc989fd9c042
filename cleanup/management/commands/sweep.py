from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from django.core.management.base import CommandError, CommandParser

from cleanup.management.naming import registry_called
from cleanup.models import Sweep
from cleanup.sweeping import services
from cleanup.sweeping.ground import terms_of
from cleanup.sweeping.in_words import lines_of, progress_line
from cleanup.sweeping.services import Times
from cleanup.sweeping.terms import LEAST_GRACE, MOST_GRACE, MOST_HOLD
from jobs.at_terminal import JobCommand
from jobs.models import Job
from jobs.running import JobFailed
from registries.models import Registry

_HOUR: Final = 3600  # seconds


class Command(JobCommand):
    help = (
        "Sweep a registry while it runs, here and now: what no manifest names is moved aside, and deleted when its"
        " holding time is over. Ends with 0 when all is well, 1 when it failed, 2 when nothing could be begun."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("registry", help="its name")
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--plan", action="store_true", help="only say what would go")
        which.add_argument("--carry-out", type=int, metavar="SWEEP", help="what this one planned, or the rest of it")
        which.add_argument("--undo", type=int, metavar="SWEEP", help="put back all that this one has moved aside")
        which.add_argument("--delete-now", type=int, metavar="SWEEP", help="what this one has moved aside, for good")
        parser.add_argument("--grace-hours", type=int, metavar="N", help="what is younger stays; as its terms say")
        parser.add_argument("--hold-hours", type=int, metavar="N", help="0 deletes at once; as its terms say")
        super().add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        registry = registry_called(options["registry"])
        try:
            sweep, job = self._begun(registry, options)
        except JobFailed as reason:
            raise CommandError(str(reason), returncode=2) from reason
        was_left = self.see_through(job, progress_line)
        sweep.refresh_from_db()
        for line in lines_of(sweep):
            self.stdout.write(line)
        self._end(sweep, job, was_left=was_left)

    def _begun(self, registry: Registry, options: dict[str, Any]) -> tuple[Sweep, Job]:
        verbs = {"carry_out": services.carry_on, "undo": services.undo, "delete_now": services.delete_now}
        for name, verb in verbs.items():
            if (key := options[name]) is not None:
                sweep = Sweep.objects.select_related("registry").filter(registry=registry, pk=key).first()
                if sweep is None:
                    raise CommandError(f"{registry.name} has no sweep {key}", returncode=2)
                return sweep, verb(sweep, here=True)
        times = _times(registry, options)
        return services.begin(registry, only_plan=options["plan"], here=True, times=times)

    def _end(self, sweep: Sweep, job: Job, *, was_left: bool) -> None:
        """How it ended, on the standard error: what is on the other is for machines."""
        self.check_end(job, job.message, was_left=was_left)
        if job.state != Job.State.DONE:
            raise CommandError(job.message, returncode=1)
        self.say(job.message)
        again = f"./run manage sweep {sweep.registry.name}"
        if sweep.state == Sweep.State.PLANNED:
            self.say(f"To carry it out: {again} --carry-out {sweep.pk}")
        if sweep.state == Sweep.State.HOLDING:
            self.say(f"To put it back: {again} --undo {sweep.pk}")
            self.say(f"To delete it now: {again} --delete-now {sweep.pk}")


def _times(registry: Registry, options: dict[str, Any]) -> Times:
    """As the terms of the registry say, but for what the options do. Raises CommandError."""
    times = Times.of(terms_of(registry))
    if (grace := options["grace_hours"]) is not None:
        if not LEAST_GRACE <= grace * _HOUR <= MOST_GRACE:
            raise CommandError(f"--grace-hours is from 1 to {MOST_GRACE // _HOUR:,}", returncode=2)
        times = replace(times, grace_seconds=grace * _HOUR)
    if (hold := options["hold_hours"]) is not None:
        if not 0 <= hold * _HOUR <= MOST_HOLD:
            raise CommandError(f"--hold-hours is from 0 to {MOST_HOLD // _HOUR:,}", returncode=2)
        times = replace(times, hold_seconds=hold * _HOUR)
    return times
