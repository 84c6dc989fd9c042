"""How what is stored grew: one figure a day, of one registry or of several together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from typing import Final

from django.utils import timezone

from catalog.models import StorageDay
from registries.models import Registry

DAYS: Final = 180


@dataclass(frozen=True, slots=True)
class Growth:
    """Days on which something was counted, the oldest first, with the bytes that were stored."""

    days: tuple[tuple[date, int], ...] = ()

    @property
    def is_drawn(self) -> bool:
        """One day is no growth."""
        return len(self.days) > 1

    @property
    def first(self) -> tuple[date, int]:
        return self.days[0]

    @property
    def last(self) -> tuple[date, int]:
        return self.days[-1]

    @property
    def change(self) -> int:
        """Bytes from the first day to the last; less than nothing where it shrank."""
        return self.last[1] - self.first[1]

    @property
    def shrunk(self) -> int:
        return max(0, -self.change)

    @property
    def most(self) -> int:
        return max(stored for _, stored in self.days)


def growth_of(registries: Iterable[Registry]) -> Growth:
    """Of the last `DAYS`. A registry that was not counted on a day has what it had before."""
    first = timezone.now().astimezone(UTC).date() - timedelta(days=DAYS)
    rows = StorageDay.objects.filter(registry__in=[registry.pk for registry in registries], day__gte=first)
    latest: dict[int, int] = {}
    days: dict[date, int] = {}
    for registry, day, stored in rows.order_by("day").values_list("registry", "day", "stored"):
        latest[registry] = stored
        days[day] = sum(latest.values())
    return Growth(tuple(days.items()))
