"""A Dockerfile as a page shows it: cut to what that can bear."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from catalog.reads.dockerfile import Piece

_MOST_CHARACTERS: Final = 100_000
_MOST_PIECES: Final = 500


@dataclass(frozen=True, slots=True)
class Dockerfile:
    """`hidden` pieces are only in the whole file."""

    pieces: tuple[Piece, ...]
    hidden: int = 0

    @classmethod
    def of(cls, pieces: Iterable[Piece]) -> Dockerfile:
        every, left, shown = list(pieces), _MOST_CHARACTERS, []
        for piece in every[:_MOST_PIECES]:
            left -= len(piece.text)
            if left < 0:
                break
            shown.append(piece)
        return cls(tuple(shown), len(every) - len(shown))
