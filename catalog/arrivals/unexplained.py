"""Changes that scans saw and nobody told of: recorded as such, with the time between which they were made.

A change is looked at a while after it was seen, when what the registry had to tell of it has surely been handled.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Any, Final

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext_noop

from audit.models import Delivery, Entry, EventStream
from audit.reads.conditions import hidden
from audit.services import record
from catalog.arrivals.changed import Change, reach, untold
from catalog.models import ChangeLook, Scan
from registries.models import Registry

GRACE: Final = timedelta(seconds=60)
MOST: Final = 2_000  # changes that one look has time for
_HELD_UP: Final = timedelta(hours=1)  # then it is looked at, whatever waits in the inbox
_LATE: Final = timedelta(minutes=5)  # a change is written some time after its moment
_SINGLY: Final = 100  # changes of one repository; beyond that they are one entry
_MANY: Final = gettext_noop("%(n)s tags; the repository's own page lists them")
SENTENCES: Final = (_MANY,)
_ACT: Final = Entry.Act


def look(now: datetime, most: int = MOST) -> None:
    """Look at what has changed since the last look, in each registry that was scanned before it.

    At about `most` changes, but always at all of one moment. The next look goes on from there.
    """
    for registry in Registry.objects.active():
        row = ChangeLook.objects.filter(registry=registry).first()
        if row is None:  # what the first scan finds has not changed
            first = Scan.objects.complete().filter(registry=registry).order_by("id").first()
            if first is not None:
                begun = first.finished_at or now
                ChangeLook.objects.get_or_create(registry=registry, defaults={"begun_at": begun, "looked_until": begun})
            continue
        until = reach(row.looked_until, now - GRACE, most)
        waiting = Delivery.objects.filter(registry_id=registry.pk, received_at__lt=min(until + GRACE, now - GRACE))
        is_held_up = now - row.looked_until >= _HELD_UP
        if until > row.looked_until and (is_held_up or not waiting.exists()):
            _look(registry, row.looked_until, until, settled=now - GRACE - _LATE)


def _look(registry: Registry, since: datetime, until: datetime, settled: datetime) -> None:
    """One after a crash writes each entry once: by its key. What is after `settled` is looked at again."""
    turn = _Turn(registry)
    entries: list[Entry] = []
    for _, changes in groupby(untold(registry, since, until), key=attrgetter("repository")):
        entries += _entries(registry, changes)
        if len(entries) >= _SINGLY:
            if not turn.record(entries):
                return
            entries = []
    if turn.record(entries):
        until = min(until, settled)
        ChangeLook.objects.filter(registry=registry, looked_until__lt=until).update(looked_until=until)


class _Turn:
    """Of two looks at once at a registry, the one that is first to record something goes on, and the other is over.

    What the other has read by then may have become an entry, or one of the many that an entry counts.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        with transaction.atomic():
            self._lock()
            self._last = self._newest()

    def record(self, entries: Sequence[Entry]) -> bool:
        """Whether it still goes on."""
        with transaction.atomic():
            self._lock()
            later = Entry.objects.filter(act=_ACT.CHANGE, id__gt=self._last)
            if later.alias(of=hidden("registry_id")).filter(of=self._registry.pk).exists():
                return False
            if entries:
                record(entries)
                counted = sum(entry.count for entry in entries)
                EventStream.objects.filter(pk=self._registry.pk).update(unexplained=F("unexplained") + counted)
                self._last = self._newest()
        return True

    def _lock(self) -> None:
        ChangeLook.objects.select_for_update().get(registry=self._registry)

    @staticmethod
    def _newest() -> int:
        return Entry.objects.newest_first().values_list("id", flat=True).first() or 0


def _entries(registry: Registry, changes: Iterable[Change]) -> list[Entry]:
    """Those of one repository."""
    few: list[Change] = []
    count, last = 0, None
    for count, change in enumerate(changes, start=1):
        few += [change] if count <= _SINGLY else []
        last = change if last is None or change.seen.at > last.seen.at else last
    if last is None or count <= _SINGLY:
        return [_entry(registry, change) for change in few]
    of_many = {"tag": "", "digest_before": "", "digest_after": "", "count": count}
    said = _MANY % {"n": f"{count:,}"}
    return [_entry(registry, last, **of_many, key=f"changes:{last.seen.name}", detail=said)]


def _entry(registry: Registry, change: Change, **more: Any) -> Entry:
    said = {
        "key": change.seen.key,
        "tag": change.tag,
        "digest_before": change.before,
        "digest_after": change.after,
        **more,
    }
    return Entry(
        act=_ACT.CHANGE,
        source=Entry.Source.SCAN,
        outcome=Entry.Outcome.DONE,
        at=change.seen.at,
        since=change.since,
        registry=registry.name,
        registry_id=registry.pk,
        repository=change.repository,
        **said,
    )
