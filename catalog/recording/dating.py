"""Dates of images: what a config or an annotation says, for want of the push time that no API tells."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from django.db.models import F, Max, OuterRef, Q, Subquery

from catalog.models import IndexEntry, Manifest, Presence, Repository, Tag
from catalog.models.repositories import LONG_AGO
from catalog.policy import MAX_DEPTH
from catalog.recording.rows import moment, update
from catalog.sums import total_bytes
from jobs.running import Lease

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def date_indexes(manifest_ids: Iterable[int]) -> set[int]:
    """Give the indexes above these manifests, and these, the date of their newest child; those that changed."""
    changed: set[int] = set()
    level = set(manifest_ids)
    if not level:
        return changed
    for _ in range(MAX_DEPTH):
        above = Q(index_id__in=level) | Q(index_id__in=IndexEntry.objects.filter(child_id__in=level).values("index_id"))
        newest = (
            IndexEntry.objects.filter(above, child__created__isnull=False)
            .values("index_id")
            .annotate(newest=Max("child__created"))
        )
        level = {index for index, created in newest.values_list("index_id", "newest") if _date_index(index, created)}
        changed |= level
        if not level:
            break
    return changed


def _date_index(index_id: int, created: datetime) -> bool:
    older = Q(created=None) | Q(created__lt=created)
    return bool(Manifest.objects.filter(older, pk=index_id).update(created=created))


def date_presences(manifest_ids: Iterable[int]) -> None:
    """Date by creation what was there when Berth first looked; a date from the future is nobody's."""
    created = Manifest.objects.filter(pk=OuterRef("manifest_id")).values("created")[:1]
    by_creation = Q(dated_by=Presence.DatedBy.FOUND) | Q(dated_by=Presence.DatedBy.CREATED)
    ids = list(manifest_ids)
    if ids:
        Presence.objects.filter(by_creation, manifest_id__in=ids, manifest__created__lte=F("first_seen")).exclude(
            dated=F("manifest__created")
        ).update(dated=Subquery(created), dated_by=Presence.DatedBy.CREATED)


def date_by_links(newest: Mapping[int, int], now: datetime) -> None:
    """Date presences by the newest link to each, ns since 1970: the only push time that a registry keeps.

    A link from the future is a clock's mistake and says nothing; one that is older than another tag's changes nothing.
    """
    if not newest:
        return
    rows = Presence.objects.filter(pk__in=list(newest)).values_list("id", "dated", "dated_by")
    changed = []
    for pk, dated, dated_by in rows:
        linked = _EPOCH + timedelta(microseconds=newest[pk] // 1000)
        if linked <= now and (dated_by != Presence.DatedBy.PUSHED or dated < linked):
            changed.append((moment(linked), Presence.DatedBy.PUSHED.value, pk))
    update(Presence, ("dated", "dated_by"), changed)


def refresh(lease: Lease, repository_id: int) -> None:
    """Find a repository's newest image, when it last changed, and how much in it has a problem; write what differs.

    It last changed when an image came, or a tag moved or went.
    """
    tagged = Presence.objects.tagged().filter(repository_id=repository_id)
    by_date = tagged.order_by("-dated", "-lead_key", "-id")
    newest = by_date.for_people().first() or by_date.first()
    tags = Tag.objects.filter(repository_id=repository_id)
    seen = tags.aggregate(gone=Max("gone_at"), moved=Max("moved_at", filter=Q(moved_at__gt=F("first_seen"))))
    moments = [time for time in (seen["gone"], seen["moved"], newest and newest.date) if time]
    values = {
        "newest_id": newest.pk if newest else None,
        "changed_at": max(moments, default=LONG_AGO),
        "pushed": total_bytes(tagged.order_by()),
        "problem_count": tags.live().exclude(problem="").count() + tagged.exclude(state=Presence.State.WHOLE).count(),
    }
    if Repository.objects.filter(pk=repository_id).values(*values).get() != values:
        with lease.writing():
            Repository.objects.filter(pk=repository_id).update(**values)
