"""A process whose rounds of telling are killed, each one write later, and then gone on with by another.

    python -m tests.notices.killing URL [--at-once N | --kill-at-the-request]

BERTH_DATA holds a migrated database. What runs is a fork of this process, which has loaded Django and opened nothing.
Prints a line of JSON for each kill: whether it died, the state of the notices, and how often each was tried.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import django

THINGS: Final = 2
_LOADED: Final = ("notices.tasks", "requests", "audit.models", "jobs.models")


def prepare(url: str) -> None:
    from tests.notices import furniture as make

    make.recipient(url)
    for _ in range(THINGS):
        make.entry()


def killed(step: int) -> None:
    """A round that ends with the nth statement that writes, once that is done."""
    from django.db import connection

    from tests.notices.furniture import round_of_work

    count = 0

    def on_statement(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal count
        done = execute(sql, params, many, context)
        if not sql.lstrip("( ").upper().startswith(("SELECT", "PRAGMA", "EXPLAIN", "BEGIN")):
            count += 1
            if count == step:
                os.kill(os.getpid(), signal.SIGKILL)
        return done

    with connection.execute_wrapper(on_statement):
        round_of_work()


def go_on() -> dict[str, Any]:
    """Another worker, once the claims of the first have ended."""
    from notices.models import Notice, Subscription
    from tests.notices.furniture import later, round_of_work

    later(Subscription.objects.get())
    round_of_work()
    return {"notices": sorted(Notice.objects.values_list("source", "state"))}


def forked(work: Callable[[], Any]) -> int:
    """The status of a child that does `work`; what it finds is printed."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            found = work()
            if found is not None:
                sys.stdout.write(json.dumps(found) + "\n")
                sys.stdout.flush()
            status = 0
        finally:
            os._exit(status)
    return os.waitpid(child, 0)[1]


def at_once(number: int) -> None:
    """Several rounds at the same time, and then what there is."""
    from tests.notices.furniture import round_of_work

    begin = time.monotonic() + 0.5
    children = []
    for _ in range(number):
        child = os.fork()
        if child == 0:
            status = 1
            try:
                time.sleep(max(0.0, begin - time.monotonic()))
                round_of_work()
                status = 0
            finally:
                os._exit(status)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * number
    assert forked(go_on) == 0


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--at-once", type=int)
    parser.add_argument("--kill-at-the-request", action="store_true")  # which the other side does
    options = parser.parse_args()
    django.setup()
    for module in _LOADED:  # once, and not in each fork
        import_module(module)
    data = Path(os.environ["BERTH_DATA"])
    assert forked(lambda: prepare(options.url)) == 0
    if options.at_once:
        at_once(options.at_once)
        return
    if options.kill_at_the_request:
        assert forked(lambda: killed(0)) == signal.SIGKILL
        assert forked(go_on) == 0
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
        died = forked(lambda: killed(step))  # noqa: B023  it is over before the next
        assert died in {0, signal.SIGKILL.value}, died
        assert forked(go_on) == 0


if __name__ == "__main__":
    main()
