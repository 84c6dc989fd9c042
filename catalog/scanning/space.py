"""What takes the space of a registry, found at the end of a scan: its largest images, and those that repeat.

It reads what is tagged once, by indexes; a page reads what came of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, timedelta
from typing import Any, Final

from django.db import connection, models

from catalog.freeing import freed_by_each
from catalog.models import LargeImage, Manifest, Presence, RepeatedImage, Repository, Scan, StorageDay
from catalog.policy import MOST_BYTES
from catalog.rows import table
from jobs.running import Lease

MOST: Final = 100  # rows of each kind, of a registry
_KEPT: Final = timedelta(days=1_100)  # days
_SUMS: Final = ("repositories", "tags", "images", "pushed", "stored", "shared")
# `rows` are chosen by what the indexes of manifests say repeats at all: that is little. A size is a pusher's word, so
# it is multiplied as a number without bounds.
_REPEATED: Final = """
SELECT MIN(p.id), MAX(p.id), {times}, MAX(p.size) FROM {rows} JOIN {repository} r ON r.id = p.repository_id
WHERE p.tag_count > 0 AND r.registry_id = %s AND r.gone_at IS NULL
AND {key} IN (SELECT {column} FROM {where} GROUP BY {column} HAVING COUNT(*) > 1)
GROUP BY {key} HAVING {times} > 1 AND MAX(p.size) > 0{also}
ORDER BY MAX(p.size) * 1.0 * ({times} - 1) DESC, MIN(p.id) LIMIT %s
"""


def find_large(lease: Lease, registry_id: int) -> None:
    """Its largest tagged images, and what would be free if each alone were deleted."""
    tagged = Presence.objects.tagged().filter(repository__registry=registry_id, repository__gone_at=None)
    images = list(tagged.order_by("-size", "-pk").select_related("repository")[:MOST])
    freed = freed_by_each(registry_id, images)
    rows = [
        LargeImage(registry_id=registry_id, presence=image, size=image.size, unique=min(image.size, freed[image.pk]))
        for image in images
    ]
    _put(lease, LargeImage.objects, registry_id, rows)


def find_repeated(lease: Lease, registry_id: int) -> None:
    """What stands in several repositories: under one digest, or, as separate builds, with the same layers."""
    by = RepeatedImage.By
    found = [(by.DIGEST, *row) for row in _same_digest(registry_id)]
    found += [(by.LAYERS, *row) for row in _same_layers(registry_id)]
    rows = [
        RepeatedImage(
            registry_id=registry_id, by=way, first_id=first, last_id=last, repositories=times, size=size,
            spared=min(MOST_BYTES, size * (times - 1)),
        )
        for way, first, last, times, size in found
    ]  # fmt: skip
    _put(lease, RepeatedImage.objects, registry_id, rows)


def keep_day(scan: Scan) -> None:
    """Keep what it found as that of its day, in the transaction in which it becomes complete; nothing if it is so."""
    if scan.finished_at is None:
        return
    day, found = scan.finished_at.astimezone(UTC).date(), {name: getattr(scan, name) for name in _SUMS}
    days = StorageDay.objects.filter(registry=scan.registry_id)
    kept = days.filter(day=day).first()
    if kept is None:
        StorageDay.objects.create(registry_id=scan.registry_id, day=day, **found)
        days.filter(day__lt=day - _KEPT).delete()
    elif any(getattr(kept, name) != value for name, value in found.items()):
        days.filter(pk=kept.pk).update(**found)


def _same_digest(registry_id: int) -> list[tuple[int, int, int, int]]:
    """The keys of two presences, in how many repositories there are such, and how large they are."""
    presence = table(Presence)
    return _repeated(
        registry_id,
        rows=f"{presence} p",
        key="p.manifest_id",
        column="manifest_id",
        where=presence,
        times="COUNT(*)",
        also="",
    )


def _same_layers(registry_id: int) -> list[tuple[int, int, int, int]]:
    """The same of builds whose digests differ."""
    manifest = table(Manifest)
    return _repeated(
        registry_id,
        rows=f"{table(Presence)} p JOIN {manifest} m ON m.id = p.manifest_id",
        key="m.layers_key",
        column="layers_key",
        where=f"{manifest} WHERE NOT (layers_key = 0)",
        times="COUNT(DISTINCT p.repository_id)",
        also=" AND COUNT(DISTINCT p.manifest_id) > 1",
    )


def _repeated(registry_id: int, **parts: str) -> list[tuple[int, int, int, int]]:
    with connection.cursor() as cursor:
        cursor.execute(_REPEATED.format(repository=table(Repository), **parts), (registry_id, MOST))
        return [(first, last, times, size) for first, last, times, size in cursor.fetchall()]


def _put(lease: Lease, kept: models.Manager[Any], registry_id: int, rows: Sequence[Any]) -> None:
    """In the place of those that were found before."""
    with lease.writing():
        kept.filter(registry=registry_id).delete()
        kept.bulk_create(rows)
