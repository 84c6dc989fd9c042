"""How far apart requests are, where a registry wants no more than so many a second: evenly, and never in a burst."""

from __future__ import annotations

import math


class Spacing:
    """Of one registry; whoever shares it has a lock of their own. Moments are seconds of one clock.

    None is no spacing. Time in which nobody asked is not made up for.
    """

    def __init__(self, per_second: float | None = None) -> None:
        self._step = 1 / per_second if per_second else 0.0
        self._next = -math.inf

    @property
    def is_any(self) -> bool:
        return self._step > 0

    def left(self, now: float) -> float:
        """Seconds until the next may go."""
        return max(0.0, self._next - now)

    def go(self, now: float) -> None:
        """One goes, for which nothing was left."""
        if self._step:
            self._next = now + self._step
