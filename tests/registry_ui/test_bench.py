"""`./run bench`: what it prints, and when it fails."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from registry_ui.bench import storage_data
from registry_ui.bench.baseline import read_everything, read_tags
from registry_ui.bench.storage_data import Shape
from registry_ui.bench.table import Row, as_json, as_table
from tests.registry_ui.processes import ROOT, bench


def running_in(folder: Path) -> list[str]:
    """Processes that were told to put their files there."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if f"TMPDIR={folder}".encode() in (entry / "environ").read_bytes().split(b"\0"):
                found.append((entry / "cmdline").read_text())
        except OSError:
            continue  # it has just ended, or is another's
    return found


@pytest.mark.sampled
def test_a_bench_prints_json_and_nothing_else() -> None:
    done = bench("scan", "--tiny", "--json")

    told: dict[str, Any] = json.loads(done.stdout)
    assert told.keys() == {"bench", "machine", "rows"}
    assert told["bench"] == "scan"
    assert all(row.keys() == {"what", "value", "unit", "limit", "ok"} for row in told["rows"])
    assert done.returncode == (0 if all(row["ok"] for row in told["rows"]) else 1)
    assert "first scan" in done.stderr, "progress goes beside the figures"
    rows = {row["what"]: row for row in told["rows"]}
    counted = [row for row in told["rows"] if row["unit"] in {"requests", "events"} and row["limit"] is not None]
    assert counted
    assert all(row["ok"] for row in counted), "requests do not depend on how fast the machine is"
    assert rows["API of 2.8: first scan, manifests by tag"]["value"] == 60
    assert rows["API of 2.8: unchanged scan, pull events"]["value"] == 0
    assert rows["Folder: first scan, peak memory"]["ok"]
    assert rows["Folder: page during a scan, image"]["limit"] is None, "too few to judge by"
    assert rows["Folder: page during a scan, all of them"]["value"] > 0
    assert rows["API of 2.8: page during a scan, all of them"]["value"] > 0


def test_a_bench_that_is_asked_to_end_leaves_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "registry_ui.bench", "scan", "--tiny"]
    settings = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        command, cwd=ROOT, env=settings, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as running:
        assert running.stderr
        while b"first scan" not in running.stderr.readline():
            assert running.poll() is None
        assert running_in(tmp_path)
        running.terminate()
        assert running.wait(20) == 128 + signal.SIGTERM

    assert not list(tmp_path.iterdir())
    assert not running_in(tmp_path)


def test_without_a_name_it_says_what_there_is() -> None:
    done = bench()
    assert (done.returncode, done.stdout) == (0, "")
    assert "./run bench scan" in done.stderr


@pytest.mark.parametrize(("words", "said"), [(["walk"], "no bench walk"), (["scan", "--data", "/"], "docker/registry")])
def test_what_cannot_be_measured_says_why(words: list[str], said: str) -> None:
    done = bench(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


def test_a_figure_is_judged_by_its_limit() -> None:
    assert Row("a", 1.5, "s", 1.5).ok
    assert not Row("a", 1.51, "s", 1.5).ok
    assert Row("a", 1000, "/s", 1000, at_least=True).ok
    assert not Row("a", 999, "/s", 1000, at_least=True).ok
    assert Row("a", 9e9, "s").ok
    assert not Row("a", 0, "s", 1, void=True).ok


def test_a_table_says_what_json_says() -> None:
    rows = [Row("how long", 1234.5, "s", 2000), Row("how often", 7, "requests", 3)]
    table = as_table("scan", {"cpus": 2}, rows)
    assert "scan: cpus 2" in table
    assert [line.split()[-1] for line in table.splitlines()[-2:]] == ["ok", "OK"]
    assert "NOT OK" in table.splitlines()[-1]
    assert json.loads(as_json("scan", {"cpus": 2}, rows))["rows"][1] == {
        "what": "how often",
        "value": 7,
        "unit": "requests",
        "limit": 3,
        "ok": False,
    }


def test_the_data_have_the_shape_that_was_asked_for_and_the_same_digests_each_time(tmp_path: Path) -> None:
    for name in ("one", "two"):
        storage_data.write(tmp_path / name, Shape(4, 20), 1)

    found = read_everything(tmp_path / "one")
    assert (len(found.repositories), len(found.tags)) == (4, 80)
    assert read_tags(tmp_path / "one") == 80
    assert found.children, "some are images for several platforms"
    assert read_everything(tmp_path / "two").manifests == found.manifests
