"""What a scan leaves alone because Berth itself is changing it, or has since the scan began to read."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.db.models.functions import Now

from catalog.models import Repository, Tag, Throwaway
from catalog.recording.chunks import by_number
from catalog.rows import select
from catalog.scanning.reading import BatchReading, TagReading
from registries.models import Registry

_TOGETHER: Final = 500
_OPEN: Final = "closed_at IS NULL"


def database_time() -> datetime:
    """By the one clock that all who scan and act have in common."""
    found: datetime = Registry.objects.annotate(time=Now()).values_list("time", flat=True)[:1].get()
    return found


def without_throwaways(repository: Repository, batch: BatchReading, readings: list[TagReading]) -> list[TagReading]:
    """Those of `readings` that point to no open throwaway, which is no image of the batch either."""
    hidden = {digest for (digest,) in select(Throwaway, ("digest",), "repository_id", [repository.pk], _OPEN)}
    if not hidden:
        return readings
    batch.present -= hidden
    batch.contents = {digest: content for digest, content in batch.contents.items() if digest not in hidden}
    return [reading for reading in readings if reading.digest not in hidden]


def not_acted_on(repository: Repository, readings: list[TagReading], since: datetime) -> list[TagReading]:
    """Those of `readings` whose tags Berth did not set out to change after `since`."""
    rows = Tag.objects.filter(repository=repository, acted_at__gte=since)
    acted: set[str] = set()
    for names in by_number((reading.tag for reading in readings), _TOGETHER):
        acted |= set(rows.filter(name__in=names).values_list("name", flat=True))
    return [reading for reading in readings if reading.tag not in acted]
