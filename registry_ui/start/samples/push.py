"""Pushes the samples, children before what lists them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from oci.client import RegistryClient

from oci.names import Digest
from registry_ui.start.samples.contents import Push, pushes
from registry_ui.start.samples.documents import Document

_BEGUN: Final = "being pushed\n"
_DONE: Final = "pushed\n"


def fill(client: RegistryClient, marker: Path) -> bool:
    """Push the samples into an empty registry, once; whether it was done.

    `marker` remembers: samples that somebody removed do not come back, those that were cut short do.
    """
    begun = marker.exists() and marker.read_text() == _BEGUN
    if not begun and (marker.exists() or next(iter(client.repositories()), None)):
        return False
    marker.write_text(_BEGUN)
    push_all(client, pushes())
    marker.write_text(_DONE)
    return True


def push_all(client: RegistryClient, wanted: Iterable[Push]) -> None:
    there: set[tuple[str, str]] = set()  # (repository, digest), so that a shared layer travels once
    for push in wanted:
        for document in _with_children(push.document):
            for blob in document.blobs:
                if (push.repository, blob.digest) not in there:
                    client.push_blob(push.repository, blob.content)
                    there.add((push.repository, blob.digest))
            targets: tuple[str | Digest, ...] = (Digest.parse(document.digest),)
            if document is push.document and push.tags:
                targets = push.tags
            for target in targets:
                client.put_manifest(push.repository, target, document.media_type, document.content)


def _with_children(document: Document) -> Iterator[Document]:
    for child in document.children:
        yield from _with_children(child)
    yield document
