"""Whoever handles events is killed after each of its writes, and the next comes to the same end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from registries.models import Registry
from tests.catalog.apart import prepare, run
from tests.catalog.arrivals.station import Station
from tests.ear import Ear
from tests.killing import told_by
from tests.real_registry import RealRegistry
from tests.sampling import EVERY

pytestmark = pytest.mark.long


def test_killed_after_any_write_nothing_is_lost_or_counted_twice(tmp_path: Path) -> None:
    with Ear() as ear, RealRegistry(tmp_path / "registry", settings=ear.settings()) as real:
        station = Station(real, Registry(name="test"), ear)
        bodies = _busy(station)
        prepare(tmp_path / "data", real.url)
        run(tmp_path / "data", "manage.py", "migrate", "audit", "--database", "inbox", "--verbosity", "0")
        told = tmp_path / "bodies"
        told.write_bytes(b"\n".join(json.dumps(json.loads(body)).encode() for body in bodies))
        ends = told_by("tests.catalog.arrivals.killing", tmp_path / "data", str(told))
    assert len(ends) > 50 // EVERY
    undisturbed = ends[-1]
    assert undisturbed["inbox"] == 0
    assert undisturbed["handled"] == len(bodies)
    assert [act for act, *_ in undisturbed["story"]].count("pull") == 2
    for number, end in enumerate(ends):
        for part, found in end.items():
            assert found == undisturbed[part], f"{part}, of those killed after a write number {number + 1}"


def _busy(station: Station) -> list[bytes]:
    push = station.pusher()
    push.image("1.0", "gone")
    push.image("1.0", seed="new")
    children = [push.image(seed="index"), push.image(platform="linux/arm64", seed="index")]
    push.index("2.0", children=children)
    gone = push.image("3.0", seed="gone")
    for path in ("1.0", "2.0", children[0]):
        station.ask("GET", f"team/app/manifests/{path}")
    station.ask("HEAD", "team/app/manifests/1.0")
    station.ask("DELETE", f"team/app/manifests/{gone}")
    return station.heard()
