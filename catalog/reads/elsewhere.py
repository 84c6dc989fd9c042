"""Other repositories, of this registry and of others, that hold the very same manifest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from catalog.models import Presence

MOST: Final = 20
CAP: Final = 100  # that are counted


@dataclass(frozen=True, slots=True)
class Place:
    registry: str
    repository: str
    tag: str  # the one that leads there; "" where only an index reaches it
    tag_count: int


@dataclass(frozen=True, slots=True)
class Places:
    """`count` stops at CAP."""

    shown: tuple[Place, ...] = ()
    count: int = 0

    @property
    def is_capped(self) -> bool:
        return self.count > CAP

    @property
    def more(self) -> int:
        return min(self.count, CAP) - len(self.shown)


def places_of(presence: Presence) -> Places:
    """One query, whose cost is bounded however many there are; those of the same registry first."""
    others = (
        Presence.objects.present()
        .filter(manifest=presence.manifest_id, repository__gone_at=None, repository__registry__retired_at=None)
        .exclude(pk=presence.pk)
        .order_by("pk")
        .values_list("repository__registry__name", "repository__name", "lead_tag", "tag_count")
    )
    found = [Place(*row) for row in others[: CAP + 1]]
    home = presence.repository.registry.name
    ordered = sorted(found, key=lambda place: (place.registry != home, place.registry, place.repository))
    return Places(tuple(ordered[:MOST]), len(found))
