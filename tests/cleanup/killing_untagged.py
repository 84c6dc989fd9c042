"""A process that deletes what nothing reaches, each time killed one step later, and then has the run gone on with.

    python -m tests.cleanup.killing_untagged URL STORAGE [--step request|write]

BERTH_DATA holds a database that knows the registry and has scanned it. Each request and each statement that writes is a
step. Prints a line of JSON for each kill.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

from tests.killing import Countdown, each_write, killed_everywhere, load
from tests.pushing import Pusher

NAMES = ("team/app", "team/web")
LOADED = (
    "jobs.tasks",
    "cleanup.tasks",
    "requests",
    "audit.models",
    "tests.catalog.picture",
    "concurrent.futures.thread",
)


def push(url: str, storage: Path) -> tuple[set[str], set[str]]:
    """What is to go, and what has to stay, as repository@digest; all of it pushed long ago."""
    goes, stays = set(), set()
    for name in NAMES:
        pusher = Pusher(url, name)
        amd, arm, dead = (pusher.image(seed=name, platform=f"linux/{one}") for one in ("amd64", "arm64", "s390x"))
        kept = {amd, arm, pusher.index("1.0", children=[amd, arm]), pusher.artifact(subject=arm)}
        gone = {dead, pusher.index(children=[dead, amd]), pusher.artifact(subject=dead)}
        stays |= {f"{name}@{digest}" for digest in kept}
        goes |= {f"{name}@{digest}" for digest in gone}
    at = time.time() - 48 * 3600
    for link in storage.glob("**/_manifests/revisions/*/*/link"):
        os.utime(link, (at, at))
    return goes, stays


def carry(kind: str, countdown: Countdown) -> None:
    from cleanup.untagged import services
    from jobs import running
    from registries.models import Registry

    def on_event(event: str, arguments: tuple[Any, ...]) -> None:
        # What goes out, and right after it was sent: the answer is never read.
        if kind == "request" and event == "http.client.send" and b" /v2/" in bytes(arguments[1][:200]):
            countdown.step()

    sys.addaudithook(on_event)
    with each_write(countdown.step) if kind == "write" else nullcontext():
        _, job = services.begin(Registry.objects.get(), here=True)
        running.run(job.pk)


def resume() -> dict[str, Any]:
    """As the sweeps and a worker would; what there is then."""
    from datetime import timedelta

    from django.utils import timezone

    from audit.models import Entry
    from cleanup.models import UntaggedRun
    from cleanup.untagged import services
    from jobs import running
    from jobs import services as jobs
    from jobs.models import Job
    from registries.models import Registry
    from tagging import services as tagging
    from tagging.models import Plan, TrashEntry
    from tests.catalog.picture import check_counters

    Job.objects.filter(state=Job.State.RUNNING).update(leased_until=timezone.now() - timedelta(seconds=1))
    jobs.sweep()
    tagging.recover()
    if not UntaggedRun.objects.filter(state=UntaggedRun.State.DONE).exists():
        _, job = services.begin(Registry.objects.get(), here=True)  # what is under way, or what nobody had begun
        running.run(job.pk)
    check_counters()
    row = UntaggedRun.objects.get()
    went = TrashEntry.objects.listed().values_list("repository__name", "digest")
    entries = Entry.objects.filter(outcome="done").values_list("repository", "digest_before")
    return {
        "state": row.state,
        "message": row.message,
        "items": sorted(row.items.values_list("state", flat=True).distinct()),
        "notes": sorted(set(row.items.values_list("note", flat=True))),
        "recorded": sorted(f"{name}@{digest}" for name, digest in entries),
        "trash": sorted(f"{name}@{digest}" for name, digest in went),
        "open": Plan.objects.filter(items__state__in=["planned", "begun"]).count(),
        "there": sorted(_there(row.registry.storage)),
    }


def _there(storage: str) -> list[str]:
    base = Path(storage) / "docker/registry/v2/repositories"
    links = base.glob("**/_manifests/revisions/sha256/*/link")
    return [
        f"{link.relative_to(base).parts[0]}/{link.relative_to(base).parts[1]}@sha256:{link.parent.name}"
        for link in links
    ]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("storage", type=Path)
    parser.add_argument("--step", default="request")
    options = parser.parse_args()
    data = load(*LOADED)
    pushed = partial(push, options.url, options.storage)
    killed_everywhere(data, partial(carry, options.step), resume, pushed, is_sampled=True)


if __name__ == "__main__":
    main()
