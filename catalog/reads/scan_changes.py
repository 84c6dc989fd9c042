"""What one scan changed: the tags that came, moved and went, told from the spans that began and ended in its time.

Nothing is stored for it: two scans of a registry never overlap, and nobody else writes the spans of its tags. A tag
that never could be read has no span, so it is counted by its scan and listed nowhere here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Self

from django.db.models import BooleanField, Exists, ExpressionWrapper, OuterRef, Q, QuerySet, Subquery

from catalog.models import Repository, Scan, TagSpan
from catalog.reads.keyset import CAP, Column, Order, Page, paged
from registries.models import for_asking


class Change(StrEnum):
    NEW = "new"
    MOVED = "moved"
    GONE = "gone"


# As they were read: repository by repository, in each the tags in order.
_BY_BEGINNING: Final = Order("began", Column("began", datetime), descending=False)
_BY_END: Final = Order("ended", Column("ended", datetime), descending=False)


@dataclass(frozen=True, slots=True)
class Interval:
    """The time in which a scan wrote, both ends included; `until` is None while it may still write."""

    since: datetime
    until: datetime | None

    @classmethod
    def of(cls, scan: Scan) -> Self:
        """Of one that was killed nobody knows the end; it lies before the next one began."""
        if scan.finished_at is not None and scan.finished_at > scan.started_at:
            return cls(scan.started_at, scan.finished_at)
        later = Scan.objects.filter(registry_id=scan.registry_id, pk__gt=scan.pk).order_by("id")
        return cls(scan.started_at, later.values_list("started_at", flat=True).first())

    def holds(self, field: str) -> Q:
        within = Q(**{f"{field}__gte": self.since})
        return within if self.until is None else within & Q(**{f"{field}__lte": self.until})


def changes(scan: Scan, change: Change, token: str | None = None) -> Page[TagSpan]:
    """One page of the tags that `scan` changed so, each the span that began, or that ended, with it.

    A span that moved has `moved_from`, the digest before; a new one has `is_back`, whether its tag had been there once.
    """
    order = _BY_END if change is Change.GONE else _BY_BEGINNING
    page = paged(_spans(scan, change), order, token, whole=_moved if change is Change.MOVED else _whole)
    if change is Change.NEW:
        for span in page.rows:
            span.is_back = span.tag.first_seen < scan.started_at  # type: ignore[attr-defined]
    return page


def _whole(spans: QuerySet[TagSpan]) -> QuerySet[TagSpan]:
    return spans.select_related("manifest", "tag__repository__registry").defer(*for_asking("tag__repository__registry"))


def _moved(spans: QuerySet[TagSpan]) -> QuerySet[TagSpan]:
    return _whole(spans).annotate(moved_from=Subquery(_before().values("manifest__digest")[:1]))


def _spans(scan: Scan, change: Change) -> QuerySet[TagSpan]:
    interval = Interval.of(scan)
    # Asked of each span: it has many more repositories than a scan changes, and no database may begin with them.
    # Nor that few fit: as a yes or no of its own nobody guesses that, and they are read in their order.
    repository = Repository.objects.filter(pk=OuterRef("repository"))
    is_here = repository.values(is_here=ExpressionWrapper(Q(registry=scan.registry_id), BooleanField()))
    of_registry = TagSpan.objects.filter(Subquery(is_here))
    if change is Change.GONE:
        following = TagSpan.objects.filter(tag=OuterRef("tag"), began=OuterRef("ended"))
        return of_registry.filter(interval.holds("ended")).exclude(Exists(following))
    began = of_registry.filter(interval.holds("began"))
    return began.exclude(Exists(_before())) if change is Change.NEW else began.filter(Exists(_before()))


def _before() -> QuerySet[TagSpan]:
    """Of a span the one before it. That it began earlier goes without saying, and leads to it by its tag."""
    return TagSpan.objects.filter(tag=OuterRef("tag"), began__lt=OuterRef("began"), ended=OuterRef("began"))


@dataclass(frozen=True, slots=True)
class Counted:
    """How many; `is_capped` where it is at least that."""

    count: int
    is_capped: bool = False


def count_changes(scan: Scan) -> dict[Change, Counted]:
    """As the scan counted them at its end; of one that did not come to it, as its spans tell."""
    if scan.complete:
        counted = {Change.NEW: scan.new_tags, Change.MOVED: scan.moved_tags, Change.GONE: scan.gone_tags}
        return {change: Counted(count) for change, count in counted.items()}
    found = {change: _spans(scan, change)[: CAP + 1].count() for change in Change}
    return {change: Counted(min(count, CAP), count > CAP) for change, count in found.items()}


def is_first_reading(scan: Scan) -> bool:
    """Everything was new to it, since nothing had been read before: a list of that says nothing."""
    if not scan.complete or not 0 < scan.tags <= scan.new_tags:
        return False
    return not Scan.objects.complete().filter(registry_id=scan.registry_id, pk__lt=scan.pk).exists()
