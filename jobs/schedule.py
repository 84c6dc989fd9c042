"""When work is due: by a cron line in a time zone, every so often or after an event; its hours. Pure.

Moments are aware and in UTC, those that come in and those that go out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError

SHORTEST: Final = 5  # minutes: a run may ask for every tag of a registry
LONGEST: Final = 366 * 24 * 60  # minutes

_LONGEST_LINE: Final = 200  # characters
_FIELDS: Final = 5
_HOUR: Final = 60  # minutes
_HOURS: Final = 24
_MINUTE: Final = timedelta(minutes=1)
_WINDOW: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-(?:([01][0-9]|2[0-3]):([0-5][0-9])|24:00)", re.ASCII)
_SOME_MOMENT: Final = datetime(2024, 1, 1, tzinfo=UTC)


class When(StrEnum):
    BY_HAND = "by-hand"
    CRON = "cron"
    EVERY = "every"
    EVENT = "event"  # a push to the registry that it is about, where that tells of it


class InvalidSchedule(ValueError):  # noqa: N818  it says what is not one
    """`text` is no value for `field` of a schedule."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(f"{field}: {text}")
        self.field, self.text = field, text


@dataclass(frozen=True, slots=True)
class Schedule:
    """`cron` has five fields, `zone` is a name of the IANA database, `every` is in minutes.

    `window`: hours in that zone between which runs begin and go on, "22:00-06:00", by the clock on the wall: the hour
    that a clock repeats belongs to them twice, the one that it skips never; "" for all day. What is due outside of
    them is due when they begin. Every method but `check` expects what `check` lets through, and else raises as it does.
    """

    when: When = When.BY_HAND
    cron: str = ""
    zone: str = "UTC"
    every: int = 0
    window: str = ""

    def check(self) -> None:
        """Raises InvalidSchedule; what `when` makes no use of is not looked at."""
        self._hours()
        if self.when is When.EVERY and not SHORTEST <= self.every <= LONGEST:
            raise InvalidSchedule("every", str(self.every))
        if self.when is When.CRON:
            _check_line(self.cron)

    def next_after(self, moment: datetime) -> datetime | None:
        """When it is due next; None where no clock says so."""
        match self.when:
            case When.CRON:
                due = _next_of(self.cron, _zone(self.zone), moment)
            case When.EVERY:
                due = moment + timedelta(minutes=self.every)
            case _:
                due = None
        return due and self.opens_after(due)

    def is_open(self, moment: datetime) -> bool:
        hours = self._hours()
        return hours is None or hours.hold(moment)

    def opens_after(self, moment: datetime) -> datetime:
        """The first moment in the window, which may be this one."""
        hours = self._hours()
        return moment if hours is None else next(at for at in _minutes_from(moment) if hours.hold(at))

    def closes_after(self, moment: datetime) -> datetime | None:
        """The first moment outside the window, which may be this one; None where it never closes."""
        hours = self._hours()
        return None if hours is None else next(at for at in _minutes_from(moment) if not hours.hold(at))

    def _hours(self) -> _Hours | None:
        zone = _zone(self.zone)
        if not self.window:
            return None
        match = _WINDOW.fullmatch(self.window)
        if match is None:
            raise InvalidSchedule("window", self.window)
        hours = _Hours(time(int(match[1]), int(match[2])), time(int(match[3] or 0), int(match[4] or 0)), zone)
        if hours.start == hours.end:  # either all day or never: nobody can tell
            raise InvalidSchedule("window", self.window)
        return hours


@dataclass(frozen=True, slots=True)
class _Hours:
    start: time
    end: time
    zone: tzinfo

    def hold(self, moment: datetime) -> bool:
        clock = moment.astimezone(self.zone).time()
        if self.start < self.end:
            return self.start <= clock < self.end
        return clock >= self.start or clock < self.end


def _minutes_from(moment: datetime) -> Iterator[datetime]:
    """It, then each whole minute: clocks change at any of them, and asking every one of a day takes no time."""
    yield moment
    at = moment.replace(second=0, microsecond=0)
    while True:
        at += _MINUTE
        yield at


def _next_of(line: str, zone: tzinfo, moment: datetime) -> datetime | None:
    """As Debian's cron does it: what falls into a skipped hour is due right after it, and a repeated hour counts once.

    For a moment in the second of two such hours the library begins with the first; hence the look at the time.
    """
    try:
        dues = (due.astimezone(UTC) for due in CronSim(line, moment.astimezone(zone)))
    except CronSimError as error:
        raise InvalidSchedule("cron", line[:_LONGEST_LINE]) from error
    return next((due for due in dues if due > moment), None)


def _check_line(line: str) -> None:
    if len(line) > _LONGEST_LINE or len(line.split()) != _FIELDS:  # the library takes a sixth, for seconds
        raise InvalidSchedule("cron", line[:_LONGEST_LINE])
    if _next_of(line, UTC, _SOME_MOMENT) is None or _shortest_gap(line) < SHORTEST:
        raise InvalidSchedule("cron", line)


def _shortest_gap(line: str) -> int:
    """Minutes between two times of a day at which it is due, or of two days that follow each other."""
    parsed = CronSim(line, _SOME_MOMENT)
    minutes, hours = sorted(parsed.minutes), sorted(parsed.hours)
    gaps = [later - sooner for sooner, later in pairwise(minutes)]
    if any((hour + 1) % _HOURS in hours for hour in hours):
        gaps.append(minutes[0] + _HOUR - minutes[-1])
    return min(gaps, default=LONGEST)


def _zone(name: str) -> tzinfo:
    """UTC needs no database, which a machine may lack."""
    if name == "UTC":
        return UTC
    if name not in _known_zones():
        raise InvalidSchedule("zone", name)
    return ZoneInfo(name)


@lru_cache(1)
def _known_zones() -> frozenset[str]:
    """Read once: it looks into every file of the database."""
    return frozenset(available_timezones())
