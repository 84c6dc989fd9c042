"""A worker is killed at every write of a check: whoever goes on finds the same, and raises one alarm."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.catalog.apart import prepare
from tests.killing import told_by
from tests.pushing import Pusher
from tests.real_registry import RealRegistry
from tests.storage_layout import StorageLayout

pytestmark = [pytest.mark.long, pytest.mark.sampled, pytest.mark.any_database]


def test_a_check_comes_to_its_end(tmp_path: Path) -> None:
    with RealRegistry(tmp_path / "registry") as real:
        for name in ("a", "b", "c"):
            push = Pusher(real.url, name)
            digest = push.image("broken", "alias", seed=name)
            push.image("whole", seed=f"whole {name}")
            config = json.loads(push.fetch(digest))["config"]["digest"]
            StorageLayout(real.storage).data(config).unlink()
        prepare(tmp_path / "data", real.url, real.storage)

        ends = told_by("tests.cleanup.killing", tmp_path / "data")

    assert len(ends) > 10
    for number, end in enumerate(ends):
        assert end == {
            "state": "done",
            "figures": [3, 9, 6, 6, 0],
            "found": [[name, tag, "no-config", True] for name in "abc" for tag in ("alias", "broken")],
            "halts": 1,
            "alarms": 1,
        }, f"of those killed after a write, number {number + 1}"
