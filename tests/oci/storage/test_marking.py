"""What of a storage folder is in use, and what is not."""

from __future__ import annotations

import hashlib
import json
import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oci.names import RepositoryName
from oci.storage import StorageFolder, Unreadable
from oci.storage.garbage import Garbage, may_be_manifest
from oci.storage.marking import Link, Marks
from oci.storage.naming import named_in
from tests.storage_layout import StorageLayout

DAY = 24 * 3600 * 10**9
APP = RepositoryName("team/app")


def marked(layout: StorageLayout) -> tuple[StorageFolder, Marks]:
    folder = StorageFolder(layout.root)
    aside = folder.aside()
    aside.prepare()
    marks = folder.marks(aside.now_ns())
    marks.read(lambda *_: None)
    return folder, marks


def garbage(
    folder: StorageFolder, marks: Marks, before_ns: int | None = None, kept: tuple[str, ...] = (), busy: str = ""
) -> list[Garbage]:
    before_ns = before_ns or time.time_ns() + DAY
    return sorted(folder.garbage(marks, before_ns, kept, {RepositoryName(busy)} if busy else set()))


def image(*layers: str, **more: object) -> dict[str, object]:
    return {"schemaVersion": 2, "layers": [{"digest": digest} for digest in layers], **more}


def test_what_a_linked_manifest_names_is_in_use_and_the_rest_is_not(tmp_path: Path) -> None:
    layout = StorageLayout(tmp_path)
    used, left = layout.layer("team/app", b"used"), layout.layer("team/app", b"left")
    manifest = layout.manifest("team/app", image(used))  # no tag
    folder, marks = marked(layout)
    assert marks.is_used(used)
    assert marks.is_used(manifest)
    assert garbage(folder, marks) == [Garbage(left, 4, (Link(APP, left),))]


def test_a_manifest_of_another_repository_keeps_a_blob_everywhere(tmp_path: Path) -> None:
    layout = StorageLayout(tmp_path)
    shared = layout.layer("team/app", b"shared")
    layout.layer("other", b"shared")
    layout.manifest("other", image(shared), "1")
    assert garbage(*marked(layout)) == []


def test_a_manifest_whose_link_was_deleted_keeps_nothing_and_its_own_data_stay(tmp_path: Path) -> None:
    layout = StorageLayout(tmp_path)
    layer = layout.layer("team/app", b"layer")
    manifest = layout.manifest("team/app", image(layer))
    layout.revision_link("team/app", manifest).unlink()
    assert [one.digest for one in garbage(*marked(layout))] == [layer]


def test_a_blob_pushed_by_its_sha512_is_kept_by_a_manifest_that_names_it_so(tmp_path: Path) -> None:
    layout = StorageLayout(tmp_path)
    kept, left = layout.layer("team/app", b"kept"), layout.layer("team/app", b"left")
    by_512 = {canonical: digest_of_512(content) for canonical, content in ((kept, b"kept"), (left, b"left"))}
    for canonical, other in by_512.items():
        link = layout.layer_link("team/app", other)
        link.parent.mkdir(parents=True)
        link.write_text(canonical)
    layout.manifest("team/app", image(by_512[kept]))
    found = garbage(*marked(layout))
    assert [one.digest for one in found] == [left]
    assert set(found[0].links) == {Link(APP, left), Link(APP, by_512[left])}


def digest_of_512(content: bytes) -> str:
    return f"sha512:{hashlib.sha512(content).hexdigest()}"


def test_what_is_young_in_data_or_in_any_link_is_no_garbage(tmp_path: Path) -> None:
    layout = StorageLayout(tmp_path)
    young_data, young_link, old = (layout.layer("team/app", content) for content in (b"a", b"bb", b"ccc"))
    layout.layer("other", b"bb")
    now = time.time_ns()
    ages = [
        (layout.data(young_data), 1),
        (layout.layer_link("team/app", young_data), 9),
        (layout.data(young_link), 9),
        (layout.layer_link("team/app", young_link), 9),
        (layout.layer_link("other", young_link), 1),
        (layout.data(old), 9),
        (layout.layer_link("team/app", old), 9),
    ]
    for path, days in ages:
        os.utime(path, ns=(now - days * DAY,) * 2)
    folder, marks = marked(layout)
    assert [one.digest for one in garbage(folder, marks, now - 2 * DAY)] == [old]
    assert garbage(folder, marks, now - 2 * DAY, kept=(old,)) == []
    assert garbage(folder, marks, now - 2 * DAY, busy="team/app") == []


def test_looking_again_finds_what_came_since_also_in_a_folder_that_was_there(tmp_path: Path) -> None:
    layout = StorageLayout(tmp_path)
    first, second, third = (layout.layer("team/app", content) for content in (b"1", b"2", b"3"))
    deleted = layout.manifest("team/app", image(first))
    layout.revision_link("team/app", deleted).unlink()
    _, marks = marked(layout)
    assert marks.look() == set()
    layout.manifest("team/app", image(first))
    layout.manifest("team/app", image(second))
    layout.manifest("new", image(third))
    assert marks.look() >= {first, second, third}
    assert marks.look() == set()


