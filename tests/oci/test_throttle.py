"""How fast bytes come at most, by a clock that stands still until somebody waits."""

from __future__ import annotations

import threading
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as some

from oci.calls import CALL, call
from oci.throttle import Throttle

RATES = some.integers(10_000, 10**9)
TAKEN = some.lists(some.tuples(some.floats(0, 60), some.integers(1, 10**7)), min_size=1, max_size=40)


class Clock:
    def __init__(self) -> None:
        self.now, self.waited = 1000.0, list[float]()

    def wait(self, seconds: float, _stopped: threading.Event | None) -> None:
        assert seconds > 0
        self.now += seconds
        self.waited.append(seconds)

    def throttle(self, rate: float) -> Throttle:
        return Throttle(rate, now=lambda: self.now, wait=self.wait)


@given(RATES, TAKEN)
def test_never_more_than_the_rate_since_any_moment(rate: int, taken: list[tuple[float, int]]) -> None:
    clock = Clock()
    throttle, let_through = clock.throttle(rate), list[tuple[float, int]]()
    for pause, count in taken:
        clock.now += pause
        assert throttle.take(count)
        let_through.append((clock.now, count))

    for begin in range(len(let_through)):
        since = let_through[begin][0]
        for moment, sum_ in zip(
            (moment for moment, _ in let_through[begin + 1 :]),
            accumulate(count for _, count in let_through[begin + 1 :]),
            strict=True,
        ):
            assert sum_ <= rate * (moment - since) * (1 + 1e-6) + 1


@given(RATES, some.lists(some.integers(1, 10**7), min_size=1, max_size=40))
def test_who_always_has_more_gets_the_whole_rate(rate: int, counts: list[int]) -> None:
    clock = Clock()
    throttle, began = clock.throttle(rate), clock.now
    for count in counts:
        throttle.take(count)

    assert abs((clock.now - began) - sum(counts) / rate) < 1e-6 * max(1, sum(counts) / rate)


@given(RATES, some.integers(1, 10**7))
def test_what_comes_slowly_by_itself_waits_only_for_itself(rate: int, count: int) -> None:
    clock = Clock()
    throttle = clock.throttle(rate)
    throttle.take(count)
    clock.now += 3600
    clock.waited.clear()
    throttle.take(count)

    assert abs(sum(clock.waited) - count / rate) < 1e-6


def test_a_run_that_is_stopped_waits_no_more() -> None:
    stopped, clock = threading.Event(), Clock()

    def wait(_seconds: float, event: threading.Event | None) -> None:
        assert event is stopped  # which a real clock waits for
        stopped.set()

    throttle = Throttle(1, now=lambda: clock.now, wait=wait)

    assert not throttle.take(10**9, stopped)
    assert not throttle.take(1, stopped)
    assert clock.now == 1000


def test_a_real_clock_is_woken() -> None:
    stopped = threading.Event()
    answers: list[bool] = []
    thread = threading.Thread(target=lambda: answers.append(Throttle(1).take(10**9, stopped)))
    thread.start()
    stopped.set()
    thread.join(60)

    assert answers == [False]


def test_who_sends_on_what_came_is_not_late_for_the_wait() -> None:
    clock = Clock()
    with call(connect=1, read=1, total=10):
        before = CALL.deadline
        clock.throttle(10).take(1000)
        assert CALL.deadline - before == 100


def test_who_comes_while_others_wait_comes_after_them() -> None:
    wanted: list[float] = []

    def interrupted(seconds: float, _: threading.Event | None) -> None:
        wanted.append(seconds)
        raise KeyboardInterrupt  # so that the clock stands still

    throttle = Throttle(1000, now=lambda: 0.0, wait=interrupted)
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            throttle.take(1000)

    assert wanted == [1, 2, 3]
