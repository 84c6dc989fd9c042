"""Content into rows: manifests, their documents, blobs and index entries, each written once, for ever."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final

from catalog.models import Blob, ConfigDocument, Document, IndexEntry, Manifest, ManifestBlob
from catalog.recording.chunks import by_number
from catalog.rows import insert, insert_new, moment, select, update
from jobs.running import Lease
from oci.config import Summary, parse_time
from oci.fetched import Fetched
from oci.media_types import IMAGE_CONFIGS
from oci.model import Descriptor, ImageIndex, ImageManifest

# Of a manifest: its content is here whole.
HAS_DOCUMENT: Final = "EXISTS (SELECT 1 FROM catalog_document d WHERE d.manifest_id = catalog_manifest.id)"

_DOCUMENTS: Final = 250  # a transaction; up to 4 MiB each, but no batch holds more than eight
_CREATED: Final = "org.opencontainers.image.created"
_FAST: Final = 1  # of zlib: half the time of its usual level, and a twentieth more bytes
_MANIFEST: Final = (
    "digest",
    "media_type",
    "kind",
    "artifact_type",
    "document_size",
    "size",
    "layer_count",
    "subject",
    "problem",
    "config_id",
    "config_state",
    "config_problem",
    "os",
    "architecture",
    "variant",
    "created",
)
_ENTRY: Final = (
    "index_id",
    "position",
    "child_id",
    "digest",
    "media_type",
    "document_size",
    "role",
    "os",
    "architecture",
    "variant",
    "os_version",
    "attests",
)


def store(lease: Lease, contents: Mapping[str, Fetched]) -> dict[str, int]:
    """Write those of `contents` that are new; the ids of all, by digest.

    A manifest may list more than fits a short transaction, so its parts come first and its document, which
    makes it known, last: one that was cut short is written again. Two writers of one digest agree, since
    content is what its digest says; the second insert is ignored.
    """
    known = known_ids(contents)
    new = {digest: fetched for digest, fetched in contents.items() if digest not in known}
    if not new:
        return known
    with ThreadPoolExecutor(1) as beside:
        configs = beside.submit(_compressed, {d: f.config.content for d, f in new.items() if f.config})
        documents = beside.submit(_compressed, {digest: fetched.content for digest, fetched in new.items()})
        ids = _store_parts(lease, new, configs)
        rows = ((ids[digest], document) for digest, document in documents.result().items())
        for piece in by_number(rows, _DOCUMENTS):
            with lease.writing():
                insert(Document, ("manifest_id", "compressed"), piece)
    return known | ids


def _compressed(contents: Mapping[str, bytes]) -> dict[str, bytes]:
    return {digest: zlib.compress(content, _FAST) for digest, content in contents.items()}


def _store_parts(lease: Lease, new: Mapping[str, Fetched], configs: Future[dict[str, bytes]]) -> dict[str, int]:
    """All but the documents; the ids, by digest. `configs`: compressed, by the digest of the manifest.

    A config comes before the manifest that says that it was read.
    """
    used = {digest: [(str(d.digest), d.size) for d in _blob_descriptors(fetched)] for digest, fetched in new.items()}
    blobs = _store_blobs(lease, used.values())
    compressed = ((blobs[used[digest][0][0]], document) for digest, document in configs.result().items())
    for documents in by_number(compressed, _DOCUMENTS):
        with lease.writing():
            insert(ConfigDocument, ("blob_id", "compressed"), documents)
    ids: dict[str, int] = {}
    for piece in by_number([_manifest_row(digest, fetched, blobs) for digest, fetched in new.items()]):
        with lease.writing():
            ids |= insert_new(Manifest, _MANIFEST, piece, "digest")
    ids |= select(Manifest, ("digest", "id"), "digest", [digest for digest in new if digest not in ids])
    uses = (
        (ids[digest], position, blobs[blob])
        for digest, listed in used.items()
        for position, (blob, _) in enumerate(listed)
    )
    for batch in by_number(uses):
        with lease.writing():
            insert(ManifestBlob, ("manifest_id", "position", "blob_id"), batch)
    _store_entries(lease, new, ids)
    return ids


def known_ids(digests: Iterable[str]) -> dict[str, int]:
    """The ids of those whose content is here whole, by digest."""
    return dict(select(Manifest, ("digest", "id"), "digest", set(digests), HAS_DOCUMENT))


def _store_blobs(lease: Lease, uses: Collection[Sequence[tuple[str, int]]]) -> dict[str, int]:
    """The ids of all, by digest; `uses` are digests with sizes, of each manifest first that of its config."""
    sizes = dict(blob for listed in uses for blob in listed)
    # A new image has old layers and a new config: to look for it first would be in vain.
    layers = {digest for listed in uses for digest, _ in listed[1:]}
    ids: dict[str, int] = dict(select(Blob, ("digest", "id"), "digest", layers))
    for piece in by_number([digest for digest in sizes if digest not in ids]):
        with lease.writing():
            ids |= insert_new(Blob, ("digest", "size"), [(digest, sizes[digest]) for digest in piece], "digest")
    return ids | dict(select(Blob, ("digest", "id"), "digest", [digest for digest in sizes if digest not in ids]))


def _blob_descriptors(fetched: Fetched) -> tuple[Descriptor, ...]:
    """The config, then the layers."""
    manifest = fetched.manifest
    return (manifest.config, *manifest.layers) if isinstance(manifest, ImageManifest) else ()


def _manifest_row(digest: str, fetched: Fetched, blobs: Mapping[str, int]) -> tuple[Any, ...]:
    """The values of `_MANIFEST`."""
    manifest = fetched.manifest
    kind, state = Manifest.Kind.SCHEMA1, Manifest.ConfigState.NONE.value
    artifact_type, size, layers, config, created = "", 0, 0, None, None
    said: Sequence[Any] = ("", "", "", "", None)
    match manifest:
        case ImageManifest() as image:
            kind = Manifest.Kind(image.kind)
            artifact_type, size, layers = _artifact_type(image), image.size, len(image.layers)
            config, created = blobs[str(image.config.digest)], parse_time(image.annotations.get(_CREATED))
            if kind == Manifest.Kind.IMAGE:
                state = Manifest.ConfigState.UNREAD.value
            if fetched.config:
                state, *said = described(fetched.config.summary, fetched.config.problem)
        case ImageIndex() as index:
            kind, artifact_type = Manifest.Kind.INDEX, index.artifact_type[:255]
        case None:
            kind = Manifest.Kind.MALFORMED
    subject = manifest.subject if isinstance(manifest, ImageManifest | ImageIndex) else None
    return (
        digest,
        fetched.media_type[:255],
        kind.value,
        artifact_type,
        len(fetched.content),
        size,
        layers,
        str(subject.digest) if subject else "",
        fetched.problem,
        config,
        state,
        *said[:-1],
        said[-1] or moment(created),
    )


def described(summary: Summary | None, problem: str) -> tuple[Any, ...]:
    """What a manifest is told of its config: state, problem, os, architecture, variant, and when it was created."""
    platform = summary.platform if summary else None
    return (
        (Manifest.ConfigState.READ if summary else Manifest.ConfigState.MALFORMED).value,
        problem,
        platform.os[:64] if platform else "",
        platform.architecture[:64] if platform else "",
        platform.variant[:64] if platform else "",
        moment(summary.created) if summary else None,
    )


def _artifact_type(image: ImageManifest) -> str:
    """What the artifact says it is: before OCI 1.1 by its config's type, or where that says image, by its layers'."""
    if image.kind == "image":
        return ""
    layer = image.layers[0].media_type if image.layers else ""
    config = image.config.media_type
    return (image.artifact_type or (layer if config in IMAGE_CONFIGS else config))[:255]


def _store_entries(lease: Lease, new: Mapping[str, Fetched], ids: Mapping[str, int]) -> None:
    indexes = {ids[d]: f.manifest for d, f in new.items() if isinstance(f.manifest, ImageIndex)}
    listed = {str(child.digest) for index in indexes.values() for child in index.manifests}
    children = dict(select(Manifest, ("digest", "id"), "digest", listed))
    entries: Iterator[Sequence[Any]] = (
        _entry_row(index_id, position, child, children.get(str(child.digest)))
        for index_id, index in indexes.items()
        for position, child in enumerate(index.manifests)
    )
    for rows in by_number(entries):
        with lease.writing():
            insert(IndexEntry, _ENTRY, rows)
    orphans = select(IndexEntry, ("id", "digest"), "digest", new, "child_id IS NULL")
    for adopted in by_number(orphans):
        with lease.writing():
            update(IndexEntry, ("child_id",), [(ids[digest], entry) for entry, digest in adopted])


def _entry_row(index_id: int, position: int, child: Descriptor, child_id: int | None) -> tuple[Any, ...]:
    """The values of `_ENTRY`."""
    platform = child.platform
    return (
        index_id,
        position,
        child_id,
        str(child.digest),
        child.media_type[:255],
        child.size,
        _role(child).value,
        platform.os[:64] if platform else "",
        platform.architecture[:64] if platform else "",
        platform.variant[:64] if platform else "",
        platform.os_version[:64] if platform else "",
        str(child.attests or ""),
    )


def _role(child: Descriptor) -> IndexEntry.Role:
    """BuildKit gives its attestations the platform unknown/unknown; a descriptor may also name no platform."""
    if child.is_attestation:
        return IndexEntry.Role.ATTESTATION
    if child.artifact_type or (child.platform and child.platform.os == "unknown"):
        return IndexEntry.Role.OTHER
    return IndexEntry.Role.PLATFORM
