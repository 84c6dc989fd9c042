"""The time line of a repository: which tags came, moved and went, newest first, as scans saw it.

What was there when Berth first looked has no moment: the first scan's beginnings are the end of the line, counted.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Self

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from catalog.models import Repository, TagSpan
from catalog.reads.scan_changes import Change

SIZE: Final = 50
_LONGEST_TOKEN: Final = 200
_LARGEST: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Event:
    """`span` is the one that began, or of a tag that went the one that ended; `moved_from` is the digest before."""

    when: datetime
    change: Change
    span: TagSpan
    moved_from: str = ""

    @property
    def place(self) -> _Place:
        return _Place(self.when, self.change is not Change.GONE, self.span.pk)


@dataclass(frozen=True, slots=True, order=True)
class _Place:
    """Of several that happened at once, those that began come after those that ended, since they followed them."""

    when: datetime
    began: bool
    span_id: int

    def write(self) -> str:
        text = json.dumps([self.when.isoformat(), int(self.began), self.span_id], separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def read(cls, token: str | None) -> Self | None:
        """None for no token and for a bent one."""
        if not token or len(token) > _LONGEST_TOKEN or not token.isascii():
            return None
        try:
            padded = token + "=" * (-len(token) % 4)
            text, began, pk = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
            when = parse_datetime(text)
            if when is None or timezone.is_naive(when) or began not in {0, 1} or not 0 <= int(pk) <= _LARGEST:
                return None
            return cls(when.astimezone(UTC), bool(began), int(pk))
        except (ValueError, TypeError, OverflowError, binascii.Error, RecursionError):
            return None


@dataclass(frozen=True, slots=True)
class Timeline:
    """`next` is the token of what is older; `found_at` when Berth first looked, on the last page of a line alone."""

    events: list[Event]
    next: str | None
    found_at: datetime | None


def timeline_of(repository: Repository, token: str | None) -> Timeline:
    """One page. Three queries."""
    first = TagSpan.objects.filter(repository=repository).order_by("began").values_list("began", flat=True).first()
    if first is None:
        return Timeline([], None, None)
    place = _Place.read(token)
    events = sorted([*_began(repository, first, place), *_gone(repository, place)], key=_place, reverse=True)
    more, events = len(events) > SIZE, events[:SIZE]
    return Timeline(events, events[-1].place.write() if more else None, None if more else first)


def _place(event: Event) -> _Place:
    return event.place


def _began(repository: Repository, first: datetime, place: _Place | None) -> Sequence[Event]:
    before = TagSpan.objects.filter(tag=OuterRef("tag"), ended=OuterRef("began"), began__lt=OuterRef("began"))
    spans = TagSpan.objects.filter(repository=repository, began__gt=first)
    spans = spans.annotate(moved_from=Subquery(before.values("manifest__digest")[:1]))
    found = [(span, getattr(span, "moved_from", None) or "") for span in _older(spans, "began", place)]
    return [Event(span.began, Change.MOVED if before else Change.NEW, span, before) for span, before in found]


def _gone(repository: Repository, place: _Place | None) -> Sequence[Event]:
    following = TagSpan.objects.filter(tag=OuterRef("tag"), began=OuterRef("ended"))
    spans = TagSpan.objects.filter(repository=repository, ended__isnull=False).exclude(Exists(following))
    return [Event(span.ended, Change.GONE, span) for span in _older(spans, "ended", place) if span.ended is not None]


def _older(spans: QuerySet[TagSpan], field: str, place: _Place | None) -> QuerySet[TagSpan]:
    """The newest of those that come after `place` in the line; `field` is the moment that they are in it with."""
    if place is not None:
        at_once = Q(**{field: place.when})
        if place.began == (field == "began"):
            at_once &= Q(pk__lt=place.span_id)
        elif not place.began:
            at_once = Q(pk__in=())
        spans = spans.filter(Q(**{f"{field}__lte": place.when}), Q(**{f"{field}__lt": place.when}) | at_once)
    return spans.select_related("tag", "manifest").order_by(f"-{field}", "-pk")[: SIZE + 1]
