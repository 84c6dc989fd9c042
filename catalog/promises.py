"""What a tag promises, as far as its name tells: whether it stays where it points, and what it names today. Pure.

A registry forbids nobody to move any tag: a promise is a habit of people, and the digest alone never moves.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from catalog.policy import lead_of

_NUMBERS: Final = re.compile(
    r"(?P<start>v?)(?P<numbers>[0-9]{1,9}(?:\.[0-9]{1,9}){0,3})(?P<suffix>[-_][A-Za-z0-9._-]+|(?:rc|a|b|alpha|beta)[0-9]+)?",
    re.ASCII,
)
_FULL: Final = 2  # dots of a full version, at least
_YEAR_OR_LESS: Final = 4  # digits: a longer number alone is that of a build
_DAY: Final = r"(?:19|20)[0-9]{2}(?P<between>[-._]?)(?:0[1-9]|1[0-2])(?P=between)(?:0[1-9]|[12][0-9]|3[01])"
_DATED: Final = re.compile(rf"(?:[A-Za-z0-9._-]*[-._A-Za-z])?{_DAY}(?:[-._T]?[0-9]{{4,6}}Z?)?(?:[-._].*)?", re.ASCII)
_COMMIT: Final = re.compile(r"(?:.*[-._])?(?:git|sha|g)?-?(?P<hex>[0-9a-f]{7,40})", re.ASCII)
_NEWEST: Final = frozenset({"latest", "stable", "lts", "edge", "next", "nightly", "beta", "alpha", "rc", "canary"})


class Kind(StrEnum):
    VERSION = "version"  # 1.4.2: should not move
    DATE = "date"  # 20261120: should not move
    COMMIT = "commit"  # sha-8c1f20e: should not move
    FLOAT = "float"  # 1.4, 1: follows the newest of them
    NEWEST = "newest"  # latest, stable: follows a line of releases
    OTHER = "other"  # a branch, or any name: moves when somebody pushes it


_STAYS: Final = (Kind.VERSION, Kind.DATE, Kind.COMMIT)


@dataclass(frozen=True, slots=True)
class Promise:
    """`follows` is what a float stands for, "1.4.x"; `today` the alias that says best what a moving tag names now."""

    tag: str
    kind: Kind
    follows: str = ""
    today: str = ""

    @property
    def stays(self) -> bool:
        """Whether people do not move such a tag, as a rule."""
        return self.kind in _STAYS


def promise_of(tag: str, aliases: Iterable[str] = ()) -> Promise:
    """What `tag` promises; `aliases` are the other tags of its digest."""
    kind = kind_of(tag)
    if kind in _STAYS:
        return Promise(tag, kind)
    return Promise(tag, kind, _followed(tag) if kind == Kind.FLOAT else "", _named_today(tag, kind, aliases))


def kind_of(tag: str) -> Kind:
    if _DATED.fullmatch(tag):
        return Kind.DATE
    if match := _NUMBERS.fullmatch(tag):
        dots = match["numbers"].count(".")
        if dots >= _FULL:
            return Kind.VERSION
        if dots or len(match["numbers"]) <= _YEAR_OR_LESS:
            return Kind.FLOAT
    if _is_commit(tag):
        return Kind.COMMIT
    return Kind.NEWEST if tag.partition("-")[0] in _NEWEST else Kind.OTHER


def _is_commit(tag: str) -> bool:
    """Hexadecimal with a letter and a digit, or said to be one: `deadbeef` alone may be a word, `1234567` a build."""
    match = _COMMIT.fullmatch(tag)
    if match is None:
        return False
    said = tag.startswith(("sha-", "git-"))
    return said or (any(c.isdigit() for c in match["hex"]) and any(c.isalpha() for c in match["hex"]))


def _followed(tag: str) -> str:
    """`1.4.x-alpine` of `1.4-alpine`."""
    match = _NUMBERS.fullmatch(tag)
    return f"{match['start']}{match['numbers']}.x{match['suffix'] or ''}" if match else ""


def _named_today(tag: str, kind: Kind, aliases: Iterable[str]) -> str:
    """Of a float the version that it has come to, else the alias that says most among those that stay."""
    kinds = {alias: kind_of(alias) for alias in aliases}
    for wanted in _STAYS:
        found = [alias for alias, its in kinds.items() if its == wanted]
        own = [alias for alias in found if kind == Kind.FLOAT and _begins_with(alias, tag)]
        if own or found:
            return lead_of(own or found)
    return ""


def _begins_with(version: str, float_: str) -> bool:
    """Whether `1.4.2-alpine` is one of those that `1.4-alpine` follows."""
    inner, outer = _NUMBERS.fullmatch(version), _NUMBERS.fullmatch(float_)
    if inner is None or outer is None:
        return False
    return inner["numbers"].startswith(f"{outer['numbers']}.") and (inner["suffix"] or "") == (outer["suffix"] or "")
