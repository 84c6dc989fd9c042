"""What the catalog knows of content, by digest: what an index lists and what is attached to what is true for ever."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Final

from django.utils.translation import gettext_noop

from catalog.models import Blob, IndexEntry, Manifest
from catalog.recording.content import HAS_DOCUMENT
from catalog.rows import select
from cleanup.untagged.judging import Found
from oci.fetched import Fetched
from oci.model import ImageIndex, ImageManifest

UNREADABLE: Final = gettext_noop("the manifest %(digest)s cannot be understood, so nobody knows what it needs")
SENTENCES: Final = (UNREADABLE,)


class NotUnderstood(Exception):  # noqa: N818  a finding, of the manifest `digest`
    def __init__(self, digest: str) -> None:
        super().__init__(digest)
        self.digest = digest


def known_among(digests: Collection[str]) -> dict[str, Found]:
    """Those of which the catalog has the content, by digest, of no age. Raises NotUnderstood."""
    columns = ("id", "digest", "kind", "size", "subject", "config_id", "problem")
    rows = select(Manifest, columns, "digest", digests, HAS_DOCUMENT)
    indexes = [pk for pk, _, kind, *_ in rows if kind == Manifest.Kind.INDEX]
    lists: dict[int, list[str]] = {}
    for index, digest in select(IndexEntry, ("index_id", "digest"), "index_id", indexes):
        lists.setdefault(index, []).append(digest)
    configs = dict(select(Blob, ("id", "digest"), "id", {row[5] for row in rows} - {None}))
    found: dict[str, Found] = {}
    for pk, digest, kind, size, subject, config, problem in rows:
        if problem or kind == Manifest.Kind.MALFORMED:
            raise NotUnderstood(digest)
        found[digest] = Found(digest, kind, size, tuple(lists.get(pk, ())), subject, configs.get(config, ""))
    return found


def found_in(digest: str, fetched: Fetched) -> Found:
    """The same of what was just read. Raises NotUnderstood."""
    match fetched.manifest:
        case ImageIndex() as index:
            lists = tuple(str(child.digest) for child in index.manifests)
            return Found(digest, Manifest.Kind.INDEX.value, 0, lists, _subject(index))
        case ImageManifest() as image:
            config, layers = str(image.config.digest), tuple(str(layer.digest) for layer in image.layers)
            kind = str(image.kind)
            return Found(digest, kind, image.size, (), _subject(image), config, unrecorded=(config, *layers))
        case None:
            raise NotUnderstood(digest)
    return Found(digest, Manifest.Kind.SCHEMA1.value)


def since(found: Found, moment: datetime | None) -> Found:
    return found._replace(since=moment)


def _subject(manifest: ImageIndex | ImageManifest) -> str:
    return str(manifest.subject.digest) if manifest.subject else ""
