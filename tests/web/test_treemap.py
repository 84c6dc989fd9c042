"""Boxes side by side: their areas are as the sizes are, they fill the drawing, and none covers another."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web.storage.treemap import Box, boxes

pytestmark = pytest.mark.any_database

ALL = 100.0 * 100.0  # percent of the width by percent of the height
SIZES = st.lists(st.integers(min_value=1, max_value=1_000), min_size=1, max_size=40)
HUGE = st.lists(st.integers(min_value=1, max_value=2**63 - 1), min_size=1, max_size=40)


def area(box: Box) -> float:
    return box.width * box.height


def overlap(one: Box, other: Box) -> float:
    width = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    height = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    return max(0.0, width) * max(0.0, height)


@given(SIZES)
def test_areas_are_as_sizes_are_and_fill_the_drawing(found: list[int]) -> None:
    sizes = sorted(found, reverse=True)
    drawn = boxes(sizes)
    assert len(drawn) == len(sizes)
    for size, box in zip(sizes, drawn, strict=True):
        assert area(box) == pytest.approx(ALL * size / sum(sizes), rel=1e-6, abs=1e-6)
        assert min(box.x, box.y) >= 0
        assert max(box.x + box.width, box.y + box.height) <= 100 + 1e-6
    assert sum(overlap(one, other) for i, one in enumerate(drawn) for other in drawn[:i]) < 1e-3


@given(HUGE)
def test_sizes_that_a_pusher_made_up_stay_in_the_drawing(found: list[int]) -> None:
    drawn = boxes(sorted(found, reverse=True))
    assert len(drawn) == len(found)
    for box in drawn:
        assert min(box.width, box.height) > 0
        assert max(box.x + box.width, box.y + box.height) <= 100 + 1e-6


def test_equal_sizes_are_no_stripes() -> None:
    for box in boxes([5] * 12):
        assert 0.4 < box.width * 2.4 / box.height < 2.5


def test_nothing_is_drawn_of_nothing() -> None:
    assert boxes([]) == []
