"""Ranges of Masterminds/semver, which regsync and skopeo read, as ranges of ours. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from sync.choosing import Choice
from sync.importing.document import Field
from sync.importing.imported import Code, Collected

_SUFFIX: Final = re.compile(r"(?<=[0-9xX*])-([0-9A-Za-z.-]+)", re.ASCII)
_LOWEST: Final = "0"  # "-0" is how one says: pre-releases too
_SIGNS: Final = (("=>", ">="), ("=<", "<="))
_FLAVOURS: Final = ("*-*", "*_*")


def with_ranges(collected: Collected, choice: Choice, ranges: Sequence[Field]) -> Choice:
    """There `1.27.3-alpine` is a pre-release and out unless a bound has a suffix, and `1.27.3_x` is no version."""
    if not ranges:
        return choice
    suffixes = [(at, suffix) for at in ranges for suffix in _SUFFIX.findall(at.text())]
    for at, suffix in suffixes:
        if suffix != _LOWEST:
            collected.remark(at, Code.BOUND, suffix)
    texts = tuple(_translated(at.text()) for at in ranges)
    if suffixes:
        collected.remark(suffixes[0][0], Code.PRE_RELEASES)
        return replace(choice, ranges=texts, pre_releases=True)
    collected.remark(ranges[0], Code.FLAVOURS, " ".join(_FLAVOURS))
    return replace(choice, ranges=texts, deny=(*choice.deny, *_FLAVOURS))


def _translated(text: str) -> str:
    for old, new in _SIGNS:
        text = text.replace(old, new)
    return _SUFFIX.sub("", text)
