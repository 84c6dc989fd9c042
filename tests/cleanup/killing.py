"""A process that checks a registry again and again, each time killed one write later, and then has the check resumed.

    python -m tests.cleanup.killing

BERTH_DATA holds a database that knows the registry. Prints a line of JSON for each kill.
"""

from __future__ import annotations

from typing import Any

from tests.killing import Countdown, each_write, killed_everywhere, load

LOADED = ("jobs.tasks", "cleanup.tasks", "requests", "audit.models", "concurrent.futures.thread")


def check(countdown: Countdown) -> None:
    from cleanup.verifying import services
    from cleanup.verifying.terms import Terms
    from jobs import running
    from registries.models import Registry

    with each_write(countdown.step):
        _, job, _ = services.begin(Registry.objects.get(), Terms(), here=True)
        running.run(job.pk)


def resume() -> dict[str, Any]:
    """As the sweep and a worker would; what there is then."""
    from datetime import timedelta

    from django.utils import timezone

    from audit.models import Entry
    from cleanup.models import Check, CheckFinding, Halt
    from cleanup.verifying import services as checks
    from cleanup.verifying.terms import Terms
    from jobs import running, services
    from jobs.models import Job
    from registries.models import Registry

    Job.objects.filter(state=Job.State.RUNNING).update(leased_until=timezone.now() - timedelta(seconds=1))
    services.sweep()
    for job in Job.objects.unfinished():
        running.run(job.pk)
    if not Check.objects.exists():  # it died before anything was asked for
        _, job, _ = checks.begin(Registry.objects.get(), Terms(), here=True)
        running.run(job.pk)
    checks.queue_waiting()
    ended = Check.objects.get()
    found = CheckFinding.objects.open().values_list("repository", "tag", "code", "is_new")
    return {
        "state": ended.state,
        "figures": [ended.repositories, ended.tags, ended.broken, ended.new, ended.unasked],
        "found": sorted(map(list, found)),
        "halts": Halt.objects.open().count(),
        "alarms": Entry.objects.filter(act=Entry.Act.HALT).count(),
    }


if __name__ == "__main__":
    killed_everywhere(load(*LOADED), check, resume)
