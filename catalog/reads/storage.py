"""What a registry uses on its disk, its repositories by their bytes, its largest images, and those that repeat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.db.models import QuerySet

from catalog.models import LargeImage, RepeatedImage, Repository, Scan
from catalog.models.repositories import RepositoryQuerySet
from catalog.reads.keyset import Column, Order, Page, paged
from catalog.sort_keys import name_key
from registries.models import Registry, for_asking

REPOSITORIES: Final = {
    "unique": Column("unique", int, largest_first=True),
    "size": Column("size", int, largest_first=True),
    "tags": Column("tag_count", int, largest_first=True),
    "name": Column("name_key", bytes),
}
IMAGES: Final = {
    "size": Column("size", int, largest_first=True),
    "unique": Column("unique", int, largest_first=True),
}
REPEATED: Final = {
    "spared": Column("spared", int, largest_first=True),
    "repositories": Column("repositories", int, largest_first=True),
    "size": Column("size", int, largest_first=True),
}


@dataclass(frozen=True, slots=True)
class Disk:
    """What `scan` found in the storage folder: it counts there seldom, and so it may be older than all else."""

    scan: Scan

    @property
    def beside(self) -> int:
        """Bytes of blobs that no tagged image uses, and of manifests, which are blobs on a disk."""
        return max(0, (self.scan.disk_bytes or 0) - self.scan.stored)


def disk_of(registry: Registry) -> Disk | None:
    """None where no scan has looked."""
    scan = Scan.objects.complete().filter(registry=registry, disk_bytes__gte=0).newest_first().first()
    return Disk(scan) if scan else None


def repositories_of(registry: Registry, namespace: str, *, nearly_all: bool = False) -> RepositoryQuerySet:
    """Those of a namespace and of all below it, "" for all; for `nearly_all` see `RepositoryQuerySet.of`."""
    rows = Repository.objects.live().of([registry], nearly_all=nearly_all)
    return rows.in_namespace(namespace) if namespace else rows


def large_images(registry: Registry, namespace: str, order: Order, token: str | None) -> Page[LargeImage]:
    """Of the largest that the last scan found, those in a namespace that are still there. Two queries."""
    rows = LargeImage.objects.filter(registry=registry, presence__tag_count__gt=0, presence__repository__gone_at=None)
    if namespace:
        first = name_key(f"{namespace}/")
        rows = rows.filter(
            presence__repository__name_key__gte=first, presence__repository__name_key__lt=first + b"\xff"
        )
    return paged(rows, order, token, whole=_with_image)


def repeated_images(registry: Registry, order: Order, token: str | None) -> Page[RepeatedImage]:
    """Two queries."""
    rows = RepeatedImage.objects.filter(
        registry=registry, first__tag_count__gt=0, last__tag_count__gt=0,
        first__repository__gone_at=None, last__repository__gone_at=None,
    )  # fmt: skip
    return paged(rows, order, token, whole=_with_both)


def _with_image(rows: QuerySet[LargeImage]) -> QuerySet[LargeImage]:
    return rows.select_related("presence__manifest", "presence__repository__registry").defer(*_unshown("presence"))


def _with_both(rows: QuerySet[RepeatedImage]) -> QuerySet[RepeatedImage]:
    joined = rows.select_related("first__manifest", "first__repository__registry", "last__repository__registry")
    return joined.defer(*_unshown("first"), *_unshown("last"))


def _unshown(presence: str) -> list[str]:
    """Of its registry how it is asked."""
    return for_asking(f"{presence}__repository__registry")
