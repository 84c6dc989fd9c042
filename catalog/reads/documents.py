"""The bytes of manifests and configs, as they were when their digest was made."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import BinaryField, Case, F, Value, When

from catalog.models import ConfigDocument, Document, Manifest
from oci.config import CONFIG_LIMIT
from oci.model import MANIFEST_LIMIT


@dataclass(frozen=True, slots=True)
class Contents:
    """`documents` are by the manifest's id; `config` is of the one whose config was asked for."""

    documents: dict[int, bytes] = field(default_factory=dict)
    config: bytes | None = None


def contents_of(manifest_ids: Iterable[int], config_of: Manifest | None) -> Contents:
    """Those that are known. One query."""
    with_config = config_of.pk if config_of and config_of.config_state == Manifest.ConfigState.READ else None
    rows = Manifest.objects.filter(pk__in=list(manifest_ids)).annotate(
        packed=F("document__compressed"),
        packed_config=Case(
            When(pk=with_config, then=F("config__config_document__compressed")),
            default=Value(None),
            output_field=BinaryField(null=True),
        ),
    )
    contents = Contents()
    for pk, packed, config in rows.values_list("pk", "packed", "packed_config"):
        if packed is not None:
            contents.documents[pk] = unpacked(packed, MANIFEST_LIMIT)
        if config is not None:
            contents = Contents(contents.documents, unpacked(config, CONFIG_LIMIT))
    return contents


def raw_manifest(manifest: Manifest) -> bytes | None:
    """The very bytes that the digest is of; None where they were never read."""
    document = Document.objects.filter(manifest=manifest).first()
    return unpacked(document.compressed, MANIFEST_LIMIT) if document else None


def raw_config(manifest: Manifest) -> bytes | None:
    """The very bytes of its config; None where it has none, or where they were not read yet."""
    document = ConfigDocument.objects.filter(blob=manifest.config_id).first() if manifest.config_id else None
    return unpacked(document.compressed, CONFIG_LIMIT) if document else None


def unpacked(compressed: bytes | memoryview, most: int) -> bytes:
    """At most `most` bytes, whatever the row promises."""
    return zlib.decompressobj().decompress(bytes(compressed), most)
