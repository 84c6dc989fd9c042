"""How fast bytes come from a registry, over all threads that copy from it, where a person has said how fast at most."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from typing import TypeAlias

from oci.calls import CALL

Wait: TypeAlias = Callable[[float, threading.Event | None], None]


class Throttle:
    """Shared by threads, which are let go on in the order in which they came.

    What was let through at any time is no more than `bytes_per_second` for each second since any time before, and the
    one piece that came first; seconds in which nothing flowed are not made up for. `now` and `wait`: the clock.
    """

    def __init__(
        self, bytes_per_second: float, *, now: Callable[[], float] = time.monotonic, wait: Wait | None = None
    ) -> None:
        self._rate, self._now, self._wait = bytes_per_second, now, wait or _wait
        self._paid_until = -math.inf  # when all that was taken so far may have come
        self._lock = threading.Lock()

    def take(self, count: int, stopped: threading.Event | None = None) -> bool:
        """Wait until `count` more bytes, which have come, may have come. False as soon as `stopped` is set.

        The clock of the call that this thread is in stands still meanwhile: who sends them on is not late for that.
        """
        with self._lock:
            began = now = self._now()
            until = self._paid_until = max(self._paid_until, now) + count / self._rate
        try:
            while now < until and not (stopped and stopped.is_set()):
                self._wait(until - now, stopped)
                now = self._now()
        finally:
            CALL.deadline += now - began
        return not (stopped and stopped.is_set())


def _wait(seconds: float, stopped: threading.Event | None) -> None:
    if stopped is None:
        time.sleep(seconds)
    else:
        stopped.wait(seconds)
