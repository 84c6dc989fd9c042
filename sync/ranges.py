"""Ranges of versions, as package managers write them: `>=1.22 <2`, `^1.4`, `~1.27.3`, `1.x`, `1.2 - 1.4 || 3`. Pure.

The grammar is node-semver's ("Ranges"), with `!=` and the comma of Masterminds/semver, which regsync and skopeo read.
They are of the numbers alone: `1.27.3-alpine` is as new as `1.27.3`. What is missing at the end of a version is zero,
and at the end of a bound anything: `1.2` holds `1.2.9`, and `>1.2` begins with `1.3`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import zip_longest
from typing import Final, Self, TypeAlias

from catalog.versions import Version

Numbers: TypeAlias = tuple[int, ...]

_LONGEST: Final = 200  # characters
_COMPARATOR: Final = re.compile(
    r"(?P<sign>\^|~>?|>=|<=|>|<|!?=)?[vV]?"
    r"(?:(?P<numbers>[0-9]{1,9}(?:\.[0-9]{1,9}){0,7})(?:\.[xX*])*|[xX*](?:\.[xX*])*)",
    re.ASCII,
)
_HYPHEN: Final = re.compile(r"(\S+)\s+-\s+(\S+)", re.ASCII)
_SPACE_AFTER_SIGN: Final = re.compile(r"([\^~<>=])\s+", re.ASCII)


class InvalidRange(ValueError):  # noqa: N818  it says what is not one
    """`text` is no range of versions."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


@dataclass(frozen=True, slots=True)
class _Bounds:
    """`least` belongs to it, `below` does not; None is no bound. `outside`: what they do not hold."""

    least: Numbers | None = None
    below: Numbers | None = None
    outside: bool = False

    def hold(self, numbers: Numbers) -> bool:
        is_between = (self.least is None or _compare(numbers, self.least) >= 0) and (
            self.below is None or _compare(numbers, self.below) < 0
        )
        return is_between is not self.outside


@dataclass(frozen=True, slots=True)
class Range:
    """Any of `alternatives`, of each of which all bounds hold."""

    alternatives: tuple[tuple[_Bounds, ...], ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises InvalidRange."""
        if len(text) > _LONGEST or not text.strip():
            raise InvalidRange(text[:_LONGEST])
        return cls(tuple(_all_of(part, text) for part in text.split("||")))

    def holds(self, version: Version) -> bool:
        numbers = tuple(map(int, version.numbers))
        return any(all(bounds.hold(numbers) for bounds in every) for every in self.alternatives)


def _all_of(part: str, text: str) -> tuple[_Bounds, ...]:
    if hyphen := _HYPHEN.fullmatch(part.strip()):
        return _bounds(f">={hyphen[1]}", text), _bounds(f"<={hyphen[2]}", text)
    words = _SPACE_AFTER_SIGN.sub(r"\1", part).replace(",", " ").split()
    if not words:
        raise InvalidRange(text)
    return tuple(_bounds(word, text) for word in words)


def _bounds(word: str, text: str) -> _Bounds:
    match = _COMPARATOR.fullmatch(word)
    if match is None:
        raise InvalidRange(text)
    sign = match["sign"] or ""
    if not match["numbers"]:
        return _Bounds(outside=sign in {">", "<", "!="})  # nothing is more, or less, than anything
    return _of_sign(sign, tuple(map(int, match["numbers"].split("."))))


def _of_sign(sign: str, numbers: Numbers) -> _Bounds:
    match sign:
        case "^":
            # Up to the next change of the first number that is not zero (node-semver, "Caret Ranges").
            first = next((place for place, number in enumerate(numbers) if number), len(numbers) - 1)
            bounds = _Bounds(numbers, _next(numbers[: first + 1]))
        case "~" | "~>":
            bounds = _Bounds(numbers, _next(numbers[:2]))
        case "" | "=" | "!=":
            bounds = _Bounds(numbers, _next(numbers), outside=sign == "!=")
        case _:
            edge = numbers if sign in {">=", "<"} else _next(numbers)
            bounds = _Bounds(least=edge) if sign.startswith(">") else _Bounds(below=edge)
    return bounds


def _next(numbers: Numbers) -> Numbers:
    """The first version behind all that begin with these."""
    return (*numbers[:-1], numbers[-1] + 1)


def _compare(one: Numbers, other: Numbers) -> int:
    for mine, yours in zip_longest(one, other, fillvalue=0):
        if mine != yours:
            return 1 if mine > yours else -1
    return 0
