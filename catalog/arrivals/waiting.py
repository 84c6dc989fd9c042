"""Events that wait for those they belong to, in `catalog.models.Waiting`, and what becomes of them when none comes.

Who pushes an index pushes its children first, each by its digest; who pulls one pulls a child next; layers are
mounted one by one. Each of these is one thing that somebody did, and one entry.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Final

from django.db.models import F

from audit.models import Entry
from audit.services import record
from catalog.arrivals import counting
from catalog.arrivals.told import Told, entry_of
from catalog.models import Repository, Waiting

_KIND: Final = Waiting.Kind
_WAITS: Final = {  # for more of the same, at first
    _KIND.PUSH: timedelta(seconds=30),
    _KIND.PULL: timedelta(seconds=10),
    _KIND.MOUNT: timedelta(seconds=10),
}
_LONGEST: Final = timedelta(hours=1)
_ACTS: Final = {_KIND.PUSH: Entry.Act.PUSH, _KIND.PULL: Entry.Act.PULL, _KIND.MOUNT: Entry.Act.MOUNT}
_TOGETHER: Final = 200


def wait(kind: Waiting.Kind, told: Told, now: datetime) -> None:
    """Keep it for a while, with what waits of its kind; inside the caller's transaction."""
    name = {
        "registry": told.registry,
        "repository": told.repository,
        "kind": kind,
        "caller": told.caller,
        "digest": "" if kind == _KIND.MOUNT else told.digest,
        "from_repository": told.event.from_repository or "",
    }
    due = now + _WAITS[kind]
    values = {"told": told.claims(), "began_at": told.moment, "due_at": due, "count": 0}
    row, _ = Waiting.objects.get_or_create(**name, defaults=values)
    Waiting.objects.filter(pk=row.pk).update(count=F("count") + 1, due_at=min(due, row.began_at + _LONGEST))


def go_on(tolds: Iterable[Told], now: datetime) -> None:
    """Who pushes on, layers for one, has not come to the index yet."""
    for registry, repository, caller in {(told.registry_id, told.repository, told.caller) for told in tolds}:
        mine = Waiting.objects.filter(registry=registry, repository=repository, kind=_KIND.PUSH, caller=caller)
        mine.filter(began_at__gt=now - _LONGEST).update(due_at=now + _WAITS[_KIND.PUSH])


def fold(kind: Waiting.Kind, told: Told, digests: Collection[str]) -> None:
    """What waits of `digests`, by the same caller, was a part of what is told now."""
    mine = Waiting.objects.filter(registry=told.registry, repository=told.repository, kind=kind, caller=told.caller)
    mine.filter(digest__in=digests).delete()


def are_due(now: datetime) -> bool:
    return Waiting.objects.filter(due_at__lte=now).exists()


def end_due(now: datetime) -> int:
    """What has waited long enough becomes entries of its own; how many. Inside the caller's transaction."""
    due = list(Waiting.objects.filter(due_at__lte=now).order_by("due_at", "id")[:_TOGETHER])
    record(_entry(row, now) for row in due)
    for row in due:
        _count(row)
    Waiting.objects.filter(pk__in=[row.pk for row in due]).delete()
    return len(due)


def _count(row: Waiting) -> None:
    repository = Repository.objects.filter(registry=row.registry_id, name=row.repository).first()
    if repository is None:
        return
    if row.kind == _KIND.PULL:
        counting.count(repository, [(row.digest, row.began_at, row.count)])
    elif row.kind == _KIND.PUSH:
        counting.count_pushes(repository, [(row.began_at, row.count)])


def _entry(row: Waiting, now: datetime) -> Entry:
    kind = _KIND(row.kind)
    more = {"digest_after": "", "from_repository": row.from_repository} if kind == _KIND.MOUNT else {}
    return entry_of(row.told, _ACTS[kind], now, count=row.count, **more)
