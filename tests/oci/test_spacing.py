from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as some

from oci.spacing import Spacing

RATES = some.floats(0.1, 1000)
PAUSES = some.lists(some.floats(0, 30), max_size=40)


@given(RATES, PAUSES)
def test_no_two_are_nearer_than_they_may_be(rate: float, pauses: list[float]) -> None:
    spacing, now, went = Spacing(rate), 100.0, list[float]()
    for pause in pauses:
        now += pause
        now += spacing.left(now)
        spacing.go(now)
        went.append(now)

    assert all(after - before >= 1 / rate * (1 - 1e-9) for before, after in pairwise(went))


@given(RATES, some.floats(0, 1e6))
def test_the_first_and_whoever_comes_late_enough_go_at_once(rate: float, pause: float) -> None:
    spacing = Spacing(rate)
    assert spacing.left(pause) == 0
    spacing.go(pause)
    assert spacing.left(pause + 1.001 / rate) == 0


@given(PAUSES)
def test_without_a_rate_nobody_waits(pauses: list[float]) -> None:
    spacing, now = Spacing(), 0.0
    for pause in pauses:
        now += pause
        assert spacing.left(now) == 0
        spacing.go(now)
    assert not spacing.is_any
