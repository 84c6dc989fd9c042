"""The bar of bytes that add up: what is used here alone, what elsewhere too, and what shared layers save."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

_LEAST: Final = 1.2  # percent: a part that is there can be seen
_NAMES: Final = ("unique", "shared", "saved")


class Parts(Protocol):
    """Bytes; pushed = unique + shared + saved."""

    @property
    def unique(self) -> int: ...
    @property
    def shared(self) -> int: ...
    @property
    def saved(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Stratum:
    """A part that is there; `x` and `width` are percent of the bar, as SVG takes them."""

    name: str
    x: str
    width: str


def strata_of(parts: Parts, whole: int) -> list[Stratum]:
    """The parts in a bar that is `whole` bytes wide; none where there is nothing."""
    sizes = {name: max(0, getattr(parts, name)) for name in _NAMES}
    whole = max(whole, sum(sizes.values()))
    widths = {name: max(_LEAST, 100 * size / whole) for name, size in sizes.items() if size}
    too_wide = sum(widths.values()) / 100
    found, x = [], 0.0
    for name, width in widths.items():
        fitting = width / too_wide if too_wide > 1 else width
        found.append(Stratum(name, f"{x:.2f}%", f"{fitting:.2f}%"))
        x += fitting
    return found
