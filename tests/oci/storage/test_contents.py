"""Manifests and blobs, whatever stands where their links and data should be."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from oci.errors import BadAnswer, DigestMismatch, NotFound, RegistryError, TooLarge
from oci.storage import StorageFolder, Unreadable
from oci.storage.faults import Odd
from oci.storage.tree import Tree
from tests.oci.storage.conftest import APP, without_rights
from tests.storage_layout import StorageLayout, digest_of

pytestmark = pytest.mark.usefixtures("opening")


Damage = Callable[[StorageLayout, str], object]


def replace(path: Path, make: Callable[[Path], object]) -> None:
    path.unlink()
    make(path)


BROKEN_MANIFESTS: list[tuple[str, Damage, type[RegistryError], bool | type[RegistryError]]] = [
    ("no link", lambda s, d: s.revision_link(APP, d).unlink(), NotFound, False),
    ("no data", lambda s, d: s.data(d).unlink(), NotFound, False),
    ("empty link", lambda s, d: s.revision_link(APP, d).write_text(""), BadAnswer, False),
    ("another's link", lambda s, d: s.revision_link(APP, d).write_text(s.image(APP, seed="x")), DigestMismatch, False),
    ("other bytes", lambda s, d: s.data(d).write_bytes(b"{}"), DigestMismatch, True),
    ("no bytes", lambda s, d: s.data(d).write_bytes(b""), DigestMismatch, True),
    ("huge", lambda s, d: os.truncate(s.data(d), 2**40), TooLarge, True),
    ("huge link", lambda s, d: os.truncate(s.revision_link(APP, d), 2**40), TooLarge, TooLarge),
    ("folder", lambda s, d: replace(s.data(d), Path.mkdir), BadAnswer, BadAnswer),
    ("FIFO", lambda s, d: replace(s.data(d), os.mkfifo), BadAnswer, BadAnswer),
    ("device", lambda s, d: replace(s.data(d), lambda data: data.symlink_to("/dev/zero")), BadAnswer, BadAnswer),
    ("circle", lambda s, d: replace(s.data(d), lambda data: data.symlink_to("data")), BadAnswer, BadAnswer),
]  # fmt: skip


@pytest.mark.parametrize(
    ("damage", "error", "exists"), [case[1:] for case in BROKEN_MANIFESTS], ids=[case[0] for case in BROKEN_MANIFESTS]
)
def test_a_broken_manifest_is_an_error_that_the_client_has_too(
    damage: Damage, error: type[RegistryError], exists: bool | type[RegistryError], storage: StorageLayout
) -> None:
    digest = storage.image(APP, "1")
    damage(storage, digest)
    folder = StorageFolder(storage.root)
    with pytest.raises(error):
        folder.manifest(APP, digest)
    if isinstance(exists, bool):
        assert folder.manifest_exists(APP, digest) is exists
    else:
        with pytest.raises(exists):
            folder.manifest_exists(APP, digest)


def test_data_outside_of_the_folder_are_not_read_and_those_inside_are(storage: StorageLayout, outside: Path) -> None:
    out, inside = storage.image(APP, "out", seed="out"), storage.image(APP, "in", seed="in")
    for digest, home in ((out, outside), (inside, storage.root / "other-disk")):
        place = storage.data(digest).parent
        shutil.move(place, home)
        place.symlink_to(home / place.name if home == outside else home)
    folder = StorageFolder(storage.root)

    with pytest.raises(BadAnswer, match="leads out"):
        folder.manifest(APP, out)
    with pytest.raises(BadAnswer, match="leads out"):
        folder.blob_size(out)
    assert str(folder.manifest(APP, inside).digest) == inside
    sizes = {blob.digest: blob.size for blob in folder.blobs()}
    assert out not in sizes
    assert sizes[inside] == folder.blob_size(inside)
    assert [fault.reason for fault in folder.faults] == [
        "its data cannot be read: a link leads out of the storage folder"
    ]


def test_a_manifest_at_the_limit_is_read_and_one_above_is_not(storage: StorageLayout) -> None:
    digest = storage.manifest(APP, b"x" * 1000)
    folder = StorageFolder(storage.root)
    assert len(folder.manifest(APP, digest, limit=1000).content) == 1000
    with pytest.raises(TooLarge):
        folder.manifest(APP, digest, limit=999)


def test_bytes_that_are_no_manifest_are_a_fact(storage: StorageLayout) -> None:
    digest = storage.manifest(APP, b"no JSON")
    fetched = StorageFolder(storage.root).manifest(APP, digest)
    assert (fetched.content, fetched.manifest) == (b"no JSON", None)
    assert fetched.problem


def test_a_manifest_that_may_not_be_read_is_not_known(readable: StorageLayout) -> None:
    digest = readable.image(APP, "1")
    folder = StorageFolder(readable.root)
    readable.data(digest).chmod(0o600)
    with without_rights(), pytest.raises(Unreadable):
        folder.manifest(APP, digest)


def test_a_blob_needs_the_link_of_its_repository(storage: StorageLayout) -> None:
    digest = storage.layer(APP, b"layer")
    unlinked = storage.blob(b"unlinked")
    folder = StorageFolder(storage.root)
    assert folder.blob(APP, digest, limit=5) == b"layer"
    with pytest.raises(TooLarge):
        folder.blob(APP, digest, limit=4)
    with pytest.raises(NotFound):
        folder.blob(APP, unlinked, limit=100)
    assert folder.blob_size(unlinked) == 8
    assert folder.blob_size(digest_of(b"never pushed")) is None


def test_a_blob_is_found_by_the_sha512_that_it_was_pushed_with(storage: StorageLayout) -> None:
    digest = storage.layer(APP, b"layer")
    by_sha512 = "sha512:" + hashlib.sha512(b"layer").hexdigest()
    link = storage.layer_link(APP, by_sha512)
    link.parent.mkdir(parents=True)
    link.write_text(digest)
    folder = StorageFolder(storage.root)
    assert folder.blob(APP, by_sha512, limit=100) == b"layer"
    assert set(folder.layer_links(APP)) == {digest, by_sha512}


def test_a_file_that_grows_while_it_is_read_is_read_to_its_end() -> None:
    process = Tree("/proc/self")  # the size of what is in there is always said to be 0
    assert process.read("status", 100_000).endswith(b"\n")
    with pytest.raises(Odd, match="more than 100 bytes"):
        process.read("status", 100)


def test_what_is_odd_among_links_and_blobs_is_told(storage: StorageLayout) -> None:
    digest, other = storage.layer(APP, b"layer"), storage.layer(APP, b"other")
    storage.layer_link(APP, other).write_text(digest)
    links = storage.layer_link(APP, digest).parents[1]
    (links / "foreign").mkdir()
    storage.layer_link(APP, digest_of(b"empty")).parent.mkdir()  # what deleting a blob leaves
    (storage.blobs / "sha256/zz").mkdir()
    wrong = storage.blobs / "sha256" / ("00" if digest[7:9] != "00" else "11") / digest[7:]
    wrong.mkdir(parents=True)
    (wrong / "data").write_bytes(b"layer")

    folder = StorageFolder(storage.root)

    assert list(folder.layer_links(APP)) == [digest]
    assert {blob.digest: blob.size for blob in folder.blobs()} == {digest: 5, other: 5}
    reasons = sorted(fault.reason for fault in folder.faults)
    assert reasons == [
        "it is no part of a digest",
        "it is not the name of a digest",
        "it is not the name of a digest, or not in its place",
        "its link names another digest",
    ]


def test_blobs_and_links_that_may_not_be_listed_are_not_known(readable: StorageLayout) -> None:
    digest = readable.layer(APP, b"layer")
    folder = StorageFolder(readable.root)
    readable.data(digest).parents[1].chmod(0o711)
    readable.layer_link(APP, digest).parents[1].chmod(0o711)
    with without_rights():
        with pytest.raises(Unreadable):
            list(folder.blobs())
        with pytest.raises(Unreadable):
            list(folder.layer_links(APP))
