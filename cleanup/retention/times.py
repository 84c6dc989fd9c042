"""When tags were pushed, between two moments: of what no event and no storage folder dated, scans know that much."""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from audit.models import EventStream
from catalog.models import Presence, Repository, Scan
from cleanup.retention.judging import Pushed
from registries.models import Registry

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAG: Final = timedelta(minutes=5)  # at most, from a push to when its event has taken effect
_SILENCE: Final = timedelta(hours=24)  # after which nobody knows whether events would still come
_TOLD: Final = frozenset({Presence.DatedBy.TOLD, Presence.DatedBy.PUSHED})


class Dated(NamedTuple):
    """What the catalog holds of the time of a tag: `seen` is when we saw it point where it points."""

    seen: datetime
    link_ns: int | None
    dated: datetime | None
    dated_by: str
    created: datetime | None


class _Look(NamedTuple):
    finished: datetime
    started: datetime
    is_of_watched: bool


class Times:
    """Of one registry."""

    def __init__(self, registry: Registry, now: datetime) -> None:
        self.read_at = self._now = now
        stream = EventStream.objects.filter(registry_id=registry.pk).first()
        scans = Scan.objects.complete().filter(registry=registry, finished_at__isnull=False)
        if stream is not None:
            # A repository that such a scan could not read may have had tags that an event, but no scan, would date.
            scans = scans.filter(failed_repositories=0)
        rows = scans.values_list("finished_at", "started_at", "is_of_watched").order_by("finished_at")
        self._looks = [_Look._make(row) for row in rows if row[0] is not None]
        self.pulls_since = _told_since(stream, registry, now)

    def pushed(self, tag: Dated, repository: Repository, *, uses_created: bool) -> Pushed:
        linked = None if tag.link_ns is None else _EPOCH + timedelta(microseconds=tag.link_ns // 1000)
        told = tag.dated if tag.dated_by in _TOLD and tag.dated is not None and tag.dated <= self._now else None
        if linked is not None and linked <= self._now:  # from the future it is a clock's mistake
            again = told if told and tag.dated_by == Presence.DatedBy.TOLD else linked
            return Pushed(linked, max(linked, again))
        if tag.seen > self._now:
            return Pushed()
        is_exact = told is not None and abs(tag.seen - told) <= _LAG
        if uses_created and not is_exact and tag.created is not None and tag.created <= self._now:
            return Pushed(tag.created, tag.created)
        return Pushed(told if is_exact else self._before(tag.seen, repository), max(tag.seen, told or tag.seen))

    def _before(self, seen: datetime, repository: Repository) -> datetime | None:
        """When the last scan began that ended before, and would have seen the tag; None where there was none."""
        place = bisect_right(self._looks, seen, key=lambda look: look.finished)
        look = self._looks[place - 1] if place else None
        if look is None or (look.is_of_watched and look.started < repository.first_seen):
            return None
        return look.started


def _told_since(stream: EventStream | None, registry: Registry, now: datetime) -> datetime | None:
    """From when on events have told of every pull; None where they do not, or may have stopped."""
    if stream is None or stream.last_at < now - _SILENCE:
        return None
    later = Scan.objects.filter(registry=registry, started_at__gt=stream.last_at)
    if later.filter(new_tags__gt=0).exists() or later.filter(moved_tags__gt=0).exists():
        return None  # what was pushed since, nobody told
    return stream.first_at
