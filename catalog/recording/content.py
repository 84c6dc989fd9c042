"""Content into rows: manifests, their documents, blobs and index entries, each written once, for ever."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeAlias

from catalog.models import (
    Blob,
    ConfigDocument,
    Document,
    IndexEntry,
    Label,
    LabelName,
    Manifest,
    ManifestBlob,
)
from catalog.recording.chunks import by_number
from catalog.recording.platforms import take_platforms
from catalog.recording.records import ConfigRecord, EntryRecord, ManifestRecord, compressed
from catalog.rows import insert, insert_new, moment, select, update
from jobs.running import Lease
from oci.fetched import Fetched

Content: TypeAlias = Fetched | ManifestRecord  # of a manifest: as it came, or already as it is kept

# Of a manifest: its content is here whole.
HAS_DOCUMENT: Final = "EXISTS (SELECT 1 FROM catalog_document d WHERE d.manifest_id = catalog_manifest.id)"

_DOCUMENTS: Final = 250  # a transaction; up to 4 MiB each, but no batch holds more than eight
_WITH_CONFIG: Final = frozenset({Manifest.Kind.IMAGE.value, Manifest.Kind.CHART.value})  # that says something to read
MANIFEST_COLUMNS: Final = (
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
    "facets",
    "layers_key",
)
ENTRY_COLUMNS: Final = (
    "index_id",
    "position",
    "child_id",
    *EntryRecord._fields,
)


def store(lease: Lease, contents: Mapping[str, Content]) -> dict[str, int]:
    """Write those of `contents` that are new; the ids of all, by digest.

    A manifest may list more than fits a short transaction, so its parts come first and its document, which
    makes it known, last: one that was cut short is written again. Two writers of one digest agree, since
    content is what its digest says; the second insert is ignored.
    """
    known = known_ids(contents)
    new = {digest: content for digest, content in contents.items() if digest not in known}
    if not new:
        return known
    with ThreadPoolExecutor(1) as beside:
        documents = beside.submit(lambda: [_document(content) for content in new.values()])
        records = {digest: _record(content) for digest, content in new.items()}
        ids = _store_parts(lease, records)
        rows = zip((ids[digest] for digest in new), documents.result(), strict=True)
        for piece in by_number(rows, _DOCUMENTS):
            with lease.writing():
                insert(Document, ("manifest_id", "compressed"), piece)
    return known | ids


def _record(content: Content) -> ManifestRecord:
    return content if isinstance(content, ManifestRecord) else ManifestRecord.of(content)


def _document(content: Content) -> bytes:
    return content.document if isinstance(content, ManifestRecord) else compressed(content.content)


def _store_parts(lease: Lease, records: Mapping[str, ManifestRecord]) -> dict[str, int]:
    """All but the documents; the ids, by digest. A config comes before the manifest that says that it was read."""
    blobs = _store_blobs(lease, [record.blobs for record in records.values()])
    configs = ((blobs[r.blobs[0][0]], r.config_document) for r in records.values() if r.config)
    for documents in by_number(configs, _DOCUMENTS):
        with lease.writing():
            insert(ConfigDocument, ("blob_id", "compressed"), documents)
    ids: dict[str, int] = {}
    for piece in by_number([manifest_row(record, blobs) for record in records.values()]):
        with lease.writing():
            ids |= insert_new(Manifest, MANIFEST_COLUMNS, piece, "digest")
    ids |= select(Manifest, ("digest", "id"), "digest", [digest for digest in records if digest not in ids])
    uses = (
        (ids[digest], position, blobs[blob])
        for digest, record in records.items()
        for position, (blob, _) in enumerate(record.blobs)
    )
    for batch in by_number(uses):
        with lease.writing():
            insert(ManifestBlob, ("manifest_id", "position", "blob_id"), batch)
    for pairs in by_number((ids[digest], label) for digest, record in records.items() for label in _labels(record)):
        with lease.writing():
            label_manifests(pairs)
    _store_entries(lease, records, ids)
    return ids


def _labels(record: ManifestRecord) -> Iterable[tuple[str, str]]:
    return (*record.labels, *(record.config.labels if record.config else ()))


def label_manifests(labels: Collection[tuple[int, tuple[str, str]]]) -> None:
    """Write labels, each the id of a manifest with name and value; inside the caller's transaction."""
    names = {name for _, (name, _) in labels}
    insert(LabelName, ("name",), [(name,) for name in sorted(names)])
    ids = dict(select(LabelName, ("name", "id"), "name", names))
    insert(Label, ("manifest_id", "name_id", "value"), [(pk, ids[name], value) for pk, (name, value) in labels])


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


def manifest_row(record: ManifestRecord, blobs: Mapping[str, int]) -> tuple[Any, ...]:
    """The values of `MANIFEST_COLUMNS`."""
    unread = Manifest.ConfigState.UNREAD if record.kind in _WITH_CONFIG else Manifest.ConfigState.NONE
    *said, created = told_of(record.config or ConfigRecord(unread.value))
    return (
        record.digest,
        record.media_type,
        record.kind,
        record.artifact_type,
        record.document_size,
        record.size,
        record.layer_count,
        record.subject,
        record.problem,
        blobs[record.blobs[0][0]] if record.blobs else None,
        *said,
        created or moment(record.created),
        record.facets,
        record.layers_key,
    )


def told_of(config: ConfigRecord) -> tuple[Any, ...]:
    """What a manifest is told of its config: state, problem, os, architecture, variant, and when it was created."""
    return (
        config.state,
        config.problem,
        config.os,
        config.architecture,
        config.variant,
        moment(config.created),
    )


def _store_entries(lease: Lease, records: Mapping[str, ManifestRecord], ids: Mapping[str, int]) -> None:
    entries = [(ids[index], place, e) for index, r in records.items() for place, e in enumerate(r.entries)]
    children = dict(select(Manifest, ("digest", "id"), "digest", {entry.digest for _, _, entry in entries}))
    for rows in by_number((index, place, children.get(entry.digest), *entry) for index, place, entry in entries):
        with lease.writing():
            insert(IndexEntry, ENTRY_COLUMNS, rows)
    orphans = select(IndexEntry, ("id", "digest"), "digest", records, "child_id IS NULL")
    for adopted in by_number(orphans):
        with lease.writing():
            update(IndexEntry, ("child_id",), [(ids[digest], entry) for entry, digest in adopted])
    nameless = [ids[index] for index, record in records.items() if any(not e.platform for e in record.entries)]
    with lease.writing():
        take_platforms(nameless)
