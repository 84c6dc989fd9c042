"""Uploads, and the names that no path is made of."""

from __future__ import annotations

import gc
import os

import pytest

from oci.errors import DigestMismatch, InvalidName, NotFound
from oci.names import RepositoryName
from oci.storage import StorageFolder, Unreadable
from tests.oci.storage.conftest import APP, without_rights
from tests.storage_layout import StorageLayout, digest_of

pytestmark = pytest.mark.usefixtures("opening")
UUID = "0b5ba6c5-6f2c-4a53-9c2f-6f5d4f1a2b3c"


def test_uploads_are_read_whatever_is_in_them(storage: StorageLayout) -> None:
    storage.upload(APP, UUID, b"half a layer")
    unknown = UUID.replace("0", "1", 1)
    storage.upload(APP, unknown, started_at="yesterday")
    (storage.repository(APP) / "_uploads" / "not-a-uuid").mkdir()
    (storage.repository(APP) / "_uploads" / UUID.replace("0", "2", 1)).mkdir()  # what a cancelled one leaves
    folder = StorageFolder(storage.root)

    uploads = {upload.uuid: upload for upload in folder.uploads(APP)}

    assert set(uploads) == {UUID, unknown}
    assert uploads[UUID].size == 12
    assert str(uploads[UUID].started_at) == "2024-05-06 07:08:09+00:00"
    assert uploads[unknown].started_at is None
    assert folder.faults.count == 1
    assert list(folder.uploads(RepositoryName("no/such"))) == []


def test_uploads_that_may_not_be_listed_are_not_known(readable: StorageLayout) -> None:
    readable.upload(APP, UUID)
    folder = StorageFolder(readable.root)
    (readable.repository(APP) / "_uploads").chmod(0o711)
    with without_rights(), pytest.raises(Unreadable):
        list(folder.uploads(APP))


@pytest.mark.parametrize("uuid", ["", "..", f"../{UUID}", UUID.upper(), UUID + "\n", "a" * 36])
def test_no_path_is_made_of_what_is_no_uuid(uuid: str, storage: StorageLayout) -> None:
    storage.upload(APP, UUID)
    folder = StorageFolder(storage.root)
    assert folder.has_upload(APP, UUID)
    with pytest.raises(InvalidName):
        folder.has_upload(APP, uuid)


@pytest.mark.parametrize("name", ["..", "../../blobs", "team/../team/app", "/etc", "Team", "team/app\0", ""])
def test_no_path_is_made_of_what_is_no_repository(name: str, storage: StorageLayout) -> None:
    storage.image(APP, "1")
    folder, repository = StorageFolder(storage.root), RepositoryName(name)
    digest = digest_of(b"")
    for ask in (
        lambda: folder.tags(repository),
        lambda: folder.manifest(repository, digest),
        lambda: folder.manifest_exists(repository, digest),
        lambda: folder.blob(repository, digest, limit=1),
        lambda: folder.revisions(repository),
        lambda: folder.layer_links(repository),
        lambda: folder.uploads(repository),
        lambda: folder.has_upload(repository, UUID),
    ):
        with pytest.raises(InvalidName):
            ask()
    with pytest.raises(InvalidName):
        folder.blob_size("sha256:../../../etc/passwd")


def test_nothing_is_left_open(storage: StorageLayout) -> None:
    digest = storage.image(APP, "1", "2")
    gc.collect()  # what other tests have left open and nobody holds
    before = os.dup(0)  # the lowest number that is free
    os.close(before)
    folder = StorageFolder(storage.root)
    next(iter(folder.tags(APP)))
    next(iter(folder.repositories()))
    folder.manifest(APP, digest)
    storage.data(digest).write_bytes(b"")
    with pytest.raises(DigestMismatch):
        folder.manifest(APP, digest)
    with pytest.raises(NotFound):
        list(folder.tags(RepositoryName("no/such")))
    after = os.dup(0)
    os.close(after)
    assert after == before
