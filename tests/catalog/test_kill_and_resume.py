"""A scan is killed at ten places, run again, and comes to the same end as one that nobody disturbed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.pushing import Pusher
from tests.real_registry import RealRegistry

ROOT = Path(__file__).resolve().parents[2]
FRACTIONS = (0.08, 0.3, 0.5, 0.7, 0.93)


class Undisturbed(NamedTuple):
    picture: dict[str, Any]
    requests: int
    writes: int


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealRegistry]:
    """A few repositories with something of everything."""
    with RealRegistry(tmp_path_factory.mktemp("registry")) as registry:
        app = Pusher(registry.url, "team/app")
        for version in range(4):
            base = app.image(seed=str(version), layers=[b"base", str(version).encode()])
            arm = app.image(seed=str(version), platform="linux/arm64", layers=[b"base", str(version).encode()])
            attestation = app.attestation({"about": version})
            app.index(f"1.{version}", f"v1.{version}", children=[base, arm], attestations={attestation: base})
        other = Pusher(registry.url, "copy")
        other.image("1", "2", seed="0", layers=[b"base", b"0"])
        Pusher(registry.url, "team/charts").chart("1.0.0")
        Pusher(registry.url, "broken").image("whole", "torn")
        torn = registry.storage / "docker/registry/v2/repositories/broken/_manifests/tags/torn/current/link"
        torn.unlink()
        yield registry


@pytest.fixture(scope="module")
def blank(tmp_path_factory: pytest.TempPathFactory, registry: RealRegistry) -> Path:
    """A data folder with a database that knows the registry and nothing of what is in it."""
    folder = tmp_path_factory.mktemp("blank")
    run(folder, "manage.py", "migrate", "--verbosity", "0")
    make = f"from registries.models import Registry; Registry.objects.create(name='test', url='{registry.url}')"
    run(folder, "manage.py", "shell", "--verbosity", "0", "--command", make)
    return folder


@pytest.fixture(scope="module")
def undisturbed(blank: Path, tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    folder = shutil.copytree(blank, tmp_path_factory.mktemp("undisturbed") / "data")
    state, requests, writes, *_ = run(folder, "-m", "tests.catalog.scan_process").split()
    assert state == "done"
    return Undisturbed(picture_of(folder), int(requests), int(writes))


def run(folder: Path, *words: str, died: bool = False) -> str:
    environment = {**os.environ, "BERTH_DATA": str(folder), "DJANGO_SETTINGS_MODULE": "registry_ui.settings"}
    environment.pop("DATABASE_URL", None)
    done = subprocess.run(
        [sys.executable, *words], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == (-9 if died else 0), done.stderr
    return done.stdout


def picture_of(folder: Path) -> dict[str, Any]:
    script = (
        "import json; from tests.catalog.picture import check_counters, picture; check_counters();"
        " print(json.dumps(picture(), default=str))"
    )
    result: dict[str, Any] = json.loads(run(folder, "manage.py", "shell", "--verbosity", "0", "--command", script))
    return result


@pytest.mark.parametrize("fraction", FRACTIONS)
@pytest.mark.parametrize("counted", ["request", "write"])
def test_a_scan_that_was_killed_comes_to_the_same_end(
    blank: Path, undisturbed: Undisturbed, tmp_path: Path, counted: str, fraction: float
) -> None:
    folder = shutil.copytree(blank, tmp_path / "data")
    total = undisturbed.requests if counted == "request" else undisturbed.writes
    run(folder, "-m", "tests.catalog.scan_process", f"--die-at-{counted}", str(int(total * fraction) + 1), died=True)

    state, *_ = run(folder, "-m", "tests.catalog.scan_process").split()

    assert state == "done"
    assert picture_of(folder) == undisturbed.picture
