"""What is taken out of the inbox at once."""

from __future__ import annotations

import tracemalloc

import pytest

from audit import inbox

pytestmark = pytest.mark.django_db(databases="__all__")


def test_however_much_waits_little_of_it_is_in_the_memory() -> None:
    body = b"x" * inbox.LARGEST
    for _ in range(20):
        inbox.store(1, body, len(body))
    tracemalloc.start()
    try:
        taken = inbox.take(100)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(taken) == 1
    assert peak < 5 * inbox.LARGEST


def test_many_small_ones_come_together_and_in_their_order() -> None:
    for number in range(200):
        inbox.store(1, b"x" * 2_000, 2_000 + number)
    assert [delivery.size for delivery in inbox.take(100)] == [2_000 + number for number in range(100)]
    assert len(inbox.take(100)) == 1  # it was begun before