def test_links_that_came_since_are_found_also_in_a_folder_that_was_there(tmp_path: Path) -> None:
    layout = StorageLayout(tmp_path)
    layer = layout.layer("team/app", b"layer")
    layout.layer("other", b"another")
    _, marks = marked(layout)
    layout.layer_link("team/app", layer).unlink()
    assert marks.linked_now([layer]) == {}
    layout.layer("other", b"layer")
    assert marks.linked_now([layer]) == {layer: [Link(RepositoryName("other"), layer)]}
    layout.layer("team/app", b"layer")
    assert {link.repository for link in marks.linked_now([layer])[layer]} == {"other", "team/app"}


def test_a_manifest_without_data_is_told(tmp_path: Path) -> None:
    layout = StorageLayout(tmp_path)
    manifest = layout.manifest("team/app", image())
    layout.data(manifest).unlink()
    _, marks = marked(layout)
    assert marks.lost == {manifest: "team/app"}


def too_large(layout: StorageLayout) -> None:
    layout.data(layout.manifest("team/app", image(), "1")).write_bytes(b" " * 5 * 2**20)


def no_file(layout: StorageLayout) -> None:
    data = layout.data(layout.manifest("team/app", image(), "1"))
    data.unlink()
    data.mkdir()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda layout: (layout.repositories / "team/app/_manifests/revisions/sha384/ab").mkdir(parents=True),
        lambda layout: (layout.repositories / "Team/_manifests").mkdir(parents=True),
        too_large,
        no_file,
    ],
    ids=["an algorithm that nobody knows", "no name of a repository", "a manifest of 5 MB", "a folder as a manifest"],
)
def test_what_cannot_be_read_ends_it(tmp_path: Path, spoil: object) -> None:
    layout = StorageLayout(tmp_path)
    layout.manifest("team/app", image(), "1")
    assert callable(spoil)
    spoil(layout)
    with pytest.raises(Unreadable):
        marked(layout)


HEX = "ab" * 32


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (f'{{"digest":"sha256:{HEX}"}}', {f"sha256:{HEX}"}),
        (f'{{"blobSum":"sha512:{HEX * 2}"}}', {f"sha512:{HEX * 2}"}),
        (rf'{{"digest":"sha256\u003a{HEX}"}}', {f"sha256:{HEX}"}),
        (rf'{{"digest":"\u0073ha256:{HEX[:-1]}\u0062"}}', {f"sha256:{HEX}"}),
        (f'{{"sha256:{HEX}": "as a name"}}', {f"sha256:{HEX}"}),
        (f"no JSON sha256:{HEX}", {f"sha256:{HEX}"}),
        (f'{{"digest":"sha256:{HEX[:-1]}"}}', set()),
        (f'{{"digest":"sha256:{HEX.upper()}"}}', set()),
    ],
)
def test_digests_are_found_wherever_they_stand(content: str, named: set[str]) -> None:
    assert named_in(content.encode()) == named


@given(
    st.recursive(
        st.sampled_from([f"sha256:{HEX}", f"sha256:{'cd' * 32}", "x"]) | st.text() | st.integers(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    ),
    st.booleans(),
)
def test_no_digest_in_a_document_is_missed(document: object, ascii_only: bool) -> None:
    def strings(value: object) -> set[str]:
        if isinstance(value, dict):
            return {text for item in value.items() for part in item for text in strings(part)}
        if isinstance(value, list):
            return {text for part in value for text in strings(part)}
        return {value} if isinstance(value, str) else set()

    wanted = strings(document) & {f"sha256:{HEX}", f"sha256:{'cd' * 32}"}
    assert wanted <= named_in(json.dumps(document, ensure_ascii=ascii_only).encode())


@pytest.mark.parametrize(
    ("content", "may_be"),
    [
        (b'{"schemaVersion": 2}', True),
        (b' \n{"mediaType": "x", "schemaVersion": 1}', True),
        (b'{"schemaVersion": 2', True),
        (b'{"SCHEMAVERSION": 2}', True),
        ('{"\u017fchemaVersion": 2}'.encode(), True),
        (b'{"a": ' + b"[" * 100_000, True),
        (b'{"os": "linux"}', False),
        (b"{}", False),
        (b"\x1f\x8b layer", False),
        (b"", False),
        (b"[1]", False),
    ],
)
def test_what_may_be_a_manifest(content: bytes, may_be: bool) -> None:
    assert may_be_manifest(content) is may_be


def test_what_comes_after_a_clock_was_set_back_is_found(tmp_path: Path) -> None:
    layout = StorageLayout(tmp_path)
    blob, other = layout.layer("team/app", b"blob"), layout.layer("team/app", b"other")
    layout.manifest("team/app", image())
    _, marks = marked(layout)
    layout.manifest("team/app", image(blob))
    layout.layer("team/app", b"new")
    hour_ago = time.time() - 3600
    for path in layout.base.rglob("*"):
        os.utime(path, (hour_ago, hour_ago))
    assert marks.look() == {blob}
    assert not marks.is_used(other)
    new = f"sha256:{hashlib.sha256(b'new').hexdigest()}"
    assert marks.linked_now({new}) == {new: [Link(APP, new)]}


def test_data_that_a_link_leads_to_are_left_alone(tmp_path: Path) -> None:
    layout = StorageLayout(tmp_path)
    digest = layout.layer("team/app", b"large")
    layout.manifest("team/app", image())
    data = layout.data(digest)
    data.rename(tmp_path / "elsewhere")
    data.symlink_to(tmp_path / "elsewhere")
    folder, marks = marked(layout)
    assert garbage(folder, marks) == []
