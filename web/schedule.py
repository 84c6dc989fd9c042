"""When the next scan of a registry begins, and what that rests on, in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from django.utils import timezone
from django.utils.translation import gettext

from catalog.models import Scan
from catalog.policy import SCAN_EVERY
from catalog.services import interval, next_after
from registries.models import Registry


@dataclass(frozen=True, slots=True)
class Schedule:
    """`held_back_by` is how long the scan took that makes the registry rest longer, None where none does."""

    at: datetime
    held_back_by: timedelta | None
    every: timedelta = SCAN_EVERY

    @classmethod
    def of(
        cls, registry: Registry, last: Scan | None, complete: Scan | None, last_event: datetime | None = None
    ) -> Self | None:
        """None for a registry that is scanned no more. `last_event`: when it last told of something."""
        if registry.retired_at is not None:
            return None
        at, every = next_after(registry, last, complete, last_event), interval(complete, last_event)
        took = max((scan.took for scan in (last, complete) if scan), default=timedelta(0))
        rests_longer = last is not None and at - min(last.started_at, timezone.now()) > every
        return cls(at, took if rests_longer else None, every)

    @property
    def minutes(self) -> int:
        return round(self.every.total_seconds() / 60)

    @property
    def is_stretched(self) -> bool:
        """Events tell what happens meanwhile."""
        return self.every > SCAN_EVERY

    @property
    def is_due(self) -> bool:
        return self.at <= timezone.now()

    @property
    def due(self) -> str:
        return due(self.at)


def due(when: datetime) -> str:
    """How long until then: `now`, `in 4 min`, `in 3 h`."""
    minutes = (when - timezone.now()).total_seconds() / 60
    if minutes < 1:
        return gettext("now")
    if minutes < 60:  # noqa: PLR2004  an hour
        return gettext("in %(n)s min") % {"n": round(minutes)}
    return gettext("in %(n)s h") % {"n": round(minutes / 60)}
