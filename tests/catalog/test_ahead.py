"""Reading ahead: in order, and never more in memory than is allowed."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import closing

import pytest

from catalog.scanning import ahead
from catalog.scanning.ahead import Crew


@pytest.fixture
def crew() -> Iterator[Crew]:
    crew = Crew(8)
    yield crew
    crew.close()


def test_results_come_in_the_order_of_their_items(crew: Crew) -> None:
    def slow_at_first(number: int) -> int:
        time.sleep(0.02 if number < 8 else 0)
        return number

    assert list(crew.map(slow_at_first, range(500))) == list(range(500))


def test_what_is_held_stays_within_a_bound_and_one_result_a_thread(crew: Crew, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "_HELD", 10)
    counting, held, most = threading.Lock(), [0], [0]

    def read(number: int) -> int:
        with counting:
            held[0] += 4
            most[0] = max(most[0], held[0])
        return number

    for number, result in enumerate(crew.map(read, range(300), lambda _: 4)):
        assert result == number
        time.sleep(0.0005)  # who writes is slower than who reads
        with counting:
            held[0] -= 4

    assert most[0] <= 10 + 4 * (8 + 8), "the bound, a result of each thread, and the run that is taken"


def test_a_run_with_some_slack_is_hardly_ever_begun_again() -> None:
    begun = [0]

    def read(run: list[int]) -> Generator[int]:
        begun[0] += len(run)
        yield from run

    with closing(Crew(1, 64, 2**21)) as crew:
        for _ in crew.map_runs(read, range(6_000), lambda _: 20_000):
            time.sleep(0.0001)  # who writes is slower than who reads
    assert begun[0] < 1.1 * 6_000


def test_what_somebody_waits_for_does_not_queue_behind_the_rest(crew: Crew) -> None:
    gate = threading.Event()
    later = crew.map(lambda _: gate.wait(5), range(1_000))
    waiting = threading.Thread(target=lambda: next(later))
    waiting.start()
    try:
        assert list(crew.map(lambda number: number, range(20), soon=True)) == list(range(20))
    finally:
        gate.set()
        waiting.join()


def test_a_failure_is_raised_where_its_result_would_be(crew: Crew) -> None:
    def fail(number: int) -> int:
        if number == 20:
            raise ZeroDivisionError
        return number

    results = crew.map(fail, range(100))
    assert [next(results) for _ in range(16)] == list(range(16))
    with pytest.raises(ZeroDivisionError):
        list(results)


def test_threads_take_turns_often_only_while_a_crew_is_there() -> None:
    before = sys.getswitchinterval()
    crew = Crew(1)
    assert sys.getswitchinterval() == pytest.approx(0.0005)
    crew.close()
    assert sys.getswitchinterval() == pytest.approx(before)
