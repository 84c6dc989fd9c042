"""Threads that look, while the thread of the job, which alone knows the database, tells how far they are."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from itertools import islice
from typing import Final, TypeVar

T = TypeVar("T")
R = TypeVar("R")

_AHEAD: Final = 4  # items a thread that are begun
_LOOK: Final = 0.25  # seconds between two times that it is told how far they are
_OFTEN: Final = 64  # items between them, without threads


class Ended(Exception):  # noqa: N818  an event: the job is over, or somebody stopped it
    """Whoever reads on is not waited for any more."""


class Crew:
    """`tick` is called often, in the thread that takes the results; what it raises ends all."""

    def __init__(self, threads: int, tick: Callable[[], None]) -> None:
        self._tick, self._threads = tick, threads
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="verify") if threads else None
        self._ended = threading.Event()

    def check(self) -> None:
        """For whoever takes long: raises Ended once nobody waits for it."""
        if self._ended.is_set():
            raise Ended

    def map(self, function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        """The results, in the order of the items."""
        if self._pool is None:
            for count, item in enumerate(items):
                if not count % _OFTEN:
                    self._tick()
                yield function(item)
            return
        rest = iter(items)
        begun: deque[Future[R]] = deque()
        while True:
            begun.extend(
                self._pool.submit(function, item) for item in islice(rest, self._threads * _AHEAD - len(begun))
            )
            if not begun:
                return
            while not wait([begun[0]], timeout=_LOOK).done:
                self._tick()
            self._tick()
            yield begun.popleft().result()

    def close(self) -> None:
        self._ended.set()
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
