"""The places of a level as its treemap and the list beside it show them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext, ngettext

from catalog.models import Scan
from catalog.reads.storage_levels import Level, Piece
from registries.models import Registry
from web.storage.treemap import Box, boxes
from web.templatetags.berth import number, size

_LEAST: Final = 0.004  # of all: a smaller box is seen by nobody, and stands in the list
_LETTER: Final = 0.95  # percent of the drawing's width that a letter takes on a wide screen
_MARGINS: Final = 2.6  # the same of what stands free beside a name
_NAMED: Final = (8.5, 7.0)  # percent: a box that is narrower or lower has no name in it
_TWO_LINES: Final = 15.0  # percent of the height
_ON_PHONES: Final = 20.0  # percent of the width


@dataclass(frozen=True, slots=True)
class Place:
    """`kind`: "namespace", "repository", "registry", "others" or "shared"; `piece` is None for the last two."""

    kind: str
    name: str
    href: str
    unique: int
    piece: Piece | None = None

    @property
    def told(self) -> str:
        """In one line, as a pointer that rests on it is told."""
        if self.kind == "shared":
            return gettext("%(size)s that several use") % {"size": size(self.unique)}
        return gettext("%(name)s: %(size)s only here") % {"name": self.name, "size": size(self.unique)}


@dataclass(frozen=True, slots=True)
class Cell:
    """A place in the treemap; `x` to `height` are as SVG takes them."""

    place: Place
    x: str
    y: str
    width: str
    height: str
    label: str  # "" where there is no room
    has_size: bool
    is_wide: bool  # so that the label fits on a phone

    @classmethod
    def of(cls, place: Place, box: Box) -> Cell:
        fits = box.width >= _NAMED[0] and box.height >= _NAMED[1]
        return cls(
            place,
            x=f"{box.x:.2f}%",
            y=f"{box.y:.2f}%",
            width=f"{box.width:.2f}%",
            height=f"{box.height:.2f}%",
            label=_cut(place.name, int((box.width - _MARGINS) / _LETTER)) if fits else "",
            has_size=box.height >= _TWO_LINES,
            is_wide=box.width >= _ON_PHONES,
        )


def _cut(name: str, letters: int) -> str:
    return name if len(name) <= letters else f"{name[: letters - 1]}…"


def places_of(registry: Registry, namespace: str, level: Level, stored: int) -> list[Place]:
    """The pieces, the others together, and what several share of the bytes that are `stored` in all."""
    here = reverse("storage-registry", args=[registry.name])
    listed = reverse("storage-repositories", args=[registry.name])
    asked = f"?{urlencode({'namespace': namespace})}" if namespace else ""
    found = [_place(piece, registry, here, namespace) for piece in level.pieces]
    if level.others:
        name = ngettext("%(all)s other", "%(all)s others", level.others) % {"all": number(level.others)}
        found.append(Place("others", name, listed + asked, level.others_unique))
    if (shared := stored - level.unique) > 0:
        name = gettext("Used by several")
        found.append(Place("shared", name, reverse("storage-repeated", args=[registry.name]), shared))
    return found


def _place(piece: Piece, registry: Registry, here: str, namespace: str) -> Place:
    if piece.is_namespace:
        href = f"{here}?{urlencode({'namespace': piece.path})}"
        return Place("namespace", f"{piece.path.removeprefix(f'{namespace}/')}/", href, piece.unique, piece)
    href = reverse("repository", args=[registry.name, piece.path])
    return Place("repository", piece.path.removeprefix(f"{namespace}/"), href, piece.unique, piece)


def registries_as_places(scans: Sequence[Scan]) -> list[Place]:
    """Whole registries: what one stores no other does."""
    found = []
    for scan in sorted(scans, key=lambda scan: -scan.stored):
        name = scan.registry.name
        piece = Piece(name, False, scan.stored, scan.stored, scan.pushed, scan.repositories)  # noqa: FBT003  none
        found.append(Place("registry", name, reverse("storage-registry", args=[name]), scan.stored, piece))
    return found


def cells_of(places: Sequence[Place]) -> list[Cell]:
    """Of those that can be seen, the largest first."""
    total = sum(place.unique for place in places)
    seen = sorted((place for place in places if place.unique > _LEAST * total), key=lambda place: -place.unique)
    return [Cell.of(place, box) for place, box in zip(seen, boxes([place.unique for place in seen]), strict=True)]
