"""A job that writes much leaves gaps in which others can write."""

from __future__ import annotations

import pytest
from django.db import connection

from jobs import turns
from jobs.turns import Turn

pytestmark = pytest.mark.django_db(transaction=True)

needs_sqlite = pytest.mark.skipif("connection.vendor != 'sqlite'", reason="PostgreSQL queues its writers itself")


class Clock:
    """What `time` is to the module: it moves when somebody sleeps, or when told to."""

    def __init__(self) -> None:
        self.now, self.slept = 1_000.0, 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept += seconds
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(turns, "time", clock)
    return clock


def write(turn: Turn, clock: Clock, seconds: float, rest: float = 0.0) -> None:
    with turn.taken():
        clock.now += seconds
    clock.now += rest


@needs_sqlite
def test_whoever_writes_without_a_gap_makes_one(clock: Clock) -> None:
    turn = Turn()
    for _ in range(20):
        write(turn, clock, 0.02, rest=0.001)

    # Five transactions of 20 ms exceed what may be held in a row; the sixth waits until a gap is long enough.
    assert clock.slept == pytest.approx(3 * (0.026 - 0.001), abs=0.001)


@needs_sqlite
def test_work_between_two_transactions_is_a_gap_by_itself(clock: Clock) -> None:
    turn = Turn()
    for _ in range(20):
        write(turn, clock, 0.06, rest=0.03)

    assert clock.slept == 0


@needs_sqlite
def test_a_gap_is_as_long_as_the_pause_of_whoever_waits() -> None:
    """SQLite's own pauses, sqliteDefaultBusyCallback in its main.c: within 100 ms no two looks are further apart."""
    pauses = [1, 2, 5, 10, 15, 20, 25, 25]
    assert sum(pauses) >= 100
    assert max(pauses) / 1000 < turns._GAP


@needs_sqlite
def test_a_gap_is_used_to_empty_the_log(clock: Clock) -> None:
    turn, statements = Turn(), []

    def note(execute: object, sql: str, params: object, many: bool, context: object) -> object:
        statements.append(sql)
        return execute(sql, params, many, context)  # type: ignore[operator]

    with connection.execute_wrapper(note):
        for _ in range(6):
            write(turn, clock, 0.06)

    assert [sql for sql in statements if "wal_checkpoint" in sql]


@needs_sqlite
def test_a_fault_while_writing_ends_the_turn(clock: Clock) -> None:
    turn = Turn()

    def fail() -> None:
        with turn.taken():
            clock.now += 1
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    write(turn, clock, 0.01)

    assert clock.slept > 0, "what was held counts though it failed"
