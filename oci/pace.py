"""How many requests at once a registry is asked: as many as it answers without making them wait for each other.

After TCP Vegas (Brakmo and Peterson, 1994): a request that takes longer than the quickest of its kind has waited for
others. How much longer, times how many are under way, is how many of them wait; between three and six keep a registry
busy, and more than that help nobody.
"""

from __future__ import annotations

import math
import statistics
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final

from oci.calls import CALL
from oci.spacing import Spacing

MOST: Final = 16
START: Final = 4
LONGEST_PAUSE: Final = 20.0  # seconds; a registry cannot ask for a longer one

_COURTEOUS: Final = 1  # requests at once while others need this machine
_REST: Final = 3  # times as long as it took do they have it after each, as a registry on it needs a processor too
_LONGEST_REST: Final = 0.05  # seconds; what takes longer has left the machine alone already
_LOOK: Final = 0.02  # seconds between two looks whether they do
_FEW, _MANY = 3.0, 6.0  # requests that wait at the registry: fewer and it idles, more and they only wait longer
_ROUNDS: Final = 4  # a judgement rests on as many answers as this many for each request at once
_FEWEST: Final = 8
_FAIR: Final = 8  # one of so many that leave gives up its place to whoever waits longest
_MEMORY: Final = 30.0  # seconds after which a quickest answer begins to be forgotten, and a second time until it is
_GLANCE: Final = 0.05  # seconds after which whoever waits looks for a place, as one may be kept in vain
_CALM: Final = 5.0  # seconds without a refusal before more is tried again
_HALVING: Final = 1.0  # seconds between two halvings: all that were under way are refused for one and the same reason
_BUSY: Final = frozenset({429, 503})
_KINDS: Final = frozenset({"manifests", "tags", "blobs"})
_READING: Final = frozenset({"GET", "HEAD"})
_NO_ANSWER: Final = 0
_REFUSALS: Final = 400  # from here on answers are quick, and say nothing about how busy the registry is


def kind_of(method: str, path: str) -> str:
    """What takes a registry about as long each time: to read manifests, lists of tags, or blobs, and not to write."""
    kind = path.rpartition("/")[0].rpartition("/")[2]
    if kind not in _KINDS or method not in _READING:
        return ""
    return kind if method == "GET" else f"{method} {kind}"


