"""A process that copies images in again and again, each time killed one step later, and then has the run resumed.

    python -m tests.sync.killing SOURCE [--step request|write]

BERTH_DATA holds a database that knows the target. Each request and each statement that writes is a step. Each time
another repository of the target is copied to, where an older image has the tag. Prints a line of JSON for each kill.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import urllib.error
import urllib.request
from contextlib import nullcontext
from functools import partial
from itertools import count
from typing import Any

from tests.killing import Countdown, each_write, forked, killed_everywhere, load
from tests.pushing import Pusher

NAME = "team/app"
LOADED = ("jobs.tasks", "sync.tasks", "sync.services", "requests", "audit.models", "concurrent.futures.thread")
_ACCEPT = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json"


def push(url: str) -> None:
    """An index, with a signature of its own, and an image."""
    pusher = Pusher(url, NAME)
    children = [pusher.image(seed=p, platform=p, layers=[p.encode() * 40_000]) for p in ("linux/amd64", "linux/arm64")]
    index = pusher.index("1.0", children=children)
    pusher.artifact(index.replace(":", "-") + ".sig", content=b"signed")
    pusher.image("2.0", seed="two", layers=[b"two" * 1000])


def prepare(source: str) -> None:
    from registries.models import Registry
    from sync.details import Details
    from sync.models import Rule
    from sync.terms import Terms

    row = Registry.objects.create(name="upstream", url=source, role=Registry.Role.SOURCE)
    terms = Terms.of(Details("app", "upstream", (NAME,), "test")).written()
    Rule.objects.create(name="app", source=row, target=Registry.objects.get(name="test"), terms=terms)


def copy_elsewhere(number: int) -> None:
    """The next run goes to a repository in which the tag stands for something old."""
    from sync.models import Rule

    rule = Rule.objects.select_related("target").get()
    rule.terms["into"] = f"run-{number}/app"
    rule.save()
    Pusher(rule.target.url, rule.terms["into"]).image("1.0", seed="old")


def carry(kind: str, countdown: Countdown) -> None:
    from jobs import running
    from sync import services
    from sync.models import Rule

    def on_event(event: str, arguments: tuple[Any, ...]) -> None:
        # What goes out, and right after it was sent: the answer is never read.
        if kind == "request" and event == "http.client.send" and b" /v2/" in bytes(arguments[1][:200]):
            countdown.step()

    _, job = services.begin(Rule.objects.get(), here=True)
    sys.addaudithook(on_event)
    with each_write(countdown.step) if kind == "write" else nullcontext():
        running.run(job.pk)


def resume() -> dict[str, Any]:
    """As the sweep and a worker would; what there was before, and is then."""
    from datetime import timedelta

    from django.utils import timezone

    from audit.models import Entry
    from jobs import running, services
    from jobs.models import Job
    from sync import services as sync
    from sync.models import Item, Rule, Run, Synced, TagHold

    rule = Rule.objects.select_related("source", "target").get()
    there = Pusher(rule.target.url, rule.terms["into"])
    before = {tag: _standing(there, tag) for tag in ("1.0", "2.0")}
    had = _blobs_there(rule.source.url, there)
    Job.objects.filter(state=Job.State.RUNNING).update(leased_until=timezone.now() - timedelta(seconds=1))
    services.sweep()
    sent = sum(Run.objects.values_list("sent", flat=True))
    _, job = sync.begin(rule, here=True)
    running.run(job.pk)
    run = Run.objects.newest_first()[0]
    travelled = sum(Run.objects.values_list("sent", flat=True)) - sent
    return {
        "before": before,
        "old": Pusher(rule.source.url, "team/old").image(seed="old"),
        "state": run.state,
        "after": {tag: _standing(there, tag) for tag in ("1.0", "2.0")},
        "again": travelled - (sum(_blobs(rule.source.url).values()) - had),
        "open": Item.objects.filter(run=run).open().count(),
        "held": TagHold.objects.count(),
        "recorded": sorted(Entry.objects.filter(act="sync", outcome="done").values_list("tag", flat=True)),
        "synced": sorted(Synced.objects.values_list("tag", flat=True)),
    }


def _standing(there: Pusher, tag: str) -> str:
    """Whether all of it is there, each byte of it right: its digest then, "" where there is no such tag."""
    content = _got(f"{there.url}/v2/{there.repository}/manifests/{tag}")
    if content is None:
        return ""
    return _digest(content) if _is_whole(there, content) else "broken"


def _is_whole(there: Pusher, content: bytes) -> bool:
    document = json.loads(content)
    for child in document.get("manifests", ()):
        got = _got(f"{there.url}/v2/{there.repository}/manifests/{child['digest']}")
        if got is None or not _is_whole(there, got):
            return False
    return all(
        _digest(_got(f"{there.url}/v2/{there.repository}/blobs/{blob['digest']}")) == blob["digest"]
        for blob in _blobs_of(document)
    )


def _blobs_of(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [document["config"], *document["layers"]] if "layers" in document else []


def _blobs(url: str) -> dict[str, int]:
    """Sizes of all blobs of the source, by digest."""
    found: dict[str, int] = {}
    with urllib.request.urlopen(f"{url}/v2/{NAME}/tags/list", timeout=10) as answer:
        wanted = list(json.load(answer)["tags"])
    while wanted:
        document = json.loads(_got(f"{url}/v2/{NAME}/manifests/{wanted.pop()}") or b"{}")
        wanted += [child["digest"] for child in document.get("manifests", ())]
        found |= {blob["digest"]: blob["size"] for blob in _blobs_of(document)}
    return found


def _blobs_there(source: str, there: Pusher) -> int:
    """Bytes of those that the target has by now."""
    return sum(
        size
        for digest, size in _blobs(source).items()
        if _got(f"{there.url}/v2/{there.repository}/blobs/{digest}") is not None
    )


def _got(url: str) -> bytes | None:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers={"Accept": _ACCEPT}), timeout=10) as answer:
            content: bytes = answer.read()
            return content
    except urllib.error.HTTPError:
        return None


def _digest(content: bytes | None) -> str:
    return "" if content is None else "sha256:" + hashlib.sha256(content).hexdigest()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("source")
    parser.add_argument("--step", default="request")
    options = parser.parse_args()
    data = load(*LOADED)
    push(options.source)
    assert forked(partial(prepare, options.source)) == 0
    numbers = count(1)

    def go_elsewhere() -> None:
        assert forked(partial(copy_elsewhere, next(numbers))) == 0

    killed_everywhere(data, partial(carry, options.step), resume, go_elsewhere, is_sampled=True)


if __name__ == "__main__":
    main()
