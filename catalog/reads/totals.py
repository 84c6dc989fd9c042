"""The figures of one or more registries, as their newest complete scans found them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from catalog.models import Scan
from registries.models import Registry


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums; `as_of` is the end of the oldest scan in them."""

    repositories: int
    tags: int
    images: int
    stored: int
    pushed: int
    as_of: datetime | None

    @property
    def saved(self) -> int:
        """Bytes that shared layers save."""
        return max(0, self.pushed - self.stored)


def totals_of(registries: Iterable[Registry]) -> Totals | None:
    """None while none of them was scanned to the end."""
    scans = list(Scan.objects.newest_complete_of(registries))
    if not scans:
        return None
    return Totals(
        repositories=sum(scan.repositories for scan in scans),
        tags=sum(scan.tags for scan in scans),
        images=sum(scan.images for scan in scans),
        stored=sum(scan.stored for scan in scans),
        pushed=sum(scan.pushed for scan in scans),
        as_of=min((scan.finished_at for scan in scans if scan.finished_at), default=None),
    )