class Pace:
    """For one registry, shared by threads and by all its transports.

    A thread calls `enter` before and `leave` after each request. `limit` is how many may be between the two, `busy`
    how many answers were 429 or 503. As long as `gives_way()`, which is asked often, there are fewer. `per_second`:
    so many begin in a second at most, evenly; None is as many as there are places for.
    """

    def __init__(self, most: int = MOST, per_second: float | None = None) -> None:
        self.limit, self.busy = min(START, most), 0
        self.gives_way: Callable[[], bool] = lambda: False
        self._is_giving_way, self._looked_at = False, -math.inf
        self._most, self._inside, self._left = most, 0, 0
        self._was_full = False  # else more would be allowed than anybody asks for
        self._lock = threading.Lock()
        self._queue: deque[threading.Lock] = deque()  # held by those who wait, in their order; who is let in, is freed
        self._quickest: dict[str, _Quickest] = {}
        self._ratios: list[float] = []  # of the quickest to each answer since the last judgement
        self._manifests: deque[float] = deque(maxlen=64)
        self._spacing = Spacing(per_second)
        self._paused_until = self._calm_at = self._halved_at = -math.inf
        self._aged_at = time.monotonic()

    @property
    def is_spaced(self) -> bool:
        """Whether requests wait for their moment, however quick the registry is."""
        return self._spacing.is_any

    @property
    def latency(self) -> float | None:
        """The median of how long the last manifests took, in seconds; None before the first."""
        with self._lock:
            recent = tuple(self._manifests)
        return statistics.median(recent) if recent else None

    def enter(self) -> None:
        """Wait for one's turn; then `leave` is owed. TimeoutError when the call of this thread has waited too long."""
        with self._lock:
            is_passing_by = self._queue and self._spacing.is_any  # or whoever waits for a moment never has it
            if self._inside < self._places and not self._pause and not is_passing_by:
                self._go_in()
                return
            self._was_full = True
            turn = threading.Lock()
            turn.acquire()
            self._queue.append(turn)
        began = time.monotonic()
        try:
            self._wait(turn, began)
        except BaseException:  # a worker may be interrupted here too
            self._give_up(turn)
            raise
        finally:
            CALL.waited(time.monotonic() - began)

    def leave(self, kind: str, seconds: float, status: int, retry_after: float | None = None) -> None:
        """Tell how it went: which `kind` of request took how long, its status or 0 when nobody answered.

        Requests of one kind take about as long as each other; "" is for those that do not. `retry_after` is how many
        seconds the registry wants to be left alone: until then nobody is let in, though `LONGEST_PAUSE` at most.
        """
        try:
            self._rest(seconds)
        finally:  # a worker may be interrupted here too
            with self._lock:
                self._has_left(kind, seconds, status, retry_after)

    def _rest(self, seconds: float) -> None:
        """After a request that took so long, and before another may follow."""
        if self._is_giving_way:
            rest = min(_REST * seconds, _LONGEST_REST)
            time.sleep(rest)
            CALL.waited(rest)

    def _has_left(self, kind: str, seconds: float, status: int, retry_after: float | None) -> None:
        self._inside -= 1
        if status in _BUSY or status == _NO_ANSWER:
            self._refused(status, retry_after)
        elif kind and status < _REFUSALS:
            self._answered(kind, seconds)
        if self._queue:
            self._left += 1
            # Whoever leaves mostly comes back at once: its place is kept, which costs less than to wake another.
            places = self._places
            kept = 1 if places > 1 and self._left % _FAIR else 0
            self._let_in(places - kept)

    def _wait(self, turn: threading.Lock, began: float) -> None:
        until = began + CALL.patience
        while True:
            now = time.monotonic()
            with self._lock:
                pause = self._pause
            seconds = min(until - now, pause or _GLANCE)
            if seconds > 0 and turn.acquire(timeout=seconds):
                return
            with self._lock:
                self._let_in(self._places)  # for at the end of a pause nobody leaves
                if turn not in self._queue:
                    return
            if time.monotonic() >= until:
                raise TimeoutError

    def _give_up(self, turn: threading.Lock) -> None:
        with self._lock:
            if turn in self._queue:
                self._queue.remove(turn)
            else:  # it was let in just then
                self._inside -= 1
                self._let_in(self._places)

    @property
    def _places(self) -> int:
        now = time.monotonic()
        if now >= self._looked_at + _LOOK:
            self._looked_at, self._is_giving_way = now, self.gives_way()
        return min(self.limit, _COURTEOUS) if self._is_giving_way else self.limit

    @property
    def _pause(self) -> float:
        """Seconds for which nobody is let in."""
        if self._paused_until == -math.inf and not self._spacing.is_any:
            return 0.0
        now = time.monotonic()
        if self._paused_until <= now:
            self._paused_until = -math.inf
        return max(self._paused_until - now, self._spacing.left(now))

    def _let_in(self, most: int) -> None:
        while self._queue and self._inside < most and not self._pause:
            self._go_in()
            self._queue.popleft().release()

    def _go_in(self) -> None:
        self._inside += 1
        if self._spacing.is_any:
            self._spacing.go(time.monotonic())

    def _refused(self, status: int, retry_after: float | None) -> None:
        now = time.monotonic()
        self._calm_at = now + _CALM
        if status in _BUSY:
            self.busy += 1
        if retry_after:
            self._paused_until = max(self._paused_until, now + min(retry_after, LONGEST_PAUSE))
        if now >= self._halved_at + _HALVING:
            self._halved_at = now
            self.limit = max(1, self.limit // 2)
            self._ratios.clear()

    def _answered(self, kind: str, seconds: float) -> None:
        quickest = self._quickest.get(kind)
        if quickest is None:
            quickest = self._quickest[kind] = _Quickest()
        if kind == "manifests":
            self._manifests.append(seconds)
        if self._is_giving_way:  # then answers are quick whatever the limit is
            return
        self._ratios.append(quickest.ratio(seconds))
        if len(self._ratios) >= max(_FEWEST, _ROUNDS * self.limit):
            self._judge()

    def _judge(self) -> None:
        now = time.monotonic()
        waiting = self.limit * (1 - statistics.median(self._ratios))
        if waiting > _MANY:
            self.limit -= 1
        elif waiting < _FEW and self._was_full and now >= self._calm_at:
            self.limit = min(self.limit + 1, self._most)
        self._ratios.clear()
        self._was_full = bool(self._queue) or self._inside >= self.limit
        if now >= self._aged_at + _MEMORY:
            self._aged_at = now
            for quickest in self._quickest.values():
                quickest.age()


class _Quickest:
    """The shortest time of a kind of request, lately."""

    __slots__ = ("_since", "_time")

    def __init__(self) -> None:
        self._time = self._since = math.inf  # the second counts only what came since it aged

    def ratio(self, seconds: float) -> float:
        """What of `seconds` the quickest would have needed: 1 when nothing was waited for."""
        self._since = min(self._since, seconds)
        self._time = min(self._time, seconds)
        return self._time / seconds if seconds > 0 else 1.0

    def age(self) -> None:
        self._time, self._since = self._since, math.inf
