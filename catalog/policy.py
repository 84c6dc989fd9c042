"""The rules of the catalog, pure: which alias leads, when a scan must ask, when the next one is due."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from catalog.versions import Version, tag_key

_ATTACHED: Final = re.compile(r"sha(256-[0-9a-f]{64}|512-[0-9a-f]{128})(\..*)?", re.ASCII)

MAX_DEPTH: Final = 4  # an index in an index in an index: more is nobody's image
MOST_BYTES: Final = 2**63 - 1  # what a column holds: a pusher may name sizes that add up to more

SCAN_EVERY: Final = timedelta(minutes=15)
SCAN_EVERY_WITH_EVENTS: Final = timedelta(hours=1)  # then it is a safety net
_SILENCE: Final = timedelta(hours=24)  # after which nobody knows whether events would still come
REST: Final = 4  # a scan begins no sooner than this many times the last one's duration after it began
_SHRINK_SHARE: Final = 5  # a fifth
_SHRINK_FLOOR: Final = 20


def lead_of(tags: Iterable[str]) -> str:
    """The alias that says most: `1.4.2` of 1.4.2, 1.4, 1 and latest; `sha-8c1f20e` of that and main."""
    return min(tags, key=_says_less)


def _says_less(tag: str) -> tuple[int, int, int, int, bytes]:
    if tag == "latest":
        return (2, 0, 0, 0, b"")
    if version := Version.parse(tag):
        return (0, -len(version.numbers), len(version.rest), len(tag), tag_key(tag))
    return (3 if is_attached(tag) else 1, 0, 0, -len(tag), tag_key(tag))


def is_attached(tag: str) -> bool:
    """Whether a tag is no name for people but a digest with something attached.

    `sha256-HEX.sig` as cosign writes it, `sha256-HEX` of the distribution-spec's referrers fallback.
    """
    return _ATTACHED.fullmatch(tag) is not None


@dataclass(frozen=True, slots=True)
class Holdings:
    """How many repositories and tags: a registry's, or a loss."""

    repositories: int = 0
    tags: int = 0


def must_ask(lost: Holdings, had: Holdings, allowed: Holdings) -> bool:
    """Whether losing `lost` of `had` is too much to believe without a person's yes.

    More than a fifth and more than 20, of repositories or of tags, beyond what was `allowed`.
    """
    return _too_much(lost.repositories, had.repositories, allowed.repositories) or _too_much(
        lost.tags, had.tags, allowed.tags
    )


def _too_much(lost: int, had: int, allowed: int) -> bool:
    return lost > _SHRINK_FLOOR and lost * _SHRINK_SHARE > had and lost > allowed


def next_scan_at(started: datetime, duration: timedelta, every: timedelta = SCAN_EVERY) -> datetime:
    """That often, but never so often that a registry is busy with us more than a quarter of its time."""
    return started + max(every, REST * duration)


def scan_every(last_event: datetime | None, changes: int, now: datetime) -> timedelta:
    """How often to scan: seldom while events flow.

    They do while the last came within a day and the last complete scan found nothing that they had not told:
    `changes` is how many tags it found to have come, moved or gone.
    """
    flows = last_event is not None and now - last_event < _SILENCE and not changes
    return SCAN_EVERY_WITH_EVENTS if flows else SCAN_EVERY
