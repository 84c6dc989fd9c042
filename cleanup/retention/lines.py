"""The newest versions of each line, by the names of tags alone. Pure.

A line is numbers and a flavour: `1.4.2-alpine` competes with `1.4.1-alpine`, not with `1.4.1`. A single number behind
a version is its build and no flavour: `1.4.2-45` competes with `1.4.2-44`. Pre-releases compete among themselves, and
only while their line has no release that is as new.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final, NamedTuple, TypeAlias

from catalog.versions import Group, Version, group_of, is_early, is_final
from cleanup.retention.terms import Line

_LENGTHS: Final = {Line.ALL: 0, Line.MAJOR: 1, Line.MINOR: 2}
_BUILD: Final = re.compile(r"[-_.][0-9]{1,18}", re.ASCII)
_SEPARATORS: Final = re.compile(r"[-._]")
_Numbers: TypeAlias = tuple[int, ...]


class Standing(Enum):
    """How a tag stands in its line."""

    NEWEST = "newest"
    FLOAT = "float"  # it names a line, of which something is kept
    NO_VERSION = "no-version"
    BEHIND = "behind"


class Place(NamedTuple):
    """`line` as people write it, "1.4 alpine"; "" for all versions."""

    standing: Standing
    line: str = ""


@dataclass(frozen=True, slots=True)
class _Named:
    """A tag that is a version. `written` are its numbers, `order` is comparable with those of its line."""

    tag: str
    written: _Numbers
    line: tuple[_Numbers, str]
    is_early: bool
    order: tuple[_Numbers, int, bytes]

    @property
    def flavour(self) -> str:
        return self.line[1]

    @property
    def is_full(self) -> bool:
        return len(self.written) > 2  # noqa: PLR2004  major and minor alone may be a line


def places(digests: Mapping[str, str], most: int, line: Line, *, by_image: bool) -> dict[str, Place]:
    """Where each of these tags stands; `digests` is where each points to.

    The newest are `most` versions of each line, each with all its tags; `by_image`: versions of one digest are one.
    """
    named = [version for tag in digests if (version := _named(tag, line)) is not None]
    named, floats = _parted(named)
    newest: dict[str, Place] = {}
    for of_line in _by_line(named).values():
        for tag in _newest(of_line, digests, most, by_image=by_image):
            newest[tag.tag] = Place(Standing.NEWEST, _text(tag.line))
    kept = {prefix for version in named if version.tag in newest for prefix in _prefixes(version)}
    for one in floats:
        if (one.written, one.flavour) in kept:
            newest[one.tag] = Place(Standing.FLOAT, _text((one.written, one.flavour)))
    versions = {version.tag for version in (*named, *floats)}
    return {
        tag: newest.get(tag) or Place(Standing.BEHIND if tag in versions else Standing.NO_VERSION) for tag in digests
    }


def _parted(named: list[_Named]) -> tuple[list[_Named], list[_Named]]:
    """Versions, and those that name a line of others: `1.4` where there is a `1.4.2`."""
    prefixes = {
        prefix for version in named if version.is_full and not version.is_early for prefix in _prefixes(version)
    }
    floats = [one for one in named if not one.is_early and (one.written, one.flavour) in prefixes]
    names = {one.tag for one in floats}
    return [version for version in named if version.tag not in names], floats


def _prefixes(version: _Named) -> set[tuple[_Numbers, str]]:
    return {(version.written[:length], version.flavour) for length in (1, 2) if length < len(version.written)}


def _by_line(named: Iterable[_Named]) -> dict[tuple[_Numbers, str], list[_Named]]:
    lines: defaultdict[tuple[_Numbers, str], list[_Named]] = defaultdict(list)
    for version in named:
        lines[version.line].append(version)
    return lines


def _newest(of_line: list[_Named], digests: Mapping[str, str], most: int, *, by_image: bool) -> list[_Named]:
    releases = [version for version in of_line if not version.is_early]
    highest = max((release.order[0] for release in releases), default=None)
    early = [one for one in of_line if one.is_early and (highest is None or one.order[0] > highest)]
    return [version for some in (releases, early) for version in _highest(some, digests, most, by_image=by_image)]


def _highest(some: list[_Named], digests: Mapping[str, str], most: int, *, by_image: bool) -> list[_Named]:
    same: defaultdict[tuple[_Numbers, int, bytes], list[_Named]] = defaultdict(list)
    for version in some:
        same[version.order].append(version)
    kept: list[_Named] = []
    seen: set[str] = set()
    for order in sorted(same, reverse=True):
        images = {digests[version.tag] for version in same[order]}
        if not (by_image and images <= seen):
            if not most:
                break
            most -= 1
        seen |= images
        kept += same[order]
    return kept


def _named(tag: str, line: Line) -> _Named | None:
    version = Version.parse(tag)
    if version is None or group_of(tag) is Group.COMMIT:
        return None
    written = tuple(map(int, version.numbers))
    early = group_of(tag) is Group.PRE_RELEASE
    build = int(version.rest[1:]) if not early and _BUILD.fullmatch(version.rest) else -1
    flavour = "" if build >= 0 else _flavour(version.rest)
    length = _LENGTHS[line]
    prefix = (*written, 0, 0)[:length]
    rest = Version((), version.stage, version.rest).key if early else b""
    return _Named(tag, written, (prefix, flavour), early, (_trimmed(written), build, rest))


def _flavour(rest: str) -> str:
    """Its words but those that say how far a release has come, and the number of that."""
    words: list[str] = []
    after_early = False
    for word in filter(None, _SEPARATORS.split(rest)):
        if not (is_final(word) or is_early(word) or (after_early and word.isdecimal())):
            words.append(word)
        after_early = is_early(word)
    return "-".join(words)


def _trimmed(numbers: _Numbers) -> _Numbers:
    """Without the zeros at the end: `1.28` and `1.28.0` are one version."""
    length = len(numbers)
    while length and not numbers[length - 1]:
        length -= 1
    return numbers[:length]


def _text(line: tuple[_Numbers, str]) -> str:
    return " ".join(filter(None, (".".join(map(str, line[0])), line[1])))
