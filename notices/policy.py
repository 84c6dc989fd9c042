"""When a recipient is tried again, and when it is given up; pure."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Final

WAITS: Final = tuple(timedelta(seconds=s) for s in (10, 60, 5 * 60, 30 * 60, 2 * 3600, 6 * 3600, 24 * 3600))
LONGEST_REST: Final = timedelta(minutes=30)  # of a recipient that fails: then it is tried with one notice
MOST_ASKED: Final = timedelta(hours=24)  # for which Retry-After is followed
PATIENCE: Final = timedelta(days=3)  # of failures without one success
MOST_ATTEMPTS: Final = len(WAITS) + 3  # some of which may have ended with their worker
_SLOW: Final = 1.0  # seconds
_JITTER: Final = 0.2  # so that what failed together does not come back together


def wait(attempts: int, asked: float | None = None) -> timedelta | None:
    """Until the next attempt after so many that failed; None when it was the last. `asked`: seconds of Retry-After."""
    if attempts > len(WAITS):
        return None
    ours = WAITS[max(attempts, 1) - 1] * (1 + random.uniform(-_JITTER, _JITTER))  # noqa: S311  no secret
    return max(ours, _followed(asked))


def rest(failures: int, asked: float | None = None) -> timedelta:
    """For how long a recipient that failed so often in a row is left alone with everything."""
    return max(min(WAITS[min(max(failures, 1), len(WAITS)) - 1], LONGEST_REST), _followed(asked))


def pause(seconds: float) -> timedelta | None:
    """For how long a recipient is left alone that took so long to say yes: others need the same process."""
    return timedelta(seconds=3 * seconds) if seconds > _SLOW else None


def _followed(asked: float | None) -> timedelta:
    return min(timedelta(seconds=asked or 0.0), MOST_ASKED)
