"""Why a tag is kept, or doomed: values that a page makes sentences of. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple


class Why(StrEnum):
    # Kept, whatever the rules say:
    PROTECTED = "protected"
    PINNED = "pinned"
    UNREADABLE = "unreadable"
    BUSY = "busy"
    # Kept by a rule:
    NEWEST = "newest"
    MAYBE_NEWEST = "maybe-newest"  # nobody knows when it was pushed
    NEWEST_VERSION = "newest-version"
    FLOAT = "float"
    NO_VERSION = "no-version"
    YOUNGER = "younger"
    MAYBE_YOUNGER = "maybe-younger"
    PULLED = "pulled"
    MAYBE_PULLED = "maybe-pulled"  # the registry has not told of pulls for as long as that
    # Kept for what else there is:
    UNSPOKEN = "unspoken"  # no rule speaks of it
    ALIAS = "alias"
    LAST = "last"
    ATTACHED = "attached"  # to what stays
    ALONE = "alone"  # attached to what no tag reaches, and no retention has untagged
    # Doomed:
    RULE = "rule"  # a rule speaks of it, and none keeps it
    FOLLOWS = "follows"  # what it is attached to goes


DOOMED: Final = frozenset({Why.RULE, Why.FOLLOWS})


class Reason(NamedTuple):
    """`detail`: a number, a line, a tag, a digest, or a sentence of who protects or pins; `rule`: its place, or -1."""

    why: Why
    detail: str = ""
    rule: int = -1


class Verdict(NamedTuple):
    """`reasons`: all that keep the tag, the strongest first; of one that is doomed the only one, why."""

    tag: str
    digest: str
    reasons: tuple[Reason, ...]

    @property
    def is_doomed(self) -> bool:
        return self.reasons[0].why in DOOMED

    @property
    def reason(self) -> Reason:
        return self.reasons[0]
