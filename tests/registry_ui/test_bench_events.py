"""`./run bench events`: what it counts does not depend on how fast the machine is."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.registry_ui.processes import bench

pytestmark = pytest.mark.long


@pytest.mark.sampled
def test_nothing_that_is_told_is_lost() -> None:
    done = bench("events", "--tiny", "--json")

    told: dict[str, Any] = json.loads(done.stdout)
    rows = {row["what"]: row for row in told["rows"]}
    assert done.returncode == (0 if all(row["ok"] for row in told["rows"]) else 1)
    assert rows["event taken in, against the bare view"]["limit"] == 2
    assert rows["while a scan writes: events taken in"]["value"] > 0
    assert rows["while a scan writes: events lost"]["value"] == 0
    assert rows["while a scan writes: pulls without an entry"]["value"] == 0
    assert rows["push to visible, quietly: median"]["value"] > 0
    assert rows["push to visible, while two scans run: p99"]["limit"] is None, "too few to judge by"
