"""Times as programs in Go write them, as schedules of ours. Pure."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from typing import Final

from jobs.schedule import SHORTEST, InvalidSchedule, Schedule, When
from sync.importing.document import Expected, Field
from sync.importing.imported import Code, Collected

_PART: Final = r"([0-9]{1,12}(?:\.[0-9]{1,9})?)(ns|us|µs|ms|s|m|h)"
_LONGEST: Final = 100  # characters
_DURATION: Final = re.compile(rf"(?:{_PART})+", re.ASCII)
_SECONDS: Final = {
    "ns": Fraction(1, 10**9),
    "us": Fraction(1, 10**6),
    "µs": Fraction(1, 10**6),
    "ms": Fraction(1, 1000),
    "s": Fraction(1),
    "m": Fraction(60),
    "h": Fraction(3600),
}
# robfig/cron, "Predefined schedules" and "Time zones".
_EVERY: Final = "@every "
_NAMED: Final = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_ZONE: Final = re.compile(r"(?:CRON_)?TZ=(\S+)\s+(.*)", re.DOTALL)


def schedule_of(collected: Collected, at: Field, zone: str, *, is_cron: bool) -> Schedule:
    """By hand, with a remark, where it is none of ours. Raises NotImported."""
    text = at.text().strip()
    try:
        if not is_cron or text.startswith(_EVERY):
            return _every(collected, at, text.removeprefix(_EVERY).strip())
        return _by_clock(text, zone)
    except InvalidSchedule as error:
        collected.remark(at, Code.SCHEDULE, error.text)
        return Schedule()


def _by_clock(text: str, zone: str) -> Schedule:
    if match := _ZONE.fullmatch(text):
        zone, text = match[1], match[2]
    schedule = Schedule(When.CRON, cron=_NAMED.get(text, text).replace("?", "*"), zone=zone)
    schedule.check()
    return schedule


def _every(collected: Collected, at: Field, text: str) -> Schedule:
    if len(text) > _LONGEST or not _DURATION.fullmatch(text):
        raise at.wrong(Expected.DURATION)
    exact = sum((Fraction(number) * _SECONDS[unit] for number, unit in re.findall(_PART, text)), Fraction(0)) / 60
    minutes = max(math.ceil(exact), SHORTEST)
    schedule = Schedule(When.EVERY, every=minutes)
    schedule.check()
    if minutes != exact:
        collected.remark(at, Code.ROUNDED, str(minutes))
    return schedule
