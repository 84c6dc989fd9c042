"""A treemap: rectangles side by side whose areas are as sizes are, each as square as it can be.

By Bruls, Huizing and van Wijk, "Squarified Treemaps" (2000): rows along the shorter side of the room that is left.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

_ASPECT: Final = 2.4  # of the drawing, as wide screens show it: width by height
_LEAST: Final = 1e-5  # of all: less than that the rounding of numbers eats


@dataclass(frozen=True, slots=True)
class Box:
    """Percent of the drawing's width and height."""

    x: float
    y: float
    width: float
    height: float


def boxes(sizes: Sequence[int]) -> list[Box]:
    """One for each of `sizes`, which are above 0 and fall, in their order; what is too small to see is drawn larger."""
    shares = [max(_LEAST, size / sum(sizes)) for size in sizes]
    room = Box(0.0, 0.0, _ASPECT, 1.0)
    found: list[Box] = []
    areas = [_ASPECT * share / sum(shares) for share in shares]
    while areas:
        row = _row(areas, min(room.width, room.height))
        placed, room = _place(row, room)
        found += placed
        areas = areas[len(row) :]
    return [Box(100 * b.x / _ASPECT, 100 * b.y, 100 * b.width / _ASPECT, 100 * b.height) for b in found]


def _row(areas: Sequence[float], side: float) -> list[float]:
    """The first of `areas` that together stand best along `side`."""
    row = [areas[0]]
    for area in areas[1:]:
        if _worst([*row, area], side) > _worst(row, side):
            break
        row.append(area)
    return row


def _worst(row: Sequence[float], side: float) -> float:
    """How long the one is that is least like a square."""
    depth = sum(row) / side
    return max(max(area / depth**2, depth**2 / area) for area in (row[0], row[-1]))


def _place(row: Sequence[float], room: Box) -> tuple[list[Box], Box]:
    """The boxes of a row at the left or the top of the room, and the room that is left."""
    if room.width >= room.height:
        depth = min(room.width, sum(row) / room.height)
        placed = [Box(room.x, y, depth, height) for y, height in _steps(room.y, [area / depth for area in row])]
        return placed, Box(room.x + depth, room.y, max(0.0, room.width - depth), room.height)
    depth = min(room.height, sum(row) / room.width)
    placed = [Box(x, room.y, width, depth) for x, width in _steps(room.x, [area / depth for area in row])]
    return placed, Box(room.x, room.y + depth, room.width, max(0.0, room.height - depth))


def _steps(start: float, lengths: Sequence[float]) -> Iterator[tuple[float, float]]:
    for length in lengths:
        yield start, length
        start += length
