"""The bytes of a repository that add up, as far as a scan has counted them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from catalog.models import LargeImage, Repository, Scan


@dataclass(frozen=True, slots=True)
class RepositoryBytes:
    """`as_of` is when it was counted what each repository has alone; pushed = unique + shared + saved."""

    repository: Repository
    as_of: datetime | None

    @property
    def is_counted(self) -> bool:
        """Of one that came since then nobody knows what it has alone."""
        return self.as_of is not None and self.repository.first_seen <= self.as_of

    @property
    def unique(self) -> int:
        """It may have lost bytes since they were counted."""
        return min(self.repository.unique, self.repository.size)

    @property
    def shared(self) -> int:
        return self.repository.size - self.unique

    @property
    def saved(self) -> int:
        return max(0, self.repository.pushed - self.repository.size)


def counted_at(scan: Scan | None) -> datetime | None:
    """When the last complete scan of a registry ended, if it counted that; one of an older Berth did not."""
    if scan is None or not LargeImage.objects.filter(registry=scan.registry_id).exists():
        return None
    return scan.finished_at
