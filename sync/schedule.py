"""When a rule is due: by a cron line in a time zone, every so often or after an event; its hours. Pure.

Not there yet: `next_after`, `is_open` and `check`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class When(StrEnum):
    BY_HAND = "by-hand"
    CRON = "cron"
    EVERY = "every"
    EVENT = "event"  # a push to the source, where that is one of ours and tells of it


@dataclass(frozen=True, slots=True)
class Schedule:
    """`cron` has five fields, `zone` is a name of the IANA database, `every` is in minutes.

    `window`: hours in that zone between which runs begin and go on, "22:00-06:00"; "" for all day.
    """

    when: When = When.BY_HAND
    cron: str = ""
    zone: str = "UTC"
    every: int = 0
    window: str = ""
