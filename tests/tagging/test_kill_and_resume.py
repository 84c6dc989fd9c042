"""A worker is killed after every single step of a plan; whoever resumes it comes to the end that the plan says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.catalog.apart import ROOT, prepare, scan_apart
from tests.real_registry import RealRegistry, generations
from tests.tagging.killing import KEPT, push

TAGS = 20


@pytest.mark.parametrize("step", ["request", "write"])
@pytest.mark.parametrize("generation", generations())
def test_the_final_set_is_the_plan_and_each_item_is_recorded_once(tmp_path: Path, generation: str, step: str) -> None:
    with RealRegistry(tmp_path / "registry", generation) as registry:
        names = push(registry.url, TAGS)
        prepare(tmp_path / "data", registry.url)
        assert scan_apart(tmp_path / "data").state == "done"

        ends = _run(tmp_path / "data", registry.url, "--step", step)

        assert len(ends) > (2 * TAGS if step == "request" else 15)
        for number, end in enumerate(ends):
            assert end == {
                "state": "done",
                "message": f"Done: {TAGS} of {TAGS}.",
                "items": ["done"],
                "recorded": sorted(names),
                "trash": sorted(names),
                "live": sorted(KEPT),
                "open": 0,
                "listed": sorted(KEPT),
            }, f"killed after {step} {number + 1}"


@pytest.mark.parametrize("generation", generations())
def test_two_people_delete_different_aliases_of_one_digest_at_once(tmp_path: Path, generation: str) -> None:
    with RealRegistry(tmp_path / "registry", generation) as registry:
        names = push(registry.url, TAGS)
        prepare(tmp_path / "data", registry.url)
        assert scan_apart(tmp_path / "data").state == "done"

        (end,) = _run(tmp_path / "data", registry.url, "--at-once", "different")

    assert end == {
        "messages": ["Done: 10 of 10."] * 2,
        "recorded": sorted(names),
        "live": sorted(KEPT),
        "listed": sorted(KEPT),
    }


@pytest.mark.parametrize("generation", generations())
def test_one_plan_carried_out_twice_at_once_does_nothing_twice(tmp_path: Path, generation: str) -> None:
    with RealRegistry(tmp_path / "registry", generation) as registry:
        names = push(registry.url, TAGS)
        prepare(tmp_path / "data", registry.url)
        assert scan_apart(tmp_path / "data").state == "done"

        (end,) = _run(tmp_path / "data", registry.url, "--at-once", "same")

    rest = sorted([*names[10:], *KEPT])
    assert end == {"messages": ["Done: 10 of 10."], "recorded": sorted(names[:10]), "live": rest, "listed": rest}


def _run(data: Path, url: str, *options: str) -> list[dict[str, object]]:
    line = [sys.executable, "-m", "tests.tagging.killing", url, str(TAGS), *options]
    environment = {**os.environ, "BERTH_DATA": str(data), "DJANGO_SETTINGS_MODULE": "registry_ui.settings"}
    environment.pop("DATABASE_URL", None)
    environment["REDIS_URL"] = "memory://"  # else each would wait for a broker that is not there
    with subprocess.Popen(line, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        ends = [json.loads(told) for told in process.stdout]
    assert process.returncode == 0
    return ends
