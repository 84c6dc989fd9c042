"""Pushes the samples, children before what lists them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from oci.client import RegistryClient
from oci.names import Digest, RepositoryName, TagName, parse_repository, parse_tag
from registry_ui.start.samples import BEGUN, DONE
from registry_ui.start.samples.contents import Push, pushes
from registry_ui.start.samples.documents import Document


def fill(client: RegistryClient, marker: Path) -> bool:
    """Push the samples into an empty registry, once; whether it was done.

    `marker` remembers: samples that somebody removed do not come back, those that were cut short do.
    """
    begun = marker.exists() and marker.read_text() == BEGUN
    if not begun and (marker.exists() or _holds_something(client)):
        return False
    marker.write_text(BEGUN)
    push_all(client, pushes())
    marker.write_text(DONE)
    return True


def push_all(client: RegistryClient, wanted: Iterable[Push]) -> None:
    there: set[tuple[RepositoryName, str]] = set()  # (repository, digest), so that a shared layer travels once
    for push in wanted:
        repository = parse_repository(push.repository)
        for document in _with_children(push.document):
            for blob in document.blobs:
                if (repository, blob.digest) not in there:
                    client.push_blob(repository, blob.content)
                    there.add((repository, blob.digest))
            targets: list[TagName | Digest] = [Digest.parse(document.digest)]
            if document is push.document and push.tags:
                targets = [parse_tag(tag) for tag in push.tags]
            for target in targets:
                client.put_manifest(repository, target, document.media_type, document.content)


def _holds_something(client: RegistryClient) -> bool:
    return any(page.names or page.rejected for page in client.repositories())


def _with_children(document: Document) -> Iterator[Document]:
    for child in document.children:
        yield from _with_children(child)
    yield document
