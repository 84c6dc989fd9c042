"""The totals of a registry as a scan found them at its end."""

from __future__ import annotations

from typing import Any, Final

from django.db.models import Count, F, Q, QuerySet, Sum

from catalog.models import Blob, Presence, Repository, RepositoryBlob, Scan
from catalog.policy import MOST_BYTES

_HALF: Final = 2**20


def count(scan: Scan) -> None:
    """Fill in what stands in the catalog now; saves nothing."""
    live = Repository.objects.live().filter(registry_id=scan.registry_id)
    totals = live.aggregate(
        repositories=Count("id"),
        failed=Count("id", filter=Q(state=Repository.State.FAILED)),
        tags=Sum("tag_count", default=0),
        images=Sum("image_count", default=0),
    )
    scan.repositories, scan.failed_repositories = totals["repositories"], totals["failed"]
    scan.tags, scan.images = totals["tags"], totals["images"]
    scan.pushed = _bytes(Presence.objects.tagged().filter(repository__registry_id=scan.registry_id))
    used = RepositoryBlob.objects.filter(repository__registry_id=scan.registry_id).values("blob_id")
    scan.stored = _bytes(Blob.objects.filter(pk__in=used))


def _bytes(rows: QuerySet[Any]) -> int:
    """The exact sum of their sizes, at most `MOST_BYTES`: in two halves, since a pusher chooses the sizes."""
    halves = rows.aggregate(high=Sum(F("size") / _HALF, default=0), low=Sum(F("size") % _HALF, default=0))
    return min(MOST_BYTES, int(halves["high"]) * _HALF + int(halves["low"]))
