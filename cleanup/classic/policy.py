"""What a dry run has to say before anything is removed: rules, and no more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

PART: Final = 5  # more than one in so many blobs is much


class Objection(Enum):
    MANIFESTS = "manifests"  # it removes manifests: it has --delete-untagged, wherever that is written
    IN_USE = "in-use"  # a blob that a present manifest uses, as the catalog has it
    MANY = "many"
    TRASH = "trash"  # images in the trash could not come back


FINAL: Final = frozenset({Objection.MANIFESTS, Objection.IN_USE})
"""Nobody's yes helps."""


@dataclass(frozen=True, slots=True)
class Dooming:
    """What a dry run would remove, as numbers of blobs, manifests and images of the trash."""

    marked: int
    doomed: int
    manifests: int
    in_use: int
    in_trash: int

    @property
    def leave(self) -> dict[str, int]:
        """What a person's yes allows: so much, and not more."""
        return {"doomed": self.doomed, "trash": self.in_trash}


def objections(dooming: Dooming, allowed: Mapping[str, Any]) -> list[Objection]:
    """What speaks against it, the worst first; `allowed` is what a person has said yes to."""
    found = []
    if dooming.manifests:
        found.append(Objection.MANIFESTS)
    if dooming.in_use:
        found.append(Objection.IN_USE)
    if dooming.doomed * PART > dooming.marked + dooming.doomed and dooming.doomed > _number(allowed, "doomed"):
        found.append(Objection.MANY)
    if dooming.in_trash > _number(allowed, "trash"):
        found.append(Objection.TRASH)
    return found


def _number(allowed: Mapping[str, Any], name: str) -> int:
    value = allowed.get(name, 0)
    return value if isinstance(value, int) else 0
