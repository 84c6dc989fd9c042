"""A folder is the storage of a registry, or it is refused."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from oci.errors import NotFound
from oci.names import Digest
from oci.storage import StorageFault, StorageFolder
from tests.oci.storage.conftest import APP, without_rights
from tests.storage_layout import StorageLayout

pytestmark = pytest.mark.usefixtures("opening")


def test_an_empty_folder_is_an_empty_registry(tmp_path: Path) -> None:
    (tmp_path / "lost+found").mkdir()
    folder = StorageFolder(tmp_path)
    assert list(folder.repositories()) == []
    assert list(folder.blobs()) == []
    with pytest.raises(NotFound):
        list(folder.tags(APP))


@pytest.mark.parametrize(
    "make",
    [
        lambda root: root.with_name("another").mkdir(),
        lambda root: root.write_text("a file"),
        lambda root: (root / "somebody's files").mkdir(parents=True),
        lambda root: (root / "repositories").mkdir(parents=True),
        lambda root: (root / "docker/registry").mkdir(parents=True),
        lambda root: [(root / "docker/registry").mkdir(parents=True), (root / "docker/registry/v2").write_text("")],
        lambda root: root.symlink_to(root),
    ],
    ids=["missing", "file", "foreign", "too deep", "half", "file inside", "circle"],
)
def test_what_is_no_storage_is_refused_with_a_cure(make: Callable[[Path], object], tmp_path: Path) -> None:
    make(tmp_path / "root")
    with pytest.raises(StorageFault, match="rootdirectory"):
        StorageFolder(tmp_path / "root")


@pytest.mark.parametrize("root", ["", "registry", ".", "/srv/\0registry"])
def test_a_root_is_a_whole_path(root: str) -> None:
    with pytest.raises(StorageFault, match="from the top"):
        StorageFolder(root)


def test_a_storage_that_may_not_be_read_is_refused(readable: StorageLayout) -> None:
    readable.base.chmod(0o700)
    with without_rights(), pytest.raises(StorageFault, match="may not be read"):
        StorageFolder(readable.root)


def test_the_root_may_be_a_link_but_what_is_inside_may_not_lead_out(tmp_path: Path) -> None:
    storage = StorageLayout(tmp_path / "disk")
    digest = storage.image(APP, "1")
    (tmp_path / "link").symlink_to(tmp_path / "disk")
    folder = StorageFolder(tmp_path / "link")
    assert list(folder.repositories()) == [APP]
    assert folder.manifest(APP, digest).digest == Digest.parse(digest)

    (tmp_path / "root").mkdir()
    (tmp_path / "root/docker").symlink_to(tmp_path / "disk/docker")
    with pytest.raises(StorageFault, match="leads out"):
        StorageFolder(tmp_path / "root")


def test_a_root_whose_name_is_no_unicode_is_read(tmp_path: Path) -> None:
    root = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff"))
    digest = StorageLayout(root).image(APP, "1")
    folder = StorageFolder(root)
    assert [link.digest for link in folder.tags(APP)] == [digest]
    assert folder.manifest_exists(APP, digest)


def test_a_storage_that_is_taken_away_is_not_taken_for_deleted(storage: StorageLayout) -> None:
    digest = storage.image(APP, "1")
    folder = StorageFolder(storage.root)
    shutil.move(storage.root / "docker", storage.root / "unmounted")

    for ask in (
        lambda: list(folder.repositories()),
        lambda: list(folder.tags(APP)),
        lambda: folder.manifest_exists(APP, digest),
        lambda: folder.manifest(APP, digest),
        lambda: folder.blob_size(digest),
        lambda: list(folder.blobs()),
        lambda: list(folder.revisions(APP)),
        lambda: list(folder.layer_links(APP)),
        lambda: list(folder.uploads(APP)),
    ):
        with pytest.raises(StorageFault, match="taken away"):
            ask()
    storage.repositories.mkdir(parents=True)
    with pytest.raises(StorageFault, match="replaced"):
        list(folder.tags(APP))
