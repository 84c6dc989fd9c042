"""Parallel work in the order of its items, with a bound on how much is begun and on what is held of it."""

from __future__ import annotations

import sys
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import Final, Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")

_SOONER: Final = 8  # times as short are the runs of what somebody waits for
_RUNS_AHEAD: Final = 96  # they last while the catalog is written, several hundred tags at a time
# Seconds that a thread may compute before others get a turn. Python's own 5 ms are longer than a request takes: while
# the catalog is written, each answer would wait for that several times, and the registry with it.
_SWITCH: Final = 0.0005
_HELD: Final = 24 * 2**20  # bytes of results that nobody has taken yet, before the threads pause


@dataclass(slots=True)
class _Run(Generic[T, R]):
    """What came of the first items of a run, and those that were left because too much was held already."""

    results: list[R]
    left: list[T]


class Crew:
    """Threads that read ahead of whoever writes. How many of them ask the registry at once, its pace decides."""

    def __init__(self, threads: int, run: int = 8, slack: int = 0) -> None:
        """`run`: how many items one thread does in a row, since handing over costs a tenth of a request.

        `slack`: bytes that a run may hold beyond the bound before it is left, where what was begun would be done again.
        """
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="scan")
        self._soon = ThreadPoolExecutor(threads, thread_name_prefix="scan-soon")
        self._run, self._slack = run, slack
        self._held = 0
        self._counting = threading.Lock()
        self._interval = sys.getswitchinterval()
        sys.setswitchinterval(_SWITCH)

    def close(self) -> None:
        """Drop what has not begun; what has ends by itself."""
        for pool in (self._pool, self._soon):
            pool.shutdown(wait=False, cancel_futures=True)
        sys.setswitchinterval(self._interval)

    def map(
        self,
        function: Callable[[T], R],
        items: Iterable[T],
        weigh: Callable[[R], int] = lambda _: 0,
        *,
        soon: bool = False,
    ) -> Iterator[R]:
        """The results in the order of the items, begun at once. `weigh` says how many bytes a result holds.

        `soon`: somebody waits for it while other work is ahead, so it does not queue behind that.

        Four megabytes a manifest is what a registry may send, so threads stop when much is held, and what
        they left is done when its turn comes. At most the bound, and the slack and one result a thread are ever held.
        """
        return self.map_runs(lambda run: (function(item) for item in run), items, weigh, soon=soon)

    def map_runs(
        self,
        work: Callable[[list[T]], Generator[R]],
        items: Iterable[T],
        weigh: Callable[[R], int] = lambda _: 0,
        *,
        soon: bool = False,
    ) -> Iterator[R]:
        """The same, of a generator that is given a run of items and yields their results; it may be closed early."""
        source, pool = iter(items), self._soon if soon else self._pool
        length = self._run // (_SOONER if soon else 1)
        ahead: deque[Future[_Run[T, R]]] = deque()

        def fill() -> None:
            while len(ahead) < _RUNS_AHEAD and (run := list(islice(source, length))):
                ahead.append(pool.submit(self._work, work, run, weigh))

        def results() -> Iterator[R]:
            try:
                while ahead:
                    done = ahead.popleft().result()
                    yield from self._taken(done.results, weigh)
                    if done.left:
                        ahead.appendleft(pool.submit(self._work, work, done.left, weigh, is_next=True))
                    fill()
            finally:
                for future in ahead:
                    future.cancel()

        fill()
        return results()

    def _work(
        self,
        work: Callable[[list[T]], Generator[R]],
        items: list[T],
        weigh: Callable[[R], int],
        *,
        is_next: bool = False,
    ) -> _Run[T, R]:
        results: list[R] = []
        if self._held > _HELD and not is_next:
            return _Run(results, items)
        with closing(work(items)) as done:
            while len(results) < len(items):
                if self._held > _HELD + self._slack and not (is_next and not results):
                    break
                result = next(done)
                self._hold(weigh(result))
                results.append(result)
        return _Run(results, items[len(results) :])

    def _taken(self, results: list[R], weigh: Callable[[R], int]) -> Iterator[R]:
        for result in results:
            self._hold(-weigh(result))
            yield result

    def _hold(self, weight: int) -> None:
        if weight:
            with self._counting:
                self._held += weight
