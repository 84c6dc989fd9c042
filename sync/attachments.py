"""What is attached to images at a source, as it shows by the tags there: signatures come later than what they sign."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from oci.client import RegistryClient
from oci.media_types import Kind
from oci.names import Digest, RepositoryName, TagName
from oci.transfer.attached import tag_of
from oci.transfer.heads import head
from oci.transfer.sides import Side, at
from sync.models import Item

_SUFFIXES: Final[Mapping[str, Kind]] = {"sig": "signature", "att": "attestation", "sbom": "sbom"}


def note_attachments(
    source: RegistryClient,
    items: Iterable[Item],
    listed: Mapping[RepositoryName, Collection[str]],
    kinds: Collection[Kind],
    pool: ThreadPoolExecutor,
) -> None:
    """Write into `attachments` of each item a digest of the tags that hang on its image, and of where they point.

    It is "" where none does. A registry that lists what is attached by an API alone says nothing of it here.
    """
    looked_for: list[tuple[Item, RepositoryName, TagName]] = []
    for item in items:
        name = RepositoryName(item.source_repository)
        tags = listed.get(name, ())
        looked_for += [(item, name, tag) for tag in _tags(item.digest, kinds) if tag in tags]

    def look(one: tuple[Item, RepositoryName, TagName]) -> str:
        with at(Side.SOURCE):
            found = head(source, one[1], one[2])
        return str(found.digest) if found else ""

    found: dict[int, list[str]] = {}
    for (item, _, tag), digest in zip(looked_for, pool.map(look, looked_for), strict=True):
        found.setdefault(id(item), []).append(f"{tag} {digest}")
    for item, *_ in looked_for:
        item.attachments = hashlib.sha256("\n".join(found[id(item)]).encode()).hexdigest()


def _tags(digest: str, kinds: Collection[Kind]) -> list[TagName]:
    """Of the list that clients keep where a registry keeps none, and of cosign."""
    subject = Digest.parse(digest)
    return [tag_of(subject), *(tag_of(subject, suffix) for suffix, kind in _SUFFIXES.items() if kind in kinds)]
