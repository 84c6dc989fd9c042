"""Dates of images: what a config or an annotation says, for want of the push time that no API tells."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import F, Max, OuterRef, Q, Subquery

from catalog.models import IndexEntry, Manifest, Presence, Repository, Tag


def date_indexes(manifest_ids: Iterable[int]) -> set[int]:
    """Give the indexes that list these manifests the date of their newest child; the ids of those that changed."""
    parents = IndexEntry.objects.filter(child_id__in=list(manifest_ids)).values("index_id")
    newest = (
        IndexEntry.objects.filter(index_id__in=parents, child__created__isnull=False)
        .values("index_id")
        .annotate(newest=Max("child__created"))
    )
    changed: set[int] = set()
    for index, created in newest.values_list("index_id", "newest"):
        older = Q(created=None) | Q(created__lt=created)
        if Manifest.objects.filter(older, pk=index).update(created=created):
            changed.add(index)
    return changed


def date_presences(manifest_ids: Iterable[int]) -> None:
    """Date by creation what was there when Berth first looked; a date from the future is nobody's."""
    created = Manifest.objects.filter(pk=OuterRef("manifest_id")).values("created")[:1]
    Presence.objects.filter(
        manifest_id__in=list(manifest_ids),
        dated_by=Presence.DatedBy.FOUND,
        manifest__created__lte=F("first_seen"),
    ).update(dated=Subquery(created), dated_by=Presence.DatedBy.CREATED)


def refresh_newest(repository_id: int) -> None:
    """Find a repository's newest image and when it last changed: an image came, a tag moved or went."""
    tagged = Presence.objects.tagged().filter(repository_id=repository_id).order_by("-dated", "-id")
    newest = tagged.for_people().first() or tagged.first()
    seen = Tag.objects.filter(repository_id=repository_id).aggregate(
        gone=Max("gone_at"), moved=Max("moved_at", filter=Q(moved_at__gt=F("first_seen")))
    )
    moments = [moment for moment in (seen["gone"], seen["moved"], newest and newest.date) if moment]
    values = {"newest_id": newest.pk if newest else None, "changed_at": max(moments, default=None)}
    if Repository.objects.filter(pk=repository_id).values("newest_id", "changed_at").get() != values:
        Repository.objects.filter(pk=repository_id).update(**values)
