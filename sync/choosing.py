"""Which tags a rule takes of those that there are, and for each of them why. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Final

import re2

from catalog.versions import Group, Version, group_of, tag_key
from registries.patterns import PATTERN, matches
from sync.ranges import Range

_LONGEST: Final = 255  # characters of a pattern
_TOOL: Final = re2.compile(r"sha(?:256|512)-[0-9a-f]{64}(?:\.[a-z0-9]+)?")  # distribution-spec, "Referrers Tag Schema"
_TOOL_NAMED: Final = ("sha256-", "sha512-", "/sha", "/^sha")  # how a pattern begins that is for such tags
_GLOB: Final = re2.compile(PATTERN)
_OPTIONS: Final = re2.Options()
_OPTIONS.max_mem = 2**20  # bytes that one expression may need
_OPTIONS.log_errors = False


class NewestBy(StrEnum):
    VERSION = "version"
    TIME = "time"


class Why(StrEnum):
    """Why a tag is in or out: what a page makes a sentence of."""

    ALL = "all"
    ALLOWED = "allowed"
    IN_RANGE = "in-range"
    NEWEST = "newest"
    NOT_ALLOWED = "not-allowed"
    DENIED = "denied"
    NO_VERSION = "no-version"
    PRE_RELEASE = "pre-release"
    OUTSIDE = "outside"
    NOT_NEWEST = "not-newest"
    NO_DATE = "no-date"
    TOOL = "tool"  # cosign's and the lists of referrers: attached to an image, and copied with it


_IN: Final = frozenset({Why.ALL, Why.ALLOWED, Why.IN_RANGE, Why.NEWEST})


class InvalidPattern(ValueError):  # noqa: N818  it says what is not one
    """`text` is no pattern for tags."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


@dataclass(frozen=True, slots=True)
class Choice:
    """`allow` and `deny` are globs, or expressions between slashes that are to fit the whole tag; none of `allow`: all.

    `ranges`: one of them has to hold. `newest`: so many versions, each with all its flavours, or so many tags by time.
    `pre_releases` counts where versions are looked at: with `ranges`, and for the newest by version. The tags of tools
    are in only by a pattern that names them: what is attached to an image comes with the image.
    """

    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    ranges: tuple[str, ...] = ()
    pre_releases: bool = False
    newest: int | None = None
    newest_by: NewestBy = NewestBy.VERSION

    def check(self) -> None:
        """Raises InvalidPattern and InvalidRange."""
        for pattern in (*self.allow, *self.deny):
            _fits(pattern, "")
        for text in self.ranges:
            Range.parse(text)


@dataclass(frozen=True, slots=True)
class Verdict:
    """`detail` is the pattern or the range that decided, where one did."""

    tag: str
    why: Why
    detail: str = ""

    @property
    def is_in(self) -> bool:
        return self.why in _IN


def choose(choice: Choice, tags: Iterable[str], dates: Mapping[str, datetime] | None = None) -> Sequence[Verdict]:
    """One for each tag, the highest version first. `dates` are needed for the newest by time alone.

    Raises InvalidPattern and InvalidRange.
    """
    choice.check()
    verdicts = [_judge(choice, tag) for tag in sorted(set(tags), key=tag_key, reverse=True)]
    if choice.newest is None:
        return verdicts
    fitting = [verdict.tag for verdict in verdicts if verdict.is_in]
    if choice.newest_by is NewestBy.VERSION:
        newest = _newest_versions(fitting, choice.newest)
    else:
        newest = _newest_by_time(fitting, choice.newest, dates or {})
    return [newest.get(verdict.tag, verdict) for verdict in verdicts]


def _judge(choice: Choice, tag: str) -> Verdict:
    if denied := _first(choice.deny, tag):
        return Verdict(tag, Why.DENIED, denied)
    is_tool = _TOOL.fullmatch(tag) is not None
    allowed = _first((pattern for pattern in choice.allow if not is_tool or pattern.startswith(_TOOL_NAMED)), tag)
    if is_tool and not allowed:
        return Verdict(tag, Why.TOOL)
    if choice.allow and not allowed:
        return Verdict(tag, Why.NOT_ALLOWED)
    if choice.ranges or (choice.newest is not None and choice.newest_by is NewestBy.VERSION):
        return _judge_version(choice, tag, allowed)
    return Verdict(tag, Why.ALLOWED if allowed else Why.ALL, allowed)


def _judge_version(choice: Choice, tag: str, allowed: str) -> Verdict:
    version, group = Version.parse(tag), group_of(tag)
    if version is None or group is Group.COMMIT:
        return Verdict(tag, Why.NO_VERSION)
    if group is Group.PRE_RELEASE and not choice.pre_releases:
        return Verdict(tag, Why.PRE_RELEASE)
    if not choice.ranges:
        return Verdict(tag, Why.ALLOWED if allowed else Why.ALL, allowed)
    holding = next((text for text in choice.ranges if _range(text).holds(version)), None)
    return Verdict(tag, Why.OUTSIDE) if holding is None else Verdict(tag, Why.IN_RANGE, holding)


def _newest_versions(tags: Sequence[str], most: int) -> dict[str, Verdict]:
    """Of the numbers, not the names: `1.27.3` and `1.27.3-alpine` are one version, and so are `1.28` and `1.28.0`."""
    versions = {tag: _numbers(tag) for tag in tags}
    kept = set(list(dict.fromkeys(versions.values()))[: max(most, 0)])
    return {tag: Verdict(tag, Why.NEWEST if of in kept else Why.NOT_NEWEST) for tag, of in versions.items()}


def _numbers(tag: str) -> tuple[str, ...]:
    """Without the zeros at the end. Of a tag that is a version."""
    version = Version.parse(tag)
    numbers = list(version.numbers) if version else []
    while numbers and numbers[-1] == "0":
        numbers.pop()
    return tuple(numbers)


def _newest_by_time(tags: Sequence[str], most: int, dates: Mapping[str, datetime]) -> dict[str, Verdict]:
    dated = sorted((tag for tag in tags if tag in dates), key=lambda tag: dates[tag], reverse=True)
    kept = set(dated[: max(most, 0)])
    return {
        tag: Verdict(tag, Why.NO_DATE if tag not in dates else Why.NEWEST if tag in kept else Why.NOT_NEWEST)
        for tag in tags
    }


def _first(patterns: Iterable[str], tag: str) -> str:
    return next((pattern for pattern in patterns if _fits(pattern, tag)), "")


def _fits(pattern: str, tag: str) -> bool:
    if len(pattern) > 2 and pattern.startswith("/") and pattern.endswith("/"):  # noqa: PLR2004  the slashes
        return _expression(pattern).fullmatch(tag) is not None
    if "/" in pattern or not _GLOB.fullmatch(pattern):  # no tag has a slash: half an expression would never fit
        raise InvalidPattern(pattern[:_LONGEST])
    return matches(pattern, tag)


@lru_cache(1_000)
def _expression(pattern: str) -> re2._Regexp[str]:
    """Of a kind that takes no longer than the tag is long, whatever somebody wrote (RE2)."""
    if len(pattern) > _LONGEST or not pattern.isprintable():  # no tag has such a character, and no database takes NUL
        raise InvalidPattern(pattern[:_LONGEST])
    try:
        return re2.compile(pattern[1:-1], _OPTIONS)
    except (re2.error, UnicodeEncodeError) as error:  # the latter of half a character
        raise InvalidPattern(pattern) from error


@lru_cache(1_000)
def _range(text: str) -> Range:
    return Range.parse(text)
