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
# How often each is tagged, and where; a size is a pusher's word, so it is multiplied as a number without bounds.
_REPEATED: Final = """
SELECT MIN(p.id), MAX(p.id), COUNT(DISTINCT p.repository_id), MAX(p.size)
FROM {presence} p JOIN {repository} r ON r.id = p.repository_id JOIN {manifest} m ON m.id = p.manifest_id
WHERE p.tag_count > 0 AND p.size > 0 AND r.registry_id = %s AND r.gone_at IS NULL AND {condition}
GROUP BY {key} HAVING COUNT(DISTINCT p.repository_id) > 1 AND {differ}
ORDER BY MAX(p.size) * 1.0 * (COUNT(DISTINCT p.repository_id) - 1) DESC, MIN(p.id) LIMIT %s
"""


def find_large(lease: Lease, registry_id: int) -> None:
    """Its largest tagged images, and what would be free if each alone were deleted."""
    tagged = Presence.objects.tagged().filter(repository__registry=registry_id, repository__gone_at=None)
    images = list(tagged.order_by("-size", "-pk").select_related("repository")[:MOST])
    own = freed_by_each(registry_id, images)
    rows = [
        LargeImage(registry_id=registry_id, presence=image, size=image.size, own=min(image.size, own[image.pk]))
        for image in images
    ]
    _put(lease, LargeImage.objects, registry_id, rows)


def find_repeated(lease: Lease, registry_id: int) -> None:
    """What stands in several repositories: under one digest, or, as separate builds, with the same layers."""
    by = RepeatedImage.By
    ways = (
        (by.DIGEST, "p.manifest_id", "1 = 1", "1 = 1"),
        (by.LAYERS, "m.layers_key", "m.layers_key <> 0", "COUNT(DISTINCT p.manifest_id) > 1"),
    )
    found = [
        (way, *row) for way, key, condition, differ in ways for row in _repeated(registry_id, key, condition, differ)
    ]
    rows = [
        RepeatedImage(
            registry_id=registry_id, by=way, first_id=first, last_id=last, repositories=repositories, size=size,
            spared=min(MOST_BYTES, size * (repositories - 1)),
        )
        for way, first, last, repositories, size in found
    ]  # fmt: skip
    _put(lease, RepeatedImage.objects, registry_id, rows)


def keep_day(scan: Scan) -> None:
    """Keep what it found as that of its day, in the transaction in which it becomes complete."""
    if scan.finished_at is None:
        return
    day = scan.finished_at.astimezone(UTC).date()
    days = StorageDay.objects.filter(registry=scan.registry_id)
    days.update_or_create(registry_id=scan.registry_id, day=day, defaults={n: getattr(scan, n) for n in _SUMS})
    days.filter(day__lt=day - _KEPT).delete()


def _repeated(registry_id: int, key: str, condition: str, differ: str) -> list[tuple[int, int, int, int]]:
    statement = _REPEATED.format(
        presence=table(Presence), repository=table(Repository), manifest=table(Manifest),
        key=key, condition=condition, differ=differ,
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(statement, (registry_id, MOST))
        return cursor.fetchall()


def _put(lease: Lease, kept: models.Manager[Any], registry_id: int, rows: Sequence[Any]) -> None:
    """In the place of those that were found before."""
    with lease.writing():
        kept.filter(registry=registry_id).delete()
        kept.bulk_create(rows)
