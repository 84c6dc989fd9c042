"""The line of what is stored, day by day: the points of an SVG that is stretched to its place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from catalog.reads.growth import Growth

WIDTH: Final = 300
HEIGHT: Final = 100
_TOP: Final = 6  # above the highest point
_MOST: Final = 90  # points: more are no wider than the line


@dataclass(frozen=True, slots=True)
class GrowthLine:
    """`line` is a path through the points, `area` what lies below it."""

    line: str
    area: str

    @classmethod
    def of(cls, growth: Growth) -> GrowthLine:
        """The floor is nothing stored, so that a small change looks small. Of a growth that is drawn."""
        (first, _), (last, _) = growth.first, growth.last
        span, most = (last - first).days or 1, growth.most or 1
        step = -(-len(growth.days) // _MOST)
        shown = [*growth.days[:-1:step], growth.last]
        points = [
            f"{WIDTH * (day - first).days / span:.0f} {HEIGHT - (HEIGHT - _TOP) * stored / most:.0f}"
            for day, stored in shown
        ]
        line = "M" + "L".join(points)
        return cls(line, f"{line}V{HEIGHT}H0Z")
