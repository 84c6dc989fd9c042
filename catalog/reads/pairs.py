"""Names and values of a stranger, cut to what a page can bear."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

MOST_PAIRS: Final = 100  # of labels, variables, annotations
_LONGEST_VALUE: Final = 1_000
_LONGEST_KEY: Final = 200


@dataclass(frozen=True, slots=True)
class Cut:
    """A text of a stranger, cut; `hidden` characters are left out."""

    text: str
    hidden: int = 0

    @classmethod
    def of(cls, text: str, most: int) -> Cut:
        return cls(text[:most], max(0, len(text) - most))


@dataclass(frozen=True, slots=True)
class Pairs:
    """Names and values, cut; `more` are not shown."""

    shown: tuple[tuple[Cut, Cut], ...] = ()
    more: int = 0

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, str]], most: int = MOST_PAIRS) -> Pairs:
        every = list(pairs)
        shown = tuple((Cut.of(k, _LONGEST_KEY), Cut.of(v, _LONGEST_VALUE)) for k, v in every[:most])
        return cls(shown, max(0, len(every) - most))

    @property
    def count(self) -> int:
        return len(self.shown) + self.more


NO_PAIRS: Final = Pairs()
