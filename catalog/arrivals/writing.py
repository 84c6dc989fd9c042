"""Writing what was read of a repository because events told of it, as a scan would write it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from django.db.models.functions import Now
from django.utils import timezone

from catalog.arrivals.reading import Found
from catalog.arrivals.told import Told
from catalog.models import Presence, Repository, Scan, Tag
from catalog.recording import presences, tags
from catalog.recording.refreshing import refresh
from catalog.rows import hold, moment
from jobs.running import Lease

_QUICK: Final = 0.02  # seconds for working out anew what lists say of a repository; where it takes longer,
_SHARE: Final = 20  # it waits for that many times as long, and meanwhile more may come
_STATE: Final = Repository.State


class Writer:
    def __init__(self, lease: Lease) -> None:
        self._lease = lease
        self._took: dict[int, float] = {}  # seconds, of repositories where it takes long
        self._due: dict[int, float] = {}  # by time.monotonic()

    def write(self, found: Found, pushes: Mapping[str, Told], now: datetime) -> None:
        """In the caller's transaction. Nothing is written of what is as it was known.

        `pushes`: what tells of the last push of an image, by its digest.
        """
        row = found.repository
        if row is None:
            return
        hold(Repository, row.pk)
        was_settled = Repository.objects.values_list("is_settled", flat=True).get(pk=row.pk)
        self._bring_back(found, row)
        changes = self._drop(found, row, now)
        touched = [str(reading.tag) for reading in found.batch.tags if not reading.is_as_known]
        changes += tags.record(
            self._lease, row, found.batch, now, since=found.since, along=lambda: _shield(row, touched)
        )
        if _date(row, pushes) or changes or found.is_new:
            self._refresh(found, row, is_settled=was_settled)

    def refresh_due(self) -> None:
        """What had to wait."""
        now = time.monotonic()
        for pk in [pk for pk, due in self._due.items() if due <= now]:
            del self._due[pk]
            self._refresh_now(pk)

    def _bring_back(self, found: Found, row: Repository) -> None:
        if row.gone_at is not None and found.batch.tags:
            Repository.objects.filter(pk=row.pk).update(gone_at=None, missed=0)

    def _drop(self, found: Found, row: Repository, now: datetime) -> tags.Changes:
        if not found.gone:
            return tags.Changes()
        live = Tag.objects.live().filter(repository=row, name__in=found.gone)
        ids = list(live.values_list("pk", flat=True))
        changes = tags.drop(row, ids, now, since=found.since) if ids else tags.Changes()
        _shield(row, list(found.gone))
        return changes

    def _refresh(self, found: Found, row: Repository, *, is_settled: bool) -> None:
        presences.leave(self._lease, row, timezone.now())
        if self._took.get(row.pk, 0.0) > _QUICK:
            self._due.setdefault(row.pk, time.monotonic() + _SHARE * self._took[row.pk])
            return
        extra = {"scanned_at": moment(timezone.now())} if found.is_new and _knows_all(row) else {}
        self._refresh_now(row.pk, is_settled=is_settled, **extra)

    def _refresh_now(self, pk: int, **settled: object) -> None:
        began = time.monotonic()
        row = Repository.objects.get(pk=pk)
        state = row.state
        if state in {_STATE.WHOLE, _STATE.EMPTY} or "scanned_at" in settled:
            state = _STATE.WHOLE if row.tag_count else _STATE.EMPTY
        refresh(self._lease, pk, state=state, **settled)
        self._took[pk] = time.monotonic() - began
        if self._took[pk] < _QUICK:
            del self._took[pk]


def _date(row: Repository, pushes: Mapping[str, Told]) -> bool:
    """An image was pushed when the last event of it says so, unless the storage folder knows of a later time."""
    rows = Presence.objects.filter(repository=row, manifest__digest__in=pushes) if pushes else Presence.objects.none()
    places = list(rows.values_list("pk", "manifest__digest"))
    for pk, digest in places:
        told = pushes[digest]
        is_told_later = {"dated_by": Presence.DatedBy.TOLD, "dated__gt": told.moment}
        mine = Presence.objects.filter(pk=pk).exclude(**is_told_later)
        mine.update(pushed_by=told.event.actor)
        later = mine.exclude(dated_by=Presence.DatedBy.PUSHED, dated__gte=told.moment)
        later.update(dated=told.moment, dated_by=Presence.DatedBy.TOLD)
    return bool(places)


def _knows_all(row: Repository) -> bool:
    """A repository that a complete scan did not list began after it: what events tell of it is all that there is."""
    return Scan.objects.complete().filter(registry_id=row.registry_id).exists()


def _shield(row: Repository, names: list[str]) -> None:
    """A scan that had read these tags before leaves them alone."""
    Tag.objects.filter(repository=row, name__in=names).update(acted_at=Now())
