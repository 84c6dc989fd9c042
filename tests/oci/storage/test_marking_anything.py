"""Whatever a storage holds: nothing that can be reached from a linked manifest is ever garbage, and all else is."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from oci.storage import StorageFolder
from tests.storage_layout import StorageLayout, digest_of

REPOSITORIES = ("app", "team/app", "team/app/deep")
BLOBS = tuple(b"blob %d" % n for n in range(6))
_repositories = st.sampled_from(REPOSITORIES)


@dataclass(frozen=True)
class Image:
    """A manifest that names some blobs; `linked` in some repositories, perhaps in none any more."""

    blobs: frozenset[bytes]
    linked: frozenset[str]
    bare: frozenset[str]  # where it was deleted, and its folder stays

    @property
    def document(self) -> dict[str, object]:
        layers = [{"digest": digest_of(blob)} for blob in sorted(self.blobs)]
        return {"schemaVersion": 2, "layers": layers, "annotations": {"of": repr(sorted(self.linked | self.bare))}}


images = st.builds(
    Image, st.frozensets(st.sampled_from(BLOBS)), st.frozensets(_repositories), st.frozensets(_repositories)
)
links = st.frozensets(st.tuples(_repositories, st.sampled_from(BLOBS)))


@given(st.lists(images, max_size=5), links, links)
@settings(max_examples=40, deadline=None)
def test_what_is_reached_stays_and_the_rest_is_found(
    pushed: list[Image], linked: frozenset[tuple[str, bytes]], unlinked: frozenset[tuple[str, bytes]]
) -> None:
    root = Path(tempfile.mkdtemp())
    try:
        layout = StorageLayout(root)
        layout.layer("app", b"there is always one")
        for blob in BLOBS:
            layout.blob(blob)
        for repository, blob in linked | unlinked:
            layout.layer(repository, blob)
        for repository, blob in unlinked - linked:
            layout.layer_link(repository, digest_of(blob)).unlink()
        for image in pushed:
            for repository in sorted(image.linked | image.bare):
                layout.manifest(repository, image.document)
                if repository not in image.linked:
                    layout.revision_link(repository, layout.blob(_content(image))).unlink()
        wanted = {digest_of(blob) for image in _living(pushed) for blob in image.blobs}
        found = _garbage(root)
        assert not found & wanted
        assert {digest_of(blob) for blob in BLOBS} - wanted <= found
    finally:
        shutil.rmtree(root)


def _content(image: Image) -> bytes:

    return json.dumps(image.document).encode()


def _living(pushed: list[Image]) -> list[Image]:
    """Those that a repository links in the end: the same manifest may be deleted by a later one in the list."""
    ends: dict[tuple[bytes, str], bool] = {}
    for image in pushed:
        for repository in image.linked | image.bare:
            ends[_content(image), repository] = repository in image.linked
    return [image for image in pushed if any(ends[_content(image), name] for name in image.linked | image.bare)]


def _garbage(root: Path) -> set[str]:
    folder = StorageFolder(root)
    aside = folder.aside()
    aside.prepare()
    marks = folder.marks(aside.now_ns())
    marks.read(lambda *_: None)
    return {one.digest for one in folder.garbage(marks, time.time_ns() + 10**15, (), ())}
