from __future__ import annotations

from datetime import timedelta

from notices.policy import LONGEST_REST, MOST_ASKED, WAITS, pause, rest, wait


def test_it_waits_longer_each_time_and_then_gives_up() -> None:
    for attempts, planned in enumerate(WAITS, 1):
        waited = wait(attempts)
        assert waited is not None
        assert planned * 0.8 <= waited <= planned * 1.2

    assert wait(len(WAITS) + 1) is None


def test_it_waits_as_long_as_it_is_asked_to_within_reason() -> None:
    assert wait(1, 3600) == timedelta(hours=1)
    assert wait(1, 10**9) == MOST_ASKED
    assert rest(1, 3600) == timedelta(hours=1)
    waited = wait(7, 1)  # to be asked for less than is planned shortens nothing
    assert waited is not None
    assert waited > timedelta(hours=19)


def test_a_recipient_that_fails_rests_for_half_an_hour_at_most() -> None:
    assert rest(1) == WAITS[0]
    assert rest(100) == LONGEST_REST


def test_one_that_is_slow_rests_too() -> None:
    assert pause(0.2) is None
    assert pause(4.0) == timedelta(seconds=12)
