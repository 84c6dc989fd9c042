"""What each retention policy would free, by its newest plan."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from registries.models import Registry


@dataclass(frozen=True, slots=True)
class Freeing:
    """What the plan of one policy says, and when it was made."""

    policy: str
    href: str
    tags: int
    size: int  # bytes
    as_of: datetime


def freeings_of(_registries: Iterable[Registry]) -> list[Freeing]:
    """None while no policy has a plan."""
    return []
