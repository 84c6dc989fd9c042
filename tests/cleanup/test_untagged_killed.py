"""A worker is killed after every request, and every write, of a run: whoever goes on comes to the end of the plan."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.catalog.apart import prepare, scan_apart
from tests.cleanup.killing_untagged import push
from tests.killing import told_by
from tests.real_registry import RealRegistry, generations
from tests.sampling import EVERY

pytestmark = [pytest.mark.long, pytest.mark.sampled, pytest.mark.any_database]


@pytest.mark.parametrize("generation", generations())
@pytest.mark.parametrize(("step", "least"), [("request", 10), ("write", 20)])
def test_a_run_comes_to_its_end(tmp_path: Path, generation: str, step: str, least: int) -> None:
    with RealRegistry(tmp_path / "registry", generation) as registry:
        goes, stays = push(registry.url, registry.storage)
        prepare(tmp_path / "data", registry.url, registry.storage)
        assert scan_apart(tmp_path / "data").state == "done"
        line = (registry.url, str(registry.storage), "--step", step)

        ends = told_by("tests.cleanup.killing_untagged", tmp_path / "data", *line)

    assert len(ends) > least // EVERY
    for number, end in enumerate(ends):
        assert end == {
            "state": "done",
            "message": "Deleted: 6 of 6. Left alone: 0. Failed: 0. Repositories left alone: 0.",
            "items": ["done"],
            "notes": [""],
            "recorded": sorted(goes),
            "trash": sorted(goes),
            "open": 0,
            "there": sorted(stays),
        }, f"of those killed after a {step}, number {number + 1}"
