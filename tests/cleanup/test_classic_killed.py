"""A worker is killed at every step of a sweep by commands: the registry is opened again, and what is used is whole."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.catalog.apart import prepare
from tests.cleanup import deadly
from tests.cleanup.switched import Switched, written
from tests.killing import told_by
from tests.pushing import Pusher
from tests.sampling import EVERY

pytestmark = [pytest.mark.long, pytest.mark.any_database]


@pytest.mark.parametrize(("step", "least"), [("command", 10), ("write", 25)])
def test_it_is_opened_again(step: str, least: int, tmp_path: Path) -> None:
    with Switched(tmp_path / "registry") as registry:
        Pusher(registry.url, "team/app").image("kept", seed="kept", layers=[f"kept {n}".encode() for n in range(20)])
        kept = len(registry.blobs())
        prepare(tmp_path / "data", registry.url)
        way = registry.way()
        if step == "command":
            kill = [sys.executable, "-I", "-S", deadly.__file__, str(registry.folder)]
            way |= {name: [[*kill, *way[name][0]]] for name in ("read-only-on", "read-only-off")}
            way["garbage-collect"] = [*kill, *registry.collect]
        commands = written(tmp_path / "own/commands.toml", way)

        ends = told_by(
            "tests.cleanup.killing_classic",
            tmp_path / "data",
            *(str(registry.folder), registry.url, "--step", step),
            BERTH_CLEANUP_COMMANDS=str(commands),
        )

    assert len(ends) >= least // EVERY
    for number, end in enumerate(ends):
        said = f"of those killed after a {step}, number {number + 1}"
        assert end.pop("first") in {"done", "broken-off", "new", ""}, said
        assert end == {
            "is_open": True,
            "closed": False,
            "last": "done",
            "stuck": 0,
            "begun": 0,
            "blobs": kept,
            "kept": True,
            "again": True,
        }, said
