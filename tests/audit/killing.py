"""A process that seals, or folds pulls, again and again, each time killed one write later, and then has it resumed.

    python -m tests.audit.killing seal|fold|together

BERTH_DATA holds a database that was prepared. What runs is a fork of this process, which has loaded Django and opened
nothing. Prints a line of JSON for each kill: what there was right after it, and at the end. Or three of them seal at
once, and one line says what there is then.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import django

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


def killed(work: Callable[[], None], last: int) -> None:
    from django.db import connection

    count = 0

    def on_statement(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal count
        done = execute(sql, params, many, context)
        if not sql.lstrip("( ").upper().startswith(("SELECT", "PRAGMA", "EXPLAIN")):
            count += 1
            if count == last:
                os.kill(os.getpid(), signal.SIGKILL)
        return done

    with connection.execute_wrapper(on_statement):
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


def told(work: Callable[[], Any]) -> None:
    sys.stdout.write(json.dumps(work()) + "\n")
    sys.stdout.flush()


def forked(work: Callable[[], Any]) -> int:
    """The status of a child that does `work`."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    return os.waitpid(child, 0)[1]


def together(work: Callable[[], None]) -> set[int]:
    """The statuses of three children that begin to work at the same moment."""
    begin = time.monotonic() + 0.5
    children = []
    for _ in range(3):
        child = os.fork()
        if child == 0:
            status = 1
            try:
                time.sleep(max(0.0, begin - time.monotonic()))
                work()
                status = 0
            finally:
                os._exit(status)
        children.append(child)
    return {os.waitpid(child, 0)[1] for child in children}


def resumed(work: Callable[[], None]) -> dict[str, Any]:
    after = look()
    work()
    return {"after": after, "end": look()}


def main() -> None:
    work, act = {"seal": (seal, "push"), "together": (seal, "push"), "fold": (fold, "pull")}[sys.argv[1]]
    django.setup()
    for module in ("kombu.transport.memory", "catalog.folding", "audit.verification", "jobs.tasks"):
        import_module(module)  # once, and not in each fork
    data = Path(os.environ["BERTH_DATA"])
    assert forked(partial(record, act)) == 0
    if sys.argv[1] == "together":
        assert together(work) == {0}
        assert forked(partial(told, look)) == 0
        return
    before = data / "before"
    before.mkdir()
    for part in data.glob("berth.sqlite3*"):
        shutil.copy(part, before)
    step, died = 0, signal.SIGKILL.value
    while died:
        step += 1
        for part in data.glob("berth.sqlite3*"):
            part.unlink()
        for part in before.iterdir():
            shutil.copy(part, data)
        died = forked(partial(killed, work, step))
        assert died in {0, signal.SIGKILL}, died
        assert forked(partial(told, partial(resumed, work))) == 0


if __name__ == "__main__":
    main()
