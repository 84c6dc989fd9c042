"""A process that seals, or folds pulls, again and again, each time killed one write later, and then has it resumed.

    python -m tests.audit.killing seal|fold|together

BERTH_DATA holds a database that was prepared. Prints a line of JSON for each kill: what there was right after it, and
at the end. Or three of them seal at once, and one line says what there is then.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from tests.killing import Countdown, at_once, each_write, forked, killed_everywhere, load

ENTRIES = 1_100


def record(act: str) -> None:
    from django.utils import timezone

    from audit.models import Entry

    at = timezone.now().replace(hour=0, minute=0) - timedelta(days=40)
    Entry.objects.bulk_create(
        Entry(key=str(n), at=at + timedelta(minutes=n), act=act, outcome=Entry.Outcome.DONE, tag=f"v{n % 3}")
        for n in range(ENTRIES)
    )


def seal() -> None:
    from audit import chain

    chain.seal(10 * ENTRIES)


def fold() -> None:
    from django.utils import timezone

    from catalog import folding
    from jobs import running, services
    from jobs.models import Job

    Job.objects.filter(state=Job.State.RUNNING).update(leased_until=timezone.now() - timedelta(seconds=1))
    services.sweep()
    folding.queue_due(timezone.now())
    for job in Job.objects.filter(state=Job.State.QUEUED):
        running.run(job.pk)


def counted(work: Callable[[], None], countdown: Countdown) -> None:
    with each_write(countdown.step):
        work()


def look() -> dict[str, Any]:
    from django.db.models import Sum

    from audit.models import Entry, Link
    from audit.verification import verify

    verdict = verify({})
    pulls = Entry.objects.filter(act=Entry.Act.PULL)
    return {
        "broken": str(verdict.broken) if verdict.broken else None,
        "sealed": verdict.entries,
        "waiting": verdict.waiting,
        "links": Link.objects.count(),
        "pulls": pulls.aggregate(all=Sum("count", default=0))["all"],
        "entries": pulls.count(),
        "recorded": list(Entry.objects.filter(act=Entry.Act.FOLD).values_list("detail", flat=True)),
    }


def resumed(work: Callable[[], None]) -> dict[str, Any]:
    after = look()
    work()
    return {"after": after, "end": look()}


def main() -> None:
    work, act = {"seal": (seal, "push"), "together": (seal, "push"), "fold": (fold, "pull")}[sys.argv[1]]
    data = load("audit.chain", "catalog.folding", "audit.verification", "jobs.tasks")
    assert forked(partial(record, act)) == 0
    if sys.argv[1] == "together":
        at_once([work] * 3)
        assert forked(look) == 0
        return
    killed_everywhere(data, partial(counted, work), partial(resumed, work))


if __name__ == "__main__":
    main()
