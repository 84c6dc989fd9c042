"""The totals of a registry as a scan found them at its end."""

from __future__ import annotations

from django.db.models import Count, Q, Sum

from catalog.models import Blob, Presence, Repository, RepositoryBlob, Scan


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
    tagged = Presence.objects.tagged().filter(repository__registry_id=scan.registry_id)
    scan.pushed = tagged.aggregate(bytes=Sum("size", default=0))["bytes"]
    used = RepositoryBlob.objects.filter(repository__registry_id=scan.registry_id).values("blob_id")
    scan.stored = Blob.objects.filter(pk__in=used).aggregate(bytes=Sum("size", default=0))["bytes"]
