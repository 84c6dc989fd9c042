"""A process that carries a plan out again and again, each time killed one step later, and then has it resumed.

    python -m tests.tagging.killing URL TAGS [--step request|write | --at-once different|same|overlapping]

BERTH_DATA holds a database that was prepared and scanned. What runs is a fork of this process, which has loaded Django
and opened nothing: a step costs a fraction of a second. Each request and each statement that writes is a step; they
are counted from outside, by an audit hook and a database wrapper. Prints a line of JSON for each kill.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import sys
import time
import urllib.request
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import django

from tests.pushing import Pusher

KEPT = ("kept-1", "kept-2")
LOADED = (
    "jobs.tasks",
    "kombu.transport.memory",
    "tagging.services",
    "tests.catalog.picture",
    "requests",
    "audit.models",
)


class Countdown:
    def __init__(self, last: int) -> None:
        self.count, self._last = 0, last

    def step(self) -> None:
        self.count += 1
        if self.count == self._last:
            os.kill(os.getpid(), signal.SIGKILL)


def push(url: str, tags: int) -> list[str]:
    """Tags on a digest that others share, and on one each of their own; those that are to go."""
    pusher = Pusher(url, "team/app")
    shared = [f"alias-{n}" for n in range(tags - tags // 3)]
    alone = [f"alone-{n}" for n in range(tags // 3)]
    pusher.image(*shared, *KEPT)
    for name in alone:
        pusher.image(name, seed=name)
    return [*shared, *alone]


def push_again(url: str, contents: dict[str, bytes]) -> None:
    """The manifests alone: their blobs are there."""
    pusher = Pusher(url, "team/app")
    for tag, content in contents.items():
        pusher.manifest(content, tag)


def plan(names: list[str]) -> None:
    from access.models import User
    from catalog.models import Repository
    from tagging import planning

    person, _ = User.objects.get_or_create(username="mara", is_staff=True)
    planning.plan_tags(Repository.objects.get(), names, planning.Asked(person))


def carry(die_at: int, kind: str) -> None:
    from django.db import connection

    from jobs import running
    from tagging import services
    from tagging.models import Plan

    countdown = Countdown(die_at)

    def on_event(event: str, arguments: tuple[Any, ...]) -> None:
        # What goes out, and right after it was sent: the answer is never read.
        if kind == "request" and event == "http.client.send" and b" /v2/" in bytes(arguments[1][:200]):
            countdown.step()

    def on_statement(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        done = execute(sql, params, many, context)
        if kind == "write" and not sql.lstrip("( ").upper().startswith(("SELECT", "PRAGMA", "EXPLAIN")):
            countdown.step()
        return done

    row = Plan.objects.select_related("registry", "repository").get()
    job, _ = services._queue(row, None, here=True)
    sys.addaudithook(on_event)
    with connection.execute_wrapper(on_statement):
        running.run(job.pk)


def resume() -> dict[str, Any]:
    """As the sweep and a worker would; what there is then."""
    from datetime import timedelta

    from django.utils import timezone

    from audit.models import Entry
    from catalog.models import Repository, Tag, Throwaway
    from jobs import running, services
    from jobs.models import Job
    from tagging.models import Plan, TrashEntry
    from tests.catalog.picture import check_counters

    Job.objects.filter(state=Job.State.RUNNING).update(leased_until=timezone.now() - timedelta(seconds=1))
    services.sweep()
    row = Plan.objects.get()
    if row.state != Plan.State.DONE:
        from tagging.services import _queue

        job, _ = _queue(Plan.objects.select_related("registry", "repository").get(), None, here=True)
        running.run(job.pk)
    row.refresh_from_db()
    check_counters()
    live = Tag.objects.live().filter(repository=Repository.objects.get())
    return {
        "state": row.state,
        "message": row.message,
        "items": sorted(row.items.values_list("state", flat=True).distinct()),
        "recorded": sorted(Entry.objects.filter(outcome="done").values_list("tag", flat=True)),
        "trash": sorted(TrashEntry.objects.listed().values_list("tag", flat=True)),
        "live": sorted(live.values_list("name", flat=True)),
        "open": Throwaway.objects.filter(closed_at=None).count(),
        "listed": sorted(_listed(row.registry.url)),
    }


def _listed(url: str) -> list[str]:
    with urllib.request.urlopen(f"{url}/v2/team/app/tags/list", timeout=10) as answer:
        tags: list[str] = json.load(answer)["tags"] or []
        return tags


def at_once(works: list[Callable[[], Any]]) -> list[int]:
    """The statuses of children that do all of these at the same time."""
    children = []
    begin = time.monotonic() + 0.5
    for work in works:
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
    return [os.waitpid(child, 0)[1] for child in children]


def carry_out(number: int) -> None:
    """The nth plan, as the page does that a person waits for."""
    from access.models import User
    from tagging import services
    from tagging.models import Plan

    plans = Plan.objects.select_related("registry", "repository").order_by("pk")
    services.carry_out(plans[number], User.objects.get())


def outcome() -> dict[str, Any]:
    from audit.models import Entry
    from catalog.models import Tag
    from tagging.models import Plan, TrashEntry
    from tests.catalog.picture import check_counters

    check_counters()
    return {
        "messages": list(Plan.objects.order_by("pk").values_list("message", flat=True)),
        "recorded": sorted(Entry.objects.filter(outcome="done").values_list("tag", flat=True)),
        "trash": sorted(TrashEntry.objects.listed().values_list("tag", flat=True)),
        "live": sorted(Tag.objects.live().values_list("name", flat=True)),
        "listed": sorted(_listed(Plan.objects.all()[0].registry.url)),
    }


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


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("tags", type=int)
    parser.add_argument("--step", default="request")
    parser.add_argument("--at-once", choices=["different", "same", "overlapping"])
    options = parser.parse_args()
    django.setup()
    for module in LOADED:  # once, and not in each fork
        import_module(module)
    data = Path(os.environ["BERTH_DATA"])
    names = push(options.url, options.tags)
    if options.at_once:
        one, other = names[: len(names) // 2], names[len(names) // 2 :]
        plans = {"different": [one, other], "same": [one], "overlapping": [one, one]}[options.at_once]
        for chosen in plans:
            assert forked(partial(plan, chosen)) == 0
        numbers = [0, len(plans) - 1]
        assert at_once([partial(carry_out, number) for number in numbers]) == [0, 0]
        assert forked(outcome) == 0
        return
    contents = {name: Pusher(options.url, "team/app").fetch(name) for name in (*names, *KEPT)}
    assert forked(lambda: plan(names)) == 0
    before = data / "before"
    before.mkdir()
    for part in data.glob("berth.sqlite3*"):
        shutil.copy(part, before)
    step = 0
    while True:
        step += 1
        for part in data.glob("berth.sqlite3*"):
            part.unlink()
        for part in before.iterdir():
            shutil.copy(part, data)
        push_again(options.url, contents)
        died = forked(partial(carry, step, options.step))
        assert died in {0, signal.SIGKILL}, died
        assert forked(resume) == 0
        if died == 0:
            return


if __name__ == "__main__":
    main()
