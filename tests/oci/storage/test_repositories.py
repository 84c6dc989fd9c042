"""The walk through the repositories, whatever stands among them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from oci.errors import BadAnswer
from oci.names import RepositoryName
from oci.storage import StorageFault, StorageFolder, Unreadable
from oci.storage.faults import MOST_KEPT
from tests.oci.storage.conftest import APP, without_rights
from tests.storage_layout import StorageLayout

pytestmark = pytest.mark.usefixtures("opening")


def test_names_that_break_the_grammar_are_counted_and_never_given(storage: StorageLayout) -> None:
    storage.image(APP, "1")
    for name in (b"Team", b"a b", b"-a", b"\xff\xfe", b"a\nb", b"_hidden", b"x" * 250 + b"/" + b"y" * 10):
        (storage.repositories / os.fsdecode(name) / "_layers").mkdir(parents=True)
    (storage.repositories / "file").write_text("")
    (storage.repository(APP) / "_foreign").mkdir()

    folder = StorageFolder(storage.root)
    listing = folder.repositories()

    assert list(listing) == [APP]
    assert listing.rejected == 7
    assert folder.faults.count == 9
    paths = {fault.path.removeprefix("docker/registry/v2/repositories/") for fault in folder.faults}
    assert {"Team", "\\xff\\xfe", "a b", "file", "team/app/_foreign"} <= paths
    assert all(path.isprintable() for path in paths)


def test_folders_without_end_end_with_the_grammar(storage: StorageLayout) -> None:
    here = storage.repositories
    for _ in range(140):
        here /= "a"
    here.mkdir(parents=True)
    (storage.repositories / Path(*"a" * 128) / "_layers").mkdir()
    (storage.repositories / Path(*"a" * 129) / "_layers").mkdir()
    listing = StorageFolder(storage.root).repositories()
    assert list(listing) == ["/".join("a" * 128)]
    assert listing.rejected == 1


def test_links_to_repositories_are_followed_inside_and_only_once(storage: StorageLayout, outside: Path) -> None:
    storage.image(APP, "1")
    link = storage.repositories.joinpath
    link("alias").symlink_to("team")
    link("team/circle").symlink_to("..")
    link("team/one").symlink_to("two")
    link("team/two").symlink_to("one")
    link("team/into-circle").symlink_to("one/deeper")
    link("nowhere").symlink_to("nothing")
    link("out").symlink_to(outside)
    StorageLayout(outside).image(RepositoryName("stolen"), "1")
    link("also-out").symlink_to(outside / "docker/registry/v2/repositories")

    folder = StorageFolder(storage.root)
    listing = folder.repositories()

    assert sorted(listing) == ["alias/app", "team/app"]
    assert listing.unread == 2 + 4 * 2  # two lead out, and four in circles, by two names of their folder
    assert [link.name for link in folder.tags(RepositoryName("alias/app"))] == ["1"]
    with pytest.raises(BadAnswer, match="leads out"):
        list(folder.tags(RepositoryName("also-out/stolen")))


def test_many_links_in_each_other_are_not_read_over_and_over(storage: StorageLayout) -> None:
    # Each folder has two links to the next: as paths they are 2 to the 40th.
    for number in range(40):
        storage.image(RepositoryName(f"d{number}"), "1")
        for name in ("x", "y"):
            (storage.repositories / f"d{number}" / name).symlink_to(f"../d{(number + 1) % 40}")
    names = list(StorageFolder(storage.root).repositories())
    assert len(names) == 40 * 3


def test_a_folder_that_may_not_be_listed_is_no_shorter_list(readable: StorageLayout) -> None:
    for name in ("a", "b/c", "d"):
        readable.image(RepositoryName(name), "1")
    folder = StorageFolder(readable.root)
    (readable.repositories / "b").chmod(0o700)
    with without_rights(), pytest.raises(Unreadable, match="repositories/b cannot be listed: it may not be read"):
        list(folder.repositories())


def test_a_million_foreign_files_are_counted_and_a_thousand_kept(storage: StorageLayout) -> None:
    storage.image(APP, "1")
    for number in range(MOST_KEPT + 500):
        (storage.tags(APP) / f"+{number}").touch()
    folder = StorageFolder(storage.root)
    listing = folder.tags(APP)
    assert [link.name for link in listing] == ["1"]
    assert listing.rejected == folder.faults.count == MOST_KEPT + 500
    assert len(list(folder.faults)) == MOST_KEPT


def test_a_storage_that_is_taken_away_during_the_walk_is_no_short_list(storage: StorageLayout) -> None:
    for number in range(30):
        storage.image(RepositoryName(f"r{number}"), "1")
    names = iter(StorageFolder(storage.root).repositories())
    next(names)
    (storage.root / "docker").rename(storage.root / "unmounted")
    with pytest.raises(StorageFault, match="taken away"):
        list(names)
