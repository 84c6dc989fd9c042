"""A process that checks a registry again and again, each time killed one write later, and then has the check resumed.

    python -m tests.cleanup.killing

BERTH_DATA holds a database that knows the registry. Prints a line of JSON for each kill.
"""A process that has a registry swept by commands again and again, each time killed elsewhere, and then gone on with.

    python -m tests.cleanup.killing FOLDER [--step write|command]

FOLDER is that of a `Switched` registry. BERTH_DATA holds a database that knows it. Each statement that writes is a
step, or each command, which is killed with who had it run or over by then. Prints a line of JSON for each kill.
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
import argparse
import signal
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

from tests.cleanup.switched import Switched, delete, is_whole
from tests.killing import Countdown, each_write, forked, killed_everywhere, load
from tests.pushing import Pusher
from tests.sampling import of_today

LOADED = ("jobs.tasks", "cleanup.tasks", "cleanup.classic.services", "requests", "audit.models", "catalog.models")
_COMMANDS = 5


def lay(switched: Switched) -> None:
    """Open, with something that is not used."""
    if not switched.takes_uploads():
        switched.switch("open")
    (switched.folder / "count").unlink(missing_ok=True)
    push = Pusher(switched.url, "team/app")
    delete(switched.url, "team/app", push.image(seed="garbage"))


def carry(countdown: Countdown | None = None) -> None:
    from cleanup.classic import services
    from jobs import running
    from registries.models import Registry

    def work() -> None:
        _, job = services.begin(Registry.objects.get(name="test"), here=True)
        running.run(job.pk)

    if countdown is None:
        work()
        return
    with each_write(countdown.step):
        work()


def go_on(switched: Switched) -> dict[str, Any]:
    """As the sweep of jobs, the clock and a worker would; then once more from the beginning."""
    from cleanup.classic import services
    from cleanup.models import ClassicRun, ClassicStep
    from registries.models import Registry

    (switched.folder / "target").write_text("0 never")
    work_off()
    first = ClassicRun.objects.newest_first().first()
    is_open = switched.takes_uploads()
    registry = Registry.objects.get(name="test")
    closed = registry.closed_since
    services.begin(registry, here=True)
    work_off()
    last = ClassicRun.objects.newest_first()[0]
    push = Pusher(switched.url, "team/app")
    blobs = len(switched.blobs())
    return {
        "first": first.state if first else "",
        "is_open": is_open,
        "closed": closed is not None,
        "last": last.state,
        "stuck": ClassicRun.objects.filter(state="stuck").count(),
        "begun": ClassicStep.objects.filter(state="begun").count(),
        "blobs": blobs,
        "kept": is_whole(switched.url, "team/app", "kept"),
        "again": is_whole(switched.url, "team/app", push.image(seed="garbage")),
    }


def work_off() -> None:
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
    from cleanup.classic import services as classic
    from jobs import running, services
    from jobs.models import Job

    Job.objects.filter(state=Job.State.RUNNING).update(leased_until=timezone.now() - timedelta(seconds=1))
    services.sweep()
    for _ in range(3):
        classic.recover()
        for job in Job.objects.unfinished():
            running.run(job.pk)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("url")
    parser.add_argument("--step", default="write")
    options = parser.parse_args()
    switched = Switched(options.folder)
    switched.url = options.url
    data = load(*LOADED)
    resume = partial(go_on, switched)
    (options.folder / "target").write_text("0 never")
    if options.step == "write":
        killed_everywhere(data, carry, resume, partial(lay, switched), is_sampled=True)
        return
    for number, when in of_today(list(product(range(1, _COMMANDS + 1), ("during", "after")))):
        lay(switched)
        (options.folder / "target").write_text(f"{number} {when}")
        assert forked(carry) == signal.SIGKILL
        assert forked(resume) == 0


if __name__ == "__main__":
    main()
