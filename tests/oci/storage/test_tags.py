"""The tags of a repository, whatever stands where their links should be."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oci.names import Digest, parse_repository, parse_tag
from oci.storage import StorageFolder, Unreadable
from tests.oci.storage.conftest import APP, LONG_AGO, tags, without_rights
from tests.storage_layout import StorageLayout

pytestmark = pytest.mark.usefixtures("opening")


def write(content: bytes) -> Callable[[Path], object]:
    return lambda link: link.write_bytes(content)


def instead(make: Callable[[Path], object]) -> Callable[[Path], object]:
    """`make` something in the place of the file."""

    def replace(link: Path) -> None:
        link.unlink()
        make(link)

    return replace


HEX = "a" * 64
BROKEN_LINKS: list[tuple[str, Callable[[Path], object], str]] = [
    ("empty", write(b""), "is empty"),
    ("half-written", write(f"sha256:{HEX[:30]}".encode()), "holds no digest"),
    ("with a line end", write(f"sha256:{HEX}\n".encode()), "holds no digest"),
    ("in capitals", write(f"sha256:{HEX.upper()}".encode()), "holds no digest"),
    ("another algorithm", write(b"md5:d41d8cd98f00b204e9800998ecf8427e"), "holds no digest"),
    ("binary", write(b"\x00\xff" * 60), "holds no digest"),
    ("huge", lambda link: os.truncate(link, 2**40), "more than 256 bytes"),
    ("missing", lambda link: link.unlink(), "not there"),
    ("folder", instead(Path.mkdir), "something else"),
    ("FIFO", instead(os.mkfifo), "something else"),
    ("device", instead(lambda link: link.symlink_to("/dev/zero")), "leads out"),
    ("link out", instead(lambda link: link.symlink_to(link.parents[11] / "outside/link")), "leads out"),
    ("link in a circle", instead(lambda link: link.symlink_to(link)), "circle"),
    ("link to nothing", instead(lambda link: link.symlink_to("nothing")), "not there"),
]


@pytest.mark.parametrize(
    ("damage", "told"), [case[1:] for case in BROKEN_LINKS], ids=[case[0] for case in BROKEN_LINKS]
)
def test_a_tag_with_a_broken_link_is_listed_with_the_reason(
    damage: Callable[[Path], object], told: str, storage: StorageLayout, outside: Path
) -> None:
    (outside / "link").write_text(f"sha256:{HEX}")
    digest = storage.image(APP, "good", "bad")
    link = storage.tag_link(APP, "bad")
    damage(link)
    if link.exists() and not link.is_symlink():
        os.utime(link, ns=(LONG_AGO, LONG_AGO))

    found = tags(storage)

    assert found["good"] == (digest, "")
    assert found["bad"][0] == ""
    assert told in found["bad"][1]


def test_a_tag_whose_folders_are_links_or_files(storage: StorageLayout, outside: Path) -> None:
    digest = storage.image(APP, "real", "out")
    (storage.tags(APP) / "alias").symlink_to("real")
    (storage.tags(APP) / "file").write_text("")
    (storage.tags(APP) / "dangling").symlink_to("nowhere")
    shutil.move(storage.tags(APP) / "out/current", outside / "current")
    (storage.tags(APP) / "out/current").symlink_to(outside / "current")

    found = tags(storage)

    assert found["real"] == found["alias"] == (digest, "")
    assert found["out"][0] == found["file"][0] == found["dangling"][0] == ""
    assert "leads out" in found["out"][1]
    assert found["file"][1]
    assert found["dangling"][1]


def test_a_tag_that_is_deleted_during_the_listing_is_absent(storage: StorageLayout) -> None:
    storage.image(APP, *(f"t{number}" for number in range(30)))
    listing = iter(StorageFolder(storage.root).tags(APP))
    first = next(listing)
    for number in range(30):
        if first.name != f"t{number}":
            shutil.rmtree(storage.tags(APP) / f"t{number}")
    assert list(listing) == []


def test_a_link_that_is_being_written_is_read_again(storage: StorageLayout, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = storage.image(APP, "1")
    link = storage.tag_link(APP, "1")
    link.write_text("")
    monkeypatch.setattr(time, "sleep", lambda _: link.write_text(digest))  # the registry is done meanwhile
    assert tags(storage) == {"1": (digest, "")}


def test_tags_that_may_not_be_listed_are_not_known(readable: StorageLayout) -> None:
    readable.image(APP, "1")
    folder = StorageFolder(readable.root)
    readable.tags(APP).chmod(0o711)
    with without_rights(), pytest.raises(Unreadable, match="may not be read"):
        list(folder.tags(APP))


def test_a_link_that_may_not_be_read_costs_no_name(readable: StorageLayout) -> None:
    digest = readable.image(APP, "1", "2")
    readable.tag_link(APP, "2").chmod(0o600)
    with without_rights():
        found = tags(readable)
    assert found == {"1": (digest, ""), "2": ("", "its link cannot be read: it may not be read")}


@given(st.binary(max_size=300))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=60)
def test_whatever_a_link_holds_is_a_digest_or_a_problem(storage: StorageLayout, content: bytes) -> None:
    storage.image(APP, "1")
    link = storage.tag_link(APP, "1")
    link.write_bytes(content)
    os.utime(link, ns=(LONG_AGO, LONG_AGO))
    digest, problem = tags(storage)["1"]
    assert bool(digest) != bool(problem)
    if digest:
        assert str(Digest.parse(digest)).encode() == content


@given(st.lists(st.binary(min_size=1, max_size=140).filter(lambda name: not set(name) & {0, 47}), max_size=8))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=40)
def test_whatever_a_folder_is_called_only_names_are_given(storage: StorageLayout, names: list[bytes]) -> None:
    shutil.rmtree(storage.repositories)
    storage.image(APP, "1")
    for name in set(names) - {b".", b".."}:
        for parent in (storage.tags(APP), storage.repositories):
            (parent / os.fsdecode(name)).mkdir(exist_ok=True)
        (storage.repositories / os.fsdecode(name) / "_layers").mkdir(exist_ok=True)
    folder = StorageFolder(storage.root)
    assert all(parse_repository(name) for name in folder.repositories())
    assert all(parse_tag(link.name) for link in folder.tags(APP))
