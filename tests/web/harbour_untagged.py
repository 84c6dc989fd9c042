"""Runs over untagged manifests for the walk: one that is planned, one that deletes, one that is over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.utils import timezone

from catalog.models import Repository
from cleanup.models import Timetable, UntaggedItem, UntaggedRun
from jobs.models import Job
from registries.models import Registry
from tests.web import furniture as make

State = UntaggedRun.State
_STAYS: Final = {"tagged": 1204, "pinned": 61, "trash": 14, "fresh": 38, "part": 2410, "attached": 77}
_WHY: Final = "no tag, index, subject, trash entry or pin reaches it"


@dataclass(frozen=True)
class Runs:
    """Each in another state."""

    planned: UntaggedRun
    under_way: UntaggedRun
    done: UntaggedRun


def build(where: Registry, edge: Registry) -> Runs:
    now = timezone.now()
    api = Repository.objects.get(registry=where, name="platform/api")
    gone = "Deleted: 38 of 41. Left alone: 2. Failed: 1. Repositories left alone: 2."
    done = run(api, State.DONE, _items(done=True), message=gone, began_at=now, ended_at=now, actor="mara")
    planned = run(
        api,
        State.PLANNED,
        _items(),
        left_alone=[
            ["odd/things", "the tag vanished cannot be read, so nobody knows what it needs: it is no JSON object"],
            ["team/a-name-that-goes-on-for-as-long-as-it-may", "it could not be listed: permission denied"],
        ],
        left_alone_count=2,
    )
    by_scans = "its storage folder is not read: /srv/edge is not there"
    row = Repository.objects.get(registry=edge, name="edge/cache")
    under_way = run(row, State.UNDER_WAY, _items(), source="catalog", source_note=by_scans, began_at=now)
    progress = {"phase": "carrying-out", "tags": [12, 41]}
    job = make.job(
        edge,
        Job.State.RUNNING,
        kind="untagged",
        title="Deleting untagged manifests of edge",
        started_at=now,
        params={"run": under_way.pk},
        progress=progress,
    )
    UntaggedRun.objects.filter(pk=under_way.pk).update(job=job)
    said = {"when": "cron", "cron": "30 4 * * *", "zone": "Asia/Seoul", "every": 0, "window": "22:00-06:00"}
    Timetable.objects.create(registry=where, work="untagged", schedule=said, next_at=now + timedelta(hours=9))
    return Runs(planned, under_way, done)


def run(of: Repository, state: UntaggedRun.State, items: list[UntaggedItem], **fields: Any) -> UntaggedRun:
    now = timezone.now()
    planned = {"planned_at": now - timedelta(hours=2), "before": now - timedelta(hours=26), "source": "folder"}
    found = {"found": sum(_STAYS.values()) + len(items), "stays": _STAYS, "frees": 4_812_646_400}
    values = {**planned, **found} if state != State.NEW else {}
    row = UntaggedRun.objects.create(registry=of.registry, state=state, **{**values, **fields})
    for position, item in enumerate(items):
        item.run, item.position, item.repository, item.pk = row, position, of, None
    UntaggedItem.objects.bulk_create(items)
    return row


def item(name: str, **fields: Any) -> UntaggedItem:
    since = timezone.now() - timedelta(days=9)
    said = {"kind": "image", "size": 81_000_000, "why": _WHY, "since": since}
    return UntaggedItem(digest=make.digest_of(name.encode()), **{**said, **fields})


def _items(*, done: bool = False) -> list[UntaggedItem]:
    state = UntaggedItem.State.DONE if done else UntaggedItem.State.PLANNED
    found = [item(f"untagged {number}", state=state) for number in range(38)]
    index = item("index", kind="index", size=0)
    part = f"only indexes list it that go too, as {index.digest}"
    found += [index, item("part", why=part), item("signature", kind="artifact", size=4_800)]
    if done:
        found[38].state, found[38].note = UntaggedItem.State.SKIPPED, "a tag points to it by now, so it stays"
        found[39].state, found[39].note = UntaggedItem.State.SKIPPED, "an index lists it that stays, so it stays"
        found[40].state, found[40].note = UntaggedItem.State.FAILED, "DELETE was answered with 500"
    return found
