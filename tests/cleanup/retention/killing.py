"""A process that carries retention out again and again, each time killed one step later, and then has it gone on with.

    python -m tests.cleanup.retention.killing URL [--step request|write]

BERTH_DATA holds a database that was prepared and scanned. Prints a line of JSON for each kill.
"""

from __future__ import annotations

import argparse
import json
import sys
import urllib.request
from contextlib import nullcontext
from functools import partial
from typing import Any

from tests.killing import Countdown, each_write, forked, killed_everywhere, load
from tests.pushing import Pusher

NAME = "team/app"
TAGS = tuple(f"1.{n}" for n in range(5))
GOING, STAYING = TAGS[:2], TAGS[2:]
LOADED = ("jobs.tasks", "cleanup.retention.services", "tests.catalog.picture", "requests", "audit.models")


def push(url: str) -> dict[str, bytes]:
    """Images and the signature of the oldest, each with its bytes."""
    pusher = Pusher(url, NAME)
    digests = {tag: pusher.image(tag, seed=tag) for tag in TAGS}
    pusher.image(signature := digests[TAGS[0]].replace(":", "-") + ".sig", seed="signature")
    return {tag: pusher.fetch(tag) for tag in (*GOING, signature)}


def push_again(url: str, contents: dict[str, bytes]) -> None:
    """The manifests alone: their blobs are there."""
    pusher = Pusher(url, NAME)
    for tag, content in contents.items():
        pusher.manifest(content, tag)


def prepare() -> None:
    """A policy by which the newest three stay, and dates by which that is known."""
    from datetime import timedelta

    from django.utils import timezone

    from catalog.models import Tag
    from cleanup.models import Policy
    from registries.models import Registry

    for days, tag in enumerate(reversed(TAGS)):
        linked = timezone.now() - timedelta(days=days)
        Tag.objects.filter(name=tag).update(link_ns=int(linked.timestamp()) * 10**9)
    terms = {"repositories": ["*"], "rules": [{"tags": ["1.*"], "newest": len(STAYING)}]}
    Policy.objects.create(registry=Registry.objects.get(), name="all", position=1, terms=terms)


def carry(kind: str, countdown: Countdown) -> None:
    from cleanup.retention import services
    from jobs import running
    from registries.models import Registry

    def on_event(event: str, arguments: tuple[Any, ...]) -> None:
        # What goes out, and right after it was sent: the answer is never read.
        if kind == "request" and event == "http.client.send" and b" /v2/" in bytes(arguments[1][:200]):
            countdown.step()

    _, job = services.begin(Registry.objects.get(), allow=True, here=True)
    sys.addaudithook(on_event)
    with each_write(countdown.step) if kind == "write" else nullcontext():
        running.run_here(job.pk)


def resume() -> dict[str, Any]:
    """As the sweep and a worker would; what there is then."""
    from datetime import timedelta

    from django.utils import timezone

    from audit.models import Entry
    from catalog.models import Tag
    from cleanup.models import RetentionRun, RunTag
    from jobs import running, services
    from jobs.models import Job
    from registries.models import Registry
    from tagging.models import TrashEntry
    from tests.catalog.picture import check_counters

    Job.objects.filter(state=Job.State.RUNNING).update(leased_until=timezone.now() - timedelta(seconds=1))
    services.sweep()
    # Whichever of the two a worker takes first: the run follows the plan that it has made, or finds it carried out.
    order = "kind" if Job.objects.count() % 2 else "-kind"
    for job in Job.objects.filter(state=Job.State.QUEUED).order_by(order):
        running.run_here(job.pk)
    check_counters()
    return {
        "states": sorted(RetentionRun.objects.values_list("state", flat=True)),
        "tags": sorted(set(RunTag.objects.values_list("state", flat=True))),
        "recorded": sorted(Entry.objects.filter(outcome="done").values_list("tag", flat=True)),
        "trash": sorted(TrashEntry.objects.listed().values_list("tag", flat=True)),
        "live": sorted(Tag.objects.live().values_list("name", flat=True)),
        "listed": sorted(_listed(Registry.objects.get().url)),
        "unfinished": Job.objects.unfinished().count(),
    }


def _listed(url: str) -> list[str]:
    with urllib.request.urlopen(f"{url}/v2/{NAME}/tags/list", timeout=10) as answer:
        tags: list[str] = json.load(answer)["tags"] or []
        return tags


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--step", default="request")
    options = parser.parse_args()
    data = load(*LOADED)
    pusher = Pusher(options.url, NAME)
    contents = {tag: pusher.fetch(tag) for tag in set(_listed(options.url)) - set(STAYING)}
    assert forked(prepare) == 0
    again = partial(push_again, options.url, contents)
    killed_everywhere(data, partial(carry, options.step), resume, again, is_sampled=True)


if __name__ == "__main__":
    main()
