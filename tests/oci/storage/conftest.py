"""Storages that hold what no registry put there. `usefixtures("opening")` reads them by both ways to open a path."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from oci.names import RepositoryName
from oci.storage import StorageFolder, beneath
from tests.storage_layout import StorageLayout

APP = RepositoryName("team/app")
NOBODY = 65534
LONG_AGO = 1_000_000_000 * 10**9


@pytest.fixture(params=["in one step", "by steps"])
def opening(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways to open a path, since Linux alone has the first."""
    if request.param == "by steps":
        monkeypatch.setattr(beneath, "open_file", beneath.by_steps(beneath._FILE))
        monkeypatch.setattr(beneath, "open_folder", beneath.by_steps(beneath._FOLDER))


@pytest.fixture
def storage(tmp_path: Path) -> StorageLayout:
    return StorageLayout(tmp_path / "root")


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    folder = tmp_path / "outside"
    folder.mkdir()
    return folder


@contextmanager
def without_rights() -> Iterator[None]:
    """Whoever runs the tests: root reads everything, so it becomes nobody for a moment."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(user)


@pytest.fixture
def readable() -> Iterator[StorageLayout]:
    """A storage in a folder that everybody may enter, which those of pytest are not."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield StorageLayout(Path(folder) / "root")


def tags(storage: StorageLayout, repository: RepositoryName = APP) -> dict[str, tuple[str, str]]:
    return {link.name: (link.digest, link.problem) for link in StorageFolder(storage.root).tags(repository)}
