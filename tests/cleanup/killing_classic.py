"""A process that has a registry swept by commands again and again, each time killed elsewhere, and then gone on with.

    python -m tests.cleanup.killing_classic FOLDER [--step write|command]

FOLDER is that of a `Switched` registry. BERTH_DATA holds a database that knows it. Each statement that writes is a
step, or each command, which is killed with who had it run or over by then. Prints a line of JSON for each kill.
"""

from __future__ import annotations

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
