"""A process that carries a plan out again and again, each time killed one step later, and then has it resumed.

    python -m tests.tagging.killing URL TAGS [--step request|write | --at-once different|same|overlapping]

BERTH_DATA holds a database that was prepared and scanned. Each request and each statement that writes is a step; they
are counted from outside, by an audit hook and a database wrapper. Prints a line of JSON for each kill.
"""

from __future__ import annotations

import argparse
import json
import sys
import urllib.request
from contextlib import nullcontext
from functools import partial
from typing import Any

from tests.killing import Countdown, at_once, each_write, forked, killed_everywhere, load
from tests.pushing import Pusher

KEPT = ("kept-1", "kept-2")
LOADED = (
    "jobs.tasks",
    "tagging.services",
    "tests.catalog.picture",
    "requests",
    "audit.models",
)


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


def carry(kind: str, countdown: Countdown) -> None:
    from jobs import running
    from tagging import services
    from tagging.models import Plan

    def on_event(event: str, arguments: tuple[Any, ...]) -> None:
        # What goes out, and right after it was sent: the answer is never read.
        if kind == "request" and event == "http.client.send" and b" /v2/" in bytes(arguments[1][:200]):
            countdown.step()

    row = Plan.objects.select_related("registry", "repository").get()
    job, _ = services._queue(row, None, here=True)
    sys.addaudithook(on_event)
    with each_write(countdown.step) if kind == "write" else nullcontext():
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


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("tags", type=int)
    parser.add_argument("--step", default="request")
    parser.add_argument("--at-once", choices=["different", "same", "overlapping"])
    options = parser.parse_args()
    data = load(*LOADED)
    names = push(options.url, options.tags)
    if options.at_once:
        one, other = names[: len(names) // 2], names[len(names) // 2 :]
        plans = {"different": [one, other], "same": [one], "overlapping": [one, one]}[options.at_once]
        for chosen in plans:
            assert forked(partial(plan, chosen)) == 0
        at_once([partial(carry_out, number) for number in (0, len(plans) - 1)])
        assert forked(outcome) == 0
        return
    contents = {name: Pusher(options.url, "team/app").fetch(name) for name in (*names, *KEPT)}
    assert forked(partial(plan, names)) == 0
    pushed = partial(push_again, options.url, contents)
    killed_everywhere(data, partial(carry, options.step), resume, pushed, is_sampled=True)


if __name__ == "__main__":
    main()
