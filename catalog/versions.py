"""What a tag says by its name alone: a version, a commit, a branch; and the order of versions. Pure.

The grammar follows Semantic Versioning 2.0.0 where tags do, and else what publishers really write: a leading `v`, one
to eight numbers, dates, `1.27.3-alpine` for a flavour of a release, `2.0rc1` and `1.0.0.Final`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import Final, Self

from catalog.sort_keys import natural_runs

_VERSION: Final = re.compile(
    r"[vV]?(?P<numbers>[0-9]{1,18}(?:\.[0-9]{1,18}){0,7})(?P<rest>(?:[-_].*|\.[^0-9].*)?)", re.ASCII
)
# `2.0rc1` as Python writes it: letters right after the numbers, where they say how far a release has come.
_JOINED: Final = re.compile(
    r"[vV]?(?P<numbers>[0-9]{1,18}(?:\.[0-9]{1,18}){1,7})(?P<rest>(?:a|alpha|b|beta|c|rc|cr|pre|dev|m)[0-9]*(?:[-._].*)?)",
    re.ASCII | re.IGNORECASE,
)
_DATE: Final = re.compile(r"(?P<numbers>(?:19|20)[0-9]{2}-[01][0-9]-[0-3][0-9])(?P<rest>(?:[-._T].*)?)", re.ASCII)
_EARLY: Final = re.compile(
    r"(?:alpha|beta|rc|cr|pre|preview|prerelease|dev|snapshot|nightly|canary|next|edge|milestone|ea|eap|incubating)"
    r"(?:[0-9].*)?|(?:a|b|c|m)[0-9]+",
    re.ASCII,
)
_WORDS: Final = re.compile(r"[0-9]+|[^0-9._-]+")  # `rc1`, `rc.1` and `rc-1` are one
_FINAL: Final = frozenset({"final", "ga", "release"})
_COMMIT: Final = re.compile(
    r"(?:.*[-._])?(?:sha|git|commit|rev|g)[-._]?[0-9a-f]{7,64}(?:[-._].*)?"  # sha-8c1f20e, 1.2.3-14-g8c1f20e
    r"|(?:.*[-._])?(?=[0-9a-f]*[0-9])(?=[0-9a-f]*[a-f])[0-9a-f]{7,64}(?:[-._].*)?"  # 8c1f20e, main-8c1f20e-1732610000
    r"|[0-9a-f]{40}",
    re.ASCII,
)


class Group(IntEnum):
    """What a tag is a name of. A branch is all that is neither a version nor a commit: `main`, `latest`, `pr-12`."""

    BRANCH = 0
    COMMIT = 1
    PRE_RELEASE = 2
    RELEASE = 3


class _Stage(IntEnum):
    """In the order of releases: `1.3-rc1`, then `1.3`, then `1.3-alpine`, which is the release in another flavour."""

    EARLY = 1
    FINAL = 2
    FLAVOUR = 3


@dataclass(frozen=True, slots=True)
class Version:
    """`numbers` are as they are written, without leading zeros; `rest` is what follows them, in small letters."""

    numbers: tuple[str, ...]
    stage: _Stage
    rest: str

    @classmethod
    def parse(cls, tag: str) -> Self | None:
        """None for a tag that is no version."""
        match = _DATE.fullmatch(tag) or _VERSION.fullmatch(tag) or _JOINED.fullmatch(tag)
        if match is None:
            return None
        numbers = tuple(number.lstrip("0") or "0" for number in re.split(r"[.-]", match["numbers"]))
        rest = match["rest"].lower()
        return cls(numbers, _stage(rest), rest)

    @property
    def key(self) -> bytes:
        """Bytes in the order of versions: each number by its length and digits, then the stage, then the rest."""
        numbers = b"".join(bytes([len(number)]) + number.encode() for number in self.numbers)
        words = b"\x01".join(natural_runs(word) for word in _WORDS.findall(self.rest))
        return numbers + bytes([0, self.stage]) + words

    @property
    def is_full(self) -> bool:
        """It names one release rather than the newest of a line: three or four numbers, or a date."""
        return len(self.numbers) > 2  # noqa: PLR2004  major and minor alone are a line


def is_early(word: str) -> bool:
    """Whether a word of what follows the numbers says that this is no release yet: `rc1`, `beta`."""
    return _EARLY.fullmatch(word) is not None


def is_final(word: str) -> bool:
    """Whether it says that this is the release itself."""
    return word in _FINAL


def _stage(rest: str) -> _Stage:
    words = [word for word in re.split(r"[-._]", rest) if word]
    if any(map(is_early, words)):
        return _Stage.EARLY
    return _Stage.FLAVOUR if set(words) - _FINAL else _Stage.FINAL


@lru_cache(8_192)  # the tags of one repository are those of many
def group_of(tag: str) -> Group:
    version = Version.parse(tag)
    if _COMMIT.fullmatch(tag.lower() if tag.isupper() else tag) and (version is None or _is_build(version)):
        return Group.COMMIT
    if version is None:
        return Group.BRANCH
    return Group.PRE_RELEASE if version.stage is _Stage.EARLY else Group.RELEASE


def _is_build(version: Version) -> bool:
    """`1.2.3-14-g8c1f20e` is a commit after a release; `1.2.3` with a flavour is none."""
    return bool(version.rest)


@lru_cache(8_192)
def tag_key(tag: str) -> bytes:
    """Tags in order, the same on every database: names by letter, then versions from the lowest to the highest.

    Turned round, the highest version comes first. Different tags have different keys.
    """
    version = Version.parse(tag)
    body = b"\x01" + natural_runs(tag) if version is None else b"\x02" + version.key
    return body + b"\x00" + tag.encode()
