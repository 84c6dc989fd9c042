"""Rules and runs for the walk: one that is copying, one that ended, one that failed, and a rule that never ran."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.utils import timezone

from jobs.models import Job
from jobs.schedule import Schedule, When
from oci.transfer.selection import Selection
from registries.models import Registry
from sync.choosing import Choice, Why
from sync.details import Details, Moved
from sync.models import Item, Rule, Run, Synced
from sync.terms import Terms
from tests.web import furniture as make

_MEGABYTE: Final = 1_000_000
_WRONG: Final = "the source: GET v2/library/golang/blobs/sha256:1 was answered with 503"


@dataclass(frozen=True)
class Runs:
    """Each in another state."""

    under_way: Run
    planned: Run
    done: Run
    broken: Run


def build(where: Registry, hub: Registry) -> Runs:
    golang = rule(
        where,
        hub,
        "golang",
        choice=Choice(allow=("1.*",), deny=("*-windows*",), ranges=(">=1.22 <2",), newest=3),
        selection=Selection(platforms=("linux/amd64", "linux/arm64")),
        moved=Moved.BACK_UP,
        schedule=Schedule(when=When.CRON, cron="30 4 * * *", zone="Asia/Seoul", window="22:00-06:00"),
        next_at=timezone.now() + timedelta(hours=5),
    )
    rule(where, hub, "python", repositories=("library/python", "library/pypy", "library/alpine"), is_on=False)
    done = run(golang, Run.State.DONE, _items(done=True), message="40 copied, 2 unchanged, 1 left alone, 2 failed.")
    planned = run(golang, Run.State.PLANNED, _items(), left_out={Why.OUTSIDE: [811, ["1.21.0", "1.20"]]})
    broken = run(golang, Run.State.BROKEN_OFF, _items(done=True)[:12], message="Stopped. 9 were copied.")
    job = make.job(
        where,
        Job.State.RUNNING,
        kind="sync",
        subject="sync:0",
        title="Copying by the rule golang",
        started_at=timezone.now() - timedelta(seconds=40),
        progress={
            "phase": "copying",
            "images": [12, 45],
            "bytes": [812 * _MEGABYTE, 2_140 * _MEGABYTE],
            "rate": 61 * _MEGABYTE,
            "seconds_left": 74,
            "under_way": [
                ["mirror/library/golang:1.24.3", 41 * _MEGABYTE, 280 * _MEGABYTE],
                ["mirror/library/golang:1.24.3-alpine", 70 * _MEGABYTE, 91 * _MEGABYTE],
            ],
        },
    )
    under_way = run(golang, Run.State.UNDER_WAY, _items(), job=job, quota_left=61, quota_limit=100)
    _stands(golang)
    return Runs(under_way, planned, done, broken)


def rule(where: Registry, source: Registry, name: str = "golang", **more: Any) -> Rule:
    fields = {key: more.pop(key) for key in ("next_at", "is_on", "created_by") if key in more}
    said = {"repositories": (f"library/{name}",), "into": "mirror/{repository}", **more}
    details = Details(name, source=source.name, target=where.name, **said)
    terms = Terms.of(details).written()
    return Rule.objects.create(name=name, source=source, target=where, terms=terms, created_by="mara", **fields)


def run(of: Rule, state: Run.State, items: list[Item], **fields: Any) -> Run:
    new = sum(item.act == Item.Act.COPY and not item.before for item in items)
    moved = sum(item.act == Item.Act.COPY and bool(item.before) for item in items)
    unchanged, left = (sum(item.act == act for item in items) for act in (Item.Act.KEEP, Item.Act.LEAVE))
    counts = {"new": new, "moved": moved, "unchanged": unchanged, "left": left}
    places = {"rule": of, "name": of.name, "source": of.source, "target": of.target, "terms": of.terms}
    ended = timezone.now() if state in {Run.State.DONE, Run.State.BROKEN_OFF} else None
    sent = sum(item.sent for item in items)
    row = Run.objects.create(**{**places, **counts, "state": state, "ended_at": ended, "sent": sent, **fields})
    for position, item in enumerate(items):
        item.run, item.position, item.pk = row, position, None
    Item.objects.bulk_create(items)
    return row


def item(tag: str, act: Item.Act = Item.Act.COPY, **fields: Any) -> Item:
    digest = make.digest_of(tag.encode())
    values = {"source_repository": "library/golang", "source_tag": tag, "digest": digest}
    here = {"repository": "mirror/library/golang", "tag": tag, "why": Why.IN_RANGE, "detail": ">=1.22 <2"}
    return Item(**{"act": act, **values, **here, **fields})


def _items(*, done: bool = False) -> list[Item]:
    state, sent = (Item.State.DONE, 41 * _MEGABYTE) if done else (Item.State.PLANNED, 0)
    old = make.digest_of(b"old")
    found = [item(f"1.24.{number}", state=state, sent=sent) for number in range(30)]
    found += [
        item(f"1.23.{number}-alpine", before=old, backup=f"1.23.{number}-alpine-before-20261120-043000", state=state)
        for number in range(10)
    ]
    kept: dict[str, Any] = {"act": Item.Act.KEEP, "state": Item.State.SKIPPED}
    found += [item(f"1.22.{number}", before=make.digest_of(f"1.22.{number}".encode()), **kept) for number in range(2)]
    left: dict[str, Any] = {
        "act": Item.Act.LEAVE,
        "state": Item.State.SKIPPED,
        "note": "the rule v* protects it",
    }
    found.append(item("1.22", before=old, **left))
    if done:
        found.append(item("1.25.0", state=Item.State.FAILED, note=_WRONG))
        found.append(item("1.25.1", state=Item.State.PARKED, note="it was tried 3 times, and never came to its end"))
        for one in found:
            one.after = one.digest if one.state == Item.State.DONE else ""
    return found


def _stands(of: Rule) -> None:
    row = make.repository(of.target, "mirror/library/golang")
    for number, seen in enumerate(("same", "moved", "")):
        tag = f"1.24.{number}"
        built = make.image([(tag, 80 * _MEGABYTE)])
        make.put(row, built, tag)
        digest = built.row.digest
        synced(of, tag, digest=digest, seen={"same": digest, "moved": make.digest_of(b"new")}.get(seen, ""))
    make.settle(row)


def synced(of: Rule, tag: str, *, digest: str, seen: str, repository: str = "mirror/library/golang") -> Synced:
    return Synced.objects.create(
        registry=of.target,
        repository=repository,
        tag=tag,
        digest=digest,
        rule=of,
        source=of.source,
        source_repository="library/golang",
        source_tag=tag,
        upstream=digest,
        copied_at=timezone.now() - timedelta(minutes=12),
        seen=seen,
        seen_at=timezone.now(),
    )
