"""The database is locked, or its disk is full, while a scan writes: it is given back, and comes to the same end."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.catalog.apart import prepare, scan_apart
from tests.catalog.serving import serve
from tests.hostile import Asked, Hostile, Reply

TAGS = 300  # more than the batch that is written while others are read


@pytest.fixture(scope="module")
def registry() -> Iterator[Hostile]:
    with Hostile() as registry:
        serve(registry, app=[f"1.{number}" for number in range(TAGS)], tool=["1", "2"])
        yield registry


@pytest.fixture(scope="module")
def blank(registry: Hostile, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("faults") / "blank"
    prepare(folder, registry.url)
    return folder


@pytest.fixture(scope="module")
def undisturbed(blank: Path) -> dict[str, Any]:
    folder = shutil.copytree(blank, blank.parent / "undisturbed")
    scanned = scan_apart(folder)
    assert scanned.state == "done"
    return scanned.picture


@pytest.fixture
def data(blank: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(blank, tmp_path / "data"))


class Lock:
    """Somebody who begins to write when the registry is asked for a tag, and takes their time."""

    def __init__(self, data: Path, seconds: float) -> None:
        self.seconds = seconds
        # On its way to another thread, since whoever answers a request ends with it.
        self._database = sqlite3.connect(data / "berth.sqlite3", isolation_level=None, check_same_thread=False)
        self._taken = threading.Lock()
        self.is_taken = False

    def __call__(self, _: Asked) -> Reply:
        with self._taken:
            if not self.is_taken:
                self.is_taken = True
                self._database.execute("BEGIN IMMEDIATE")
                threading.Timer(self.seconds, self._release).start()
        return Reply.json({"tags": [f"1.{number}" for number in range(TAGS)]})

    def _release(self) -> None:
        self._database.execute("ROLLBACK")
        self._database.close()


@pytest.fixture
def lock(registry: Hostile, data: Path, request: pytest.FixtureRequest) -> Iterator[Lock]:
    lock = Lock(data, request.param)
    registry.on("GET", "/v2/app/tags/list", lock)
    yield lock
    serve(registry, app=[f"1.{number}" for number in range(TAGS)], tool=["1", "2"])


@pytest.mark.parametrize("lock", [1.0], indirect=True)
def test_a_database_that_is_locked_for_a_moment_is_waited_for(
    lock: Lock, data: Path, undisturbed: dict[str, Any]
) -> None:
    scanned = scan_apart(data)

    assert lock.is_taken
    assert (scanned.state, scanned.picture) == ("done", undisturbed)


@pytest.mark.parametrize("lock", [2.0], indirect=True)
def test_a_database_that_is_locked_for_long_gives_the_job_back(
    lock: Lock, data: Path, undisturbed: dict[str, Any]
) -> None:
    locked_out = scan_apart(data, "--patience", "300")

    assert lock.is_taken
    assert (locked_out.state, locked_out.picture["tags"], locked_out.picture["totals"]) == ("queued", [], [])
    again = scan_apart(data)
    assert (again.state, again.picture) == ("done", undisturbed)


@pytest.mark.parametrize("pages", [0, 12])
def test_a_disk_that_is_full_gives_the_job_back(data: Path, undisturbed: dict[str, Any], pages: int) -> None:
    assert scan_apart(data, "--pages", str(pages)).state == "queued"

    again = scan_apart(data)
    assert (again.state, again.picture) == ("done", undisturbed)
