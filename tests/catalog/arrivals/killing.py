"""A process that handles what a registry told again and again, each time killed one write later, and then goes on.

    python -m tests.catalog.arrivals.killing BODIES

BERTH_DATA holds two databases that were migrated and know the registry; BODIES is a file with a line of JSON for each
delivery. What runs is a fork of this process, which has loaded Django and opened nothing. Prints a line of JSON for
each kill: what there is when another has gone on.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import django

from tests.tagging.killing import Countdown, forked

LOADED = ("catalog.arrivals.serving", "tests.catalog.picture", "tests.catalog.arrivals.station", "requests")
DATABASES = ("berth.sqlite3", "inbox.sqlite3")


def come_in(bodies: list[bytes]) -> None:
    from registries.models import Registry
    from tests.catalog.arrivals.station import hand_in

    hand_in(Registry.objects.get(), bodies)


def handle(die_at: int) -> None:
    from contextlib import ExitStack

    from django.db import connections

    from tests.catalog.arrivals.station import handle_all

    countdown = Countdown(die_at)

    def on_statement(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        done = execute(sql, params, many, context)
        if not sql.lstrip("( ").upper().startswith(("SELECT", "PRAGMA", "EXPLAIN")):
            countdown.step()
        return done

    with ExitStack() as stack:
        for connection in connections.all():
            stack.enter_context(connection.execute_wrapper(on_statement))
        handle_all()


def go_on() -> dict[str, Any]:
    """As the process that the supervisor starts next; what there is then."""
    from django.db.models import Sum

    from audit.models import Delivery, Entry, EventStream, Quarantined, SeenEvent
    from catalog.models import PullDay, Tag, Waiting
    from tests.catalog.arrivals.station import handle_all
    from tests.catalog.picture import check_counters

    handle_all()
    check_counters()
    stream = EventStream.objects.get()
    return {
        "story": sorted(Entry.objects.values_list("act", "tag", "digest_before", "digest_after", "count")),
        "seen": SeenEvent.objects.count(),
        "handled": stream.handled,
        "repeated": stream.repeated,
        "looks": stream.looks,
        "pulls": PullDay.objects.aggregate(pulls=Sum("pulls"))["pulls"],
        "tags": sorted(Tag.objects.live().values_list("name", "presence__manifest__digest")),
        "waiting": Waiting.objects.count(),
        "inbox": Delivery.objects.count(),
        "quarantined": Quarantined.objects.count(),
    }


def main() -> None:
    django.setup()
    for module in LOADED:  # once, and not in each fork
        import_module(module)
    data = Path(os.environ["BERTH_DATA"])
    bodies = Path(sys.argv[1]).read_bytes().splitlines()
    assert forked(partial(come_in, bodies)) == 0
    before = data / "before"
    before.mkdir()
    for name in DATABASES:
        for part in data.glob(f"{name}*"):
            shutil.copy(part, before)
    step = 0
    while True:
        step += 1
        for name in DATABASES:
            for part in data.glob(f"{name}*"):
                part.unlink()
        for part in before.iterdir():
            shutil.copy(part, data)
        died = forked(partial(handle, step))
        assert died in {0, signal.SIGKILL}, died
        assert forked(go_on) == 0
        if died == 0:
            return


if __name__ == "__main__":
    main()
