"""Work cut into pieces that fit a short transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Final, TypeVar

T = TypeVar("T")

ROWS: Final = 1_000  # written in one transaction: some tens of milliseconds


def by_weight(items: Iterable[T], weight: Callable[[T], int], most: int = ROWS) -> Iterator[list[T]]:
    """Runs of `items`, in order, that weigh at most `most` together; one that weighs more stands alone."""
    piece: list[T] = []
    heavy = 0
    for item in items:
        if piece and heavy + weight(item) > most:
            yield piece
            piece, heavy = [], 0
        piece.append(item)
        heavy += weight(item)
    if piece:
        yield piece


def by_number(items: Iterable[T], most: int = ROWS) -> Iterator[list[T]]:
    rest = iter(items)
    while piece := list(islice(rest, most)):
        yield piece
