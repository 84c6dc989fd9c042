"""A short form of the stress: eight push and four pull while sweeps with tiny grace times run, and are killed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cleanup.stress import stress
from tests.real_registry import RealRegistry

pytestmark = [pytest.mark.long, pytest.mark.sampled(3), pytest.mark.any_database]

SECONDS = 8


@pytest.mark.parametrize("kill_every", [0, 2], ids=["lives", "is-killed"])
def test_nothing_that_was_pushed_is_ever_broken(tmp_path: Path, kill_every: float) -> None:
    with RealRegistry(tmp_path / "registry", storage={"cache": {"blobdescriptor": "inmemory"}}) as real:
        told = stress(real, tmp_path / "data", SECONDS, kill_every)
    assert told.broken == []
    assert told.counts["pushed"] > 10
    assert told.counts["pulled"] > 10
    assert told.counts["blobs deleted"] > 0
    assert told.counts["blobs aside"] == 0
    assert bool(told.counts["killed"]) is bool(kill_every)
