"""A worker is killed at every step of retention: what was doomed goes once, and all else stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.catalog.apart import prepare, scan_apart
from tests.cleanup.retention.killing import GOING, STAYING, push
from tests.killing import told_by
from tests.real_registry import RealRegistry
from tests.sampling import EVERY

pytestmark = [pytest.mark.long, pytest.mark.any_database]


@pytest.mark.parametrize(("step", "least"), [("request", 10), ("write", 30)])
def test_a_run_comes_to_its_end(tmp_path: Path, step: str, least: int) -> None:
    with RealRegistry(tmp_path / "registry") as registry:
        going = sorted(push(registry.url))
        prepare(tmp_path / "data", registry.url)
        assert scan_apart(tmp_path / "data").state == "done"

        ends = told_by("tests.cleanup.retention.killing", tmp_path / "data", registry.url, "--step", step)

        assert len(ends) > least // EVERY
        assert set(GOING) < set(going)
        for number, end in enumerate(ends):
            assert end == {
                "states": ["done"],
                "tags": ["done"],
                "recorded": going,
                "trash": going,
                "live": sorted(STAYING),
                "listed": sorted(STAYING),
                "unfinished": 0,
            }, f"of those killed after a {step}, number {number + 1}"
