"""A worker is killed at every step of a run: a tag is the old or the complete new one, and nothing travels twice."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tests.catalog.apart import prepare
from tests.killing import told_by
from tests.pushing import Pusher
from tests.real_registry import RealRegistry
from tests.sampling import EVERY
from tests.sync.killing import NAME

pytestmark = [pytest.mark.long, pytest.mark.any_database]


@pytest.mark.parametrize(("step", "least"), [("request", 30), ("write", 15)])
def test_a_run_comes_to_its_end(tmp_path: Path, step: str, least: int) -> None:
    with RealRegistry(tmp_path / "source") as source, RealRegistry(tmp_path / "target") as target:
        prepare(tmp_path / "data", target.url)

        ends = told_by("tests.sync.killing", tmp_path / "data", source.url, "--step", step)

        assert len(ends) > least // EVERY
        new = {tag: _digest(Pusher(source.url, NAME).fetch(tag)) for tag in ("1.0", "2.0")}
        for number, end in enumerate(ends):
            said = f"of those killed after a {step}, number {number + 1}"
            old = end.pop("old")
            before = end.pop("before")
            assert before["1.0"] in {old, new["1.0"]}, said
            assert before["2.0"] in {"", new["2.0"]}, said
            assert end == {
                "state": "done",
                "after": new,
                "again": 0,
                "open": 0,
                "held": 0,
                "recorded": ["1.0", "2.0"],
                "synced": ["1.0", "2.0"],
            }, said


def _digest(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()
