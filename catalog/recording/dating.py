"""Dates of images: what a config or an annotation says, for want of the push time that no API tells."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from django.db.models import Count, F, Max, Q

from catalog.models import IndexEntry, Manifest, Presence, Repository, Tag
from catalog.models.repositories import LONG_AGO
from catalog.policy import MAX_DEPTH
from catalog.rows import execute, moment, select, table
from catalog.sums import total_bytes
from jobs.running import Lease

_INDEX: Final = ("index_id",)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def date_indexes(manifest_ids: Iterable[int]) -> set[int]:
    """Give the indexes above these manifests, and these, the date of their newest child; those that changed."""
    changed: set[int] = set()
    level = set(manifest_ids)
    if not level:
        return changed
    for _ in range(MAX_DEPTH):
        above = {index for column in ("index_id", "child_id") for (index,) in select(IndexEntry, _INDEX, column, level)}
        if not above:
            break
        dated = IndexEntry.objects.filter(index_id__in=above, child__created__isnull=False)
        newest = dated.values_list("index_id").annotate(newest=Max("child__created"))
        level = {index for index, created in newest if _date_index(index, created)}
        changed |= level
    return changed


def _date_index(index_id: int, created: datetime) -> bool:
    older = Q(created=None) | Q(created__lt=created)
    return bool(Manifest.objects.filter(older, pk=index_id).update(created=created))


def date_presences(manifest_ids: Iterable[int]) -> None:
    """Date by creation what was there when Berth first looked; a date from the future is nobody's."""
    condition = "created IS NOT NULL"
    rows = select(Manifest, ("id", "created"), "id", set(manifest_ids), condition)
    created = Presence.DatedBy.CREATED.value
    execute(
        f"UPDATE {table(Presence)} SET dated = %s, dated_by = %s WHERE manifest_id = %s AND dated_by IN (%s, %s)"  # noqa: S608  our own names
        " AND first_seen >= %s AND dated <> %s",
        [(when, created, pk, Presence.DatedBy.FOUND.value, created, when, when) for pk, when in rows],
    )


def date_by_links(newest: Mapping[int, int], now: datetime) -> None:
    """Date presences by the newest link to each, ns since 1970: the only push time that a registry keeps.

    A link from the future is a clock's mistake and says nothing; one that is older than another tag's changes nothing.
    """
    if not newest:
        return
    pushed, rows = Presence.DatedBy.PUSHED.value, []
    for pk, linked_ns in newest.items():
        linked = _EPOCH + timedelta(microseconds=linked_ns // 1000)
        if linked <= now:
            rows.append((moment(linked), pushed, pk, pushed, moment(linked)))
    execute(
        f"UPDATE {table(Presence)} SET dated = %s, dated_by = %s WHERE id = %s AND (dated_by <> %s OR dated < %s)",  # noqa: S608  our own names
        rows,
    )


def refresh(lease: Lease, repository_id: int) -> None:
    """Find a repository's newest image, when it last changed, and how much in it has a problem; write what differs.

    It last changed when an image came, or a tag moved or went.
    """
    tagged = Presence.objects.tagged().filter(repository_id=repository_id)
    by_date = tagged.order_by("-dated", "-lead_key", "-id")
    newest = by_date.for_people().first() or by_date.first()
    seen = Tag.objects.filter(repository_id=repository_id).aggregate(
        gone=Max("gone_at"),
        moved=Max("moved_at", filter=Q(moved_at__gt=F("first_seen"))),
        broken=Count("id", filter=Q(gone_at=None) & ~Q(problem="")),
    )
    moments = [time for time in (seen["gone"], seen["moved"], newest and newest.date) if time]
    values = {
        "newest_id": newest.pk if newest else None,
        "changed_at": max(moments, default=LONG_AGO),
        "pushed": total_bytes(tagged.order_by()),
        "problem_count": seen["broken"] + tagged.exclude(state=Presence.State.WHOLE).count(),
    }
    if Repository.objects.filter(pk=repository_id).values(*values).get() != values:
        with lease.writing():
            Repository.objects.filter(pk=repository_id).update(**values)
