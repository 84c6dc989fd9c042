"""The bar of layers: one SVG, width for size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from catalog.reads.history import Layer

_WIDTH: Final = 1000.0
_GAP: Final = 3.0
_LEAST: Final = 8.0  # a width that can still be seen and hit
_MOST: Final = 60  # segments; the layers after them share one


@dataclass(frozen=True, slots=True)
class Segment:
    """`layer` is None for the one that stands for all the rest."""

    layer: Layer | None
    x: str
    width: str


@dataclass(frozen=True, slots=True)
class LayersBar:
    segments: tuple[Segment, ...]
    rest: int  # layers in the last segment

    @classmethod
    def of(cls, layers: Sequence[Layer], more: int) -> LayersBar:
        """`more`: layers that exist and are not in `layers`."""
        shown, rest = list(layers[:_MOST]), max(0, len(layers) - _MOST) + more
        sizes = [layer.size for layer in shown] + ([sum(layer.size for layer in layers[_MOST:])] if rest else [])
        widths = _widths(sizes)
        segments, x = [], 0.0
        for layer, width in zip([*shown, *([None] if rest else [])], widths, strict=True):
            segments.append(Segment(layer, f"{x:.1f}", f"{width:.1f}"))
            x += width + _GAP
        return cls(tuple(segments), rest)


def _widths(sizes: Sequence[int]) -> list[float]:
    """In proportion, none under `_LEAST`; together with the gaps they fill the bar."""
    room = _WIDTH - _GAP * max(0, len(sizes) - 1)
    total = sum(sizes)
    spare = room - _LEAST * len(sizes)
    return [_LEAST + spare * (size / total if total else 1 / len(sizes)) for size in sizes]
