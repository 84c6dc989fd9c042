"""Facets: what a list of images can be narrowed to, as bits of one number, so that an index alone answers it. Pure.

Bits are kept in rows: one that has a meaning never gets another.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from catalog.policy import is_attached
from catalog.versions import Group, group_of

_KIND_BITS: Final = {"image": 0, "index": 0, "schema1": 0, "chart": 1}
_OTHER_KIND: Final = 2
_ATTACHED: Final = 3
_GROUP_BITS: Final = {Group.BRANCH: 4, Group.COMMIT: 5, Group.PRE_RELEASE: 6, Group.RELEASE: 7}
_FIRST_PLATFORM: Final = 8
_OTHER_PLATFORM: Final = 62  # the last that a signed column holds

PLATFORMS: Final = (
    "linux/amd64",
    "linux/arm64",
    "linux/arm/v7",
    "linux/arm/v6",
    "linux/arm/v5",
    "linux/386",
    "linux/ppc64le",
    "linux/s390x",
    "linux/riscv64",
    "linux/mips64le",
    "linux/loong64",
    "windows/amd64",
    "windows/arm64",
    "darwin/amd64",
    "darwin/arm64",
    "freebsd/amd64",
    "freebsd/arm64",
    "wasip1/wasm",
)
OTHER_PLATFORMS: Final = "other"
_SAME: Final = {"linux/arm64/v8": "linux/arm64", "linux/arm": "linux/arm/v7", "linux/amd64/v1": "linux/amd64"}

IMAGES: Final = 1 << 0
CHARTS: Final = 1 << 1
OTHERS: Final = 1 << _OTHER_KIND
ATTACHED: Final = 1 << _ATTACHED
OF_TAGS: Final = ATTACHED | sum(1 << bit for bit in _GROUP_BITS.values())  # what changes when tags come and go

OF_PLATFORMS: Final = sum(
    1 << bit for bit in (*range(_FIRST_PLATFORM, _FIRST_PLATFORM + len(PLATFORMS)), _OTHER_PLATFORM)
)


def of_kind(kind: str) -> int:
    """`kind` is a `Manifest.Kind`."""
    return 1 << _KIND_BITS.get(kind, _OTHER_KIND)


def of_group(group: Group) -> int:
    return 1 << _GROUP_BITS[group]


def of_platform(platform: str) -> int:
    """`linux/arm64/v8` is linux/arm64; nothing for a platform that is not named."""
    if not platform:
        return 0
    name = _SAME.get(platform, platform)
    return 1 << (_FIRST_PLATFORM + PLATFORMS.index(name) if name in PLATFORMS else _OTHER_PLATFORM)


def of_platforms(platforms: Iterable[str]) -> int:
    found = 0
    for platform in platforms:
        found |= of_platform(platform)
    return found


def of_tags(names: Iterable[str], before: int = 0) -> int:
    """The groups of tags that point to one image, and those of `before`, which it keeps.

    It is attached to something where all its tags say so.
    """
    found = before & OF_TAGS
    for name in names:
        found |= ATTACHED if is_attached(name) else of_group(group_of(name))
    return found & ~ATTACHED or found


def platforms_in(facets: int) -> list[str]:
    """The names of the platforms among `facets`, `OTHER_PLATFORMS` last."""
    found = [name for bit, name in enumerate(PLATFORMS, start=_FIRST_PLATFORM) if facets >> bit & 1]
    return found + ([OTHER_PLATFORMS] if facets >> _OTHER_PLATFORM & 1 else [])


def of_named_platform(name: str) -> int:
    """The facet of one of `platforms_in`; 0 for any other text."""
    if name == OTHER_PLATFORMS:
        return 1 << _OTHER_PLATFORM
    return of_platform(name) if name in PLATFORMS else 0
