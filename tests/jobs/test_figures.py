from __future__ import annotations

import pytest

from jobs.figures import Figure


@pytest.mark.parametrize(
    ("value", "figure"),
    [
        (7, Figure(7)),
        ([7, 9], Figure(7, 9)),
        ([7, None], Figure(7)),
        (True, None),
        (None, None),
        ("7", None),
        ([7], None),
        ([7, "9"], None),
        ({"done": 7}, None),
    ],
)
def test_a_figure_is_a_count_with_or_without_its_total(value: object, figure: Figure | None) -> None:
    assert Figure.read(value) == figure
