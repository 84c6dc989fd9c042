"""Moving data aside, and putting them back."""

from __future__ import annotations

from pathlib import Path

import pytest

from oci.names import Digest, RepositoryName
from oci.storage import StorageFault, StorageFolder
from oci.storage.aside import FOLDER, Aside, Set
from oci.storage.marking import Link
from tests.storage_layout import StorageLayout

APP = RepositoryName("team/app")


@pytest.fixture
def layout(tmp_path: Path) -> StorageLayout:
    return StorageLayout(tmp_path)


@pytest.fixture
def aside(layout: StorageLayout) -> Aside:
    layout.layer("team/app", b"anything")
    made = StorageFolder(layout.root).aside()
    made.prepare()
    return made


def test_what_is_moved_aside_is_gone_and_comes_back(layout: StorageLayout, aside: Aside) -> None:
    digest = layout.layer("team/app", b"layer")
    assert aside.take(Digest.parse(digest))
    assert not layout.data(digest).exists()
    assert aside.is_aside(Digest.parse(digest))
    assert list(aside.everything()) == [Set(digest, 5)]
    assert aside.put_back(Digest.parse(digest))
    assert layout.data(digest).read_bytes() == b"layer"
    assert list(aside.everything()) == []
    assert not aside.is_aside(Digest.parse(digest))


def test_what_is_not_there_is_not_moved_either_way(layout: StorageLayout, aside: Aside) -> None:
    absent = Digest.of(b"nobody has it")
    assert not aside.take(absent)
    assert not aside.put_back(absent)
    aside.drop(absent)


def test_what_was_pushed_again_meanwhile_stays_where_it_is(layout: StorageLayout, aside: Aside) -> None:
    digest = layout.layer("team/app", b"layer")
    aside.take(Digest.parse(digest))
    layout.layer("team/app", b"layer")
    inode = layout.data(digest).stat().st_ino
    assert aside.put_back(Digest.parse(digest))
    assert layout.data(digest).stat().st_ino == inode
    assert list(aside.everything()) == []


def test_an_older_copy_makes_room_for_a_newer_one(layout: StorageLayout, aside: Aside) -> None:
    digest = layout.layer("team/app", b"layer")
    assert aside.take(Digest.parse(digest))
    layout.layer("team/app", b"layer")
    assert aside.take(Digest.parse(digest))
    assert list(aside.everything()) == [Set(digest, 5)]


def test_an_empty_folder_that_a_push_has_just_made_is_no_obstacle(layout: StorageLayout, aside: Aside) -> None:
    digest = layout.layer("team/app", b"layer")
    aside.take(Digest.parse(digest))
    layout.data(digest).parent.mkdir()
    assert aside.put_back(Digest.parse(digest))
    assert layout.data(digest).read_bytes() == b"layer"


def test_what_was_cut_short_aside_is_not_put_back(layout: StorageLayout, aside: Aside) -> None:
    digest = layout.layer("team/app", b"layer")
    aside.take(Digest.parse(digest))
    (layout.root / FOLDER / digest.replace(":", "/") / "data").write_bytes(b"lay")
    assert not aside.put_back(Digest.parse(digest), 5)
    assert not aside.put_back(Digest.parse(digest))
    assert not layout.data(digest).exists()


def test_an_empty_file_that_a_power_cut_left_gives_way_to_what_is_whole(layout: StorageLayout, aside: Aside) -> None:
    digest = layout.layer("team/app", b"layer")
    aside.take(Digest.parse(digest))
    layout.layer("team/app", b"layer")
    layout.data(digest).write_bytes(b"")
    assert aside.put_back(Digest.parse(digest), 5)
    assert layout.data(digest).read_bytes() == b"layer"
    assert list(aside.everything()) == []


def test_a_folder_with_anything_else_in_it_is_no_obstacle(layout: StorageLayout, aside: Aside) -> None:
    """As what a network share leaves there of a file that somebody still reads."""
    digest = layout.layer("team/app", b"layer")
    aside.take(Digest.parse(digest))
    layout.data(digest).parent.mkdir()
    layout.data(digest).with_name(".nfs0001").write_bytes(b"")
    assert aside.put_back(Digest.parse(digest), 5)
    assert layout.data(digest).read_bytes() == b"layer"
    assert list(aside.everything()) == []


def test_what_is_dropped_is_gone(layout: StorageLayout, aside: Aside) -> None:
    digest = layout.layer("team/app", b"layer")
    aside.take(Digest.parse(digest))
    aside.drop(Digest.parse(digest))
    assert list(aside.everything()) == []
    assert not layout.data(digest).exists()


def test_a_link_is_written_where_there_is_none(layout: StorageLayout, aside: Aside) -> None:
    digest = layout.layer("team/app", b"layer")
    link = layout.layer_link("team/app", digest)
    link.unlink()
    aside.link(Link(APP, digest), Digest.parse(digest))
    assert link.read_text() == digest
    assert [path.name for path in link.parent.iterdir()] == ["link"]
    other = str(Digest.of(b"as it was"))
    link.write_text(other)
    aside.link(Link(APP, digest), Digest.parse(digest))
    assert link.read_text() == other


def test_a_link_that_a_power_cut_left_empty_is_written_anew(layout: StorageLayout, aside: Aside) -> None:
    digest = layout.layer("team/app", b"layer")
    layout.layer_link("team/app", digest).write_text("")
    aside.link(Link(APP, digest), Digest.parse(digest))
    assert layout.layer_link("team/app", digest).read_text() == digest


def test_no_link_is_written_where_the_repository_is_gone(layout: StorageLayout, aside: Aside) -> None:
    digest = layout.blob(b"layer")
    aside.link(Link(RepositoryName("gone"), digest), Digest.parse(digest))
    assert not layout.repository("gone").exists()


def test_a_link_is_written_where_its_folder_is_gone(layout: StorageLayout, aside: Aside) -> None:
    digest = layout.blob(b"layer")
    aside.link(Link(APP, digest), Digest.parse(digest))
    assert layout.layer_link("team/app", digest).read_text() == digest


def test_nothing_is_led_out_of_the_storage_folder(layout: StorageLayout, aside: Aside, tmp_path: Path) -> None:
    outside = tmp_path.with_name("outside")
    outside.mkdir()
    victim = outside / "data"
    victim.write_bytes(b"of somebody else")
    digest = layout.layer("team/app", b"layer")
    folder = layout.root / FOLDER / "sha256" / Digest.parse(digest).hex
    folder.symlink_to(outside)
    with pytest.raises(StorageFault):
        aside.drop(Digest.parse(digest))
    assert victim.read_bytes() == b"of somebody else"


def test_a_storage_on_two_file_systems_is_refused(layout: StorageLayout, tmp_path: Path) -> None:
    layout.layer("team/app", b"layer")
    elsewhere = Path("/dev/shm") / tmp_path.name  # noqa: S108  another file system, on every Linux
    if not elsewhere.parent.is_dir() or elsewhere.parent.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is one file system here")
    (layout.root / FOLDER).symlink_to(elsewhere)
    elsewhere.mkdir()
    try:
        with pytest.raises(StorageFault):
            StorageFolder(layout.root).aside().prepare()
    finally:
        elsewhere.rmdir()


def test_the_clock_is_that_of_the_file_system(aside: Aside) -> None:
    assert aside.now_ns() <= aside.now_ns()
