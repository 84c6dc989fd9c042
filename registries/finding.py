"""One thing that was found of a registry, as people read it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Mark(StrEnum):
    OK = "ok"
    NO = "no"  # something is off, and there is a cure
    NOTE = "note"  # a fact, neither good nor bad


@dataclass(frozen=True, slots=True)
class Finding:
    """`topic` and `short` (for a chip, may be empty) are a word or two, `cure` and `why` may be empty.

    `why` is the technical reason, which may repeat what a registry sent.
    """

    mark: Mark
    topic: str
    short: str
    sentence: str
    cure: str = ""
    why: str = ""
