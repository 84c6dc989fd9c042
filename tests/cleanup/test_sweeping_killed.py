"""A worker is killed at every step of a sweep: every image is whole, and what nothing uses goes all the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.catalog.apart import prepare
from tests.killing import told_by
from tests.real_registry import RealRegistry
from tests.sampling import EVERY

pytestmark = [pytest.mark.long, pytest.mark.any_database]


@pytest.mark.parametrize(("step", "least"), [("request", 40), ("write", 12), ("file", 8)])
def test_every_image_is_whole(tmp_path: Path, step: str, least: int) -> None:
    with RealRegistry(tmp_path / "registry", storage={"cache": {"blobdescriptor": "inmemory"}}) as real:
        prepare(tmp_path / "data", real.url)

        ends = told_by("tests.cleanup.killing_sweeps", tmp_path / "data", real.url, str(real.storage), "--step", step)

        assert len(ends) > least // EVERY
        for number, end in enumerate(ends):
            said = f"of those killed after a {step}, number {number + 1}"
            assert end.pop("raced") in {"whole", "absent"}, said
            assert end == {
                "message": "",
                "state": "done",
                "kept": "whole",
                "aside": 0,
                "unsettled": 0,
                "trials": 0,
                "garbage": 0,
                "uploads": 0,
                "told of uploads": 1,
            }, said
