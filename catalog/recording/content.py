"""Content into rows: manifests, their documents, blobs and index entries, each written once, for ever."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from typing import Final

from catalog.models import Blob, Document, IndexEntry, Manifest, ManifestBlob
from catalog.recording.chunks import by_number
from jobs.running import Lease
from oci.client import Fetched
from oci.config import parse_time
from oci.media_types import IMAGE_CONFIGS
from oci.model import Descriptor, ImageIndex, ImageManifest
from oci.names import Digest

_DOCUMENTS: Final = 100  # a transaction; up to 4 MiB each, before they are compressed
_CREATED: Final = "org.opencontainers.image.created"


def store(lease: Lease, contents: Mapping[str, Fetched]) -> dict[str, int]:
    """Write those of `contents` that are new, children before their index; the ids of all, by digest.

    A manifest may list more than fits a short transaction, so its parts come first and its document, which
    makes it known, last: one that was cut short is written again. Two writers of one digest agree, since
    content is what its digest says; the second insert is ignored.
    """
    known = known_ids(contents)
    new = {digest: fetched for digest, fetched in contents.items() if digest not in known}
    if not new:
        return known
    blobs = _store_blobs(lease, new)
    rows = [_manifest_row(digest, fetched, blobs) for digest, fetched in new.items()]
    for piece in by_number(rows):
        with lease.writing():
            Manifest.objects.bulk_create(piece, ignore_conflicts=True)
    ids = dict(Manifest.objects.filter(digest__in=list(new)).values_list("digest", "id"))
    _store_parts(lease, new, ids, blobs)
    documents = [Document(manifest_id=ids[digest], compressed=zlib.compress(f.content)) for digest, f in new.items()]
    for batch in by_number(documents, _DOCUMENTS):
        with lease.writing():
            Document.objects.bulk_create(batch, ignore_conflicts=True)
    return known | ids


def known_ids(digests: Iterable[str]) -> dict[str, int]:
    """The ids of those whose content is here whole, by digest."""
    rows = Manifest.objects.filter(digest__in=list(digests), document__isnull=False)
    return dict(rows.values_list("digest", "id"))


def _store_blobs(lease: Lease, new: Mapping[str, Fetched]) -> dict[Digest, int]:
    sizes = {d.digest: d.size for fetched in new.values() for d in _blob_descriptors(fetched)}
    ids: dict[Digest, int] = {}
    for piece in by_number(sizes):
        wanted = [str(digest) for digest in piece]
        known = set(Blob.objects.filter(digest__in=wanted).values_list("digest", flat=True))
        fresh = [Blob(digest=str(digest), size=sizes[digest]) for digest in piece if str(digest) not in known]
        if fresh:
            with lease.writing():
                Blob.objects.bulk_create(fresh, ignore_conflicts=True)
        found = dict(Blob.objects.filter(digest__in=wanted).values_list("digest", "id"))
        ids |= {digest: found[str(digest)] for digest in piece}
    return ids


def _blob_descriptors(fetched: Fetched) -> tuple[Descriptor, ...]:
    """The config, then the layers."""
    manifest = fetched.manifest
    return (manifest.config, *manifest.layers) if isinstance(manifest, ImageManifest) else ()


def _manifest_row(digest: str, fetched: Fetched, blobs: Mapping[Digest, int]) -> Manifest:
    row = Manifest(
        digest=digest,
        media_type=fetched.media_type[:255],
        kind=Manifest.Kind.SCHEMA1,
        document_size=len(fetched.content),
        problem=fetched.problem,
    )
    match fetched.manifest:
        case ImageManifest() as image:
            row.kind = Manifest.Kind(image.kind)
            row.artifact_type, row.size = _artifact_type(image), image.size
            row.layer_count = len(image.layers)
            row.config_id = blobs[image.config.digest]
            row.created = parse_time(image.annotations.get(_CREATED))
            if image.kind == "image":
                row.config_state = Manifest.ConfigState.UNREAD
        case ImageIndex() as index:
            row.kind, row.artifact_type = Manifest.Kind.INDEX, index.artifact_type[:255]
        case None:
            row.kind = Manifest.Kind.MALFORMED
    if isinstance(fetched.manifest, ImageManifest | ImageIndex) and fetched.manifest.subject:
        row.subject = str(fetched.manifest.subject.digest)
    return row


def _artifact_type(image: ImageManifest) -> str:
    """What the artifact says it is: before OCI 1.1 by its config's type, or where that says image, by its layers'."""
    if image.kind == "image":
        return ""
    layer = image.layers[0].media_type if image.layers else ""
    config = image.config.media_type
    return (image.artifact_type or (layer if config in IMAGE_CONFIGS else config))[:255]


def _store_parts(lease: Lease, new: Mapping[str, Fetched], ids: Mapping[str, int], blobs: Mapping[Digest, int]) -> None:
    uses = (
        ManifestBlob(manifest_id=ids[digest], position=position, blob_id=blobs[descriptor.digest])
        for digest, fetched in new.items()
        for position, descriptor in enumerate(_blob_descriptors(fetched))
    )
    for batch in by_number(uses):
        with lease.writing():
            ManifestBlob.objects.bulk_create(batch, ignore_conflicts=True)
    indexes = {ids[d]: f.manifest for d, f in new.items() if isinstance(f.manifest, ImageIndex)}
    listed = {str(child.digest) for index in indexes.values() for child in index.manifests}
    children = dict(Manifest.objects.filter(digest__in=listed).values_list("digest", "id"))
    entries = (
        _entry(index_id, position, child, children.get(str(child.digest)))
        for index_id, index in indexes.items()
        for position, child in enumerate(index.manifests)
    )
    for piece in by_number(entries):
        with lease.writing():
            IndexEntry.objects.bulk_create(piece, ignore_conflicts=True)
    orphans = IndexEntry.objects.filter(child=None, digest__in=list(new)).values_list("id", "digest")
    for adopted in by_number(list(orphans)):
        with lease.writing():
            for entry, digest in adopted:
                IndexEntry.objects.filter(pk=entry).update(child_id=ids[digest])


def _entry(index_id: int, position: int, child: Descriptor, child_id: int | None) -> IndexEntry:
    platform = child.platform
    return IndexEntry(
        index_id=index_id,
        position=position,
        child_id=child_id,
        digest=str(child.digest),
        media_type=child.media_type[:255],
        document_size=child.size,
        role=_role(child),
        os=platform.os[:64] if platform else "",
        architecture=platform.architecture[:64] if platform else "",
        variant=platform.variant[:64] if platform else "",
        os_version=platform.os_version[:64] if platform else "",
        attests=str(child.attests or ""),
    )


def _role(child: Descriptor) -> IndexEntry.Role:
    """BuildKit gives its attestations the platform unknown/unknown; a descriptor may also name no platform."""
    if child.is_attestation:
        return IndexEntry.Role.ATTESTATION
    if child.artifact_type or (child.platform and child.platform.os == "unknown"):
        return IndexEntry.Role.OTHER
    return IndexEntry.Role.PLATFORM
