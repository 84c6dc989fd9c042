"""Rows as a scan would have written them, built directly: a page is tested without a registry."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import reduce
from operator import or_
from typing import Any, Final

from django.db.models import F
from django.utils import timezone

from access.models import User
from catalog import facets
from catalog.labels import searchable
from catalog.layers_keys import layers_key
from catalog.models import (
    Blob,
    ConfigDocument,
    Document,
    IndexEntry,
    Manifest,
    ManifestBlob,
    NamespaceTotal,
    Presence,
    Repository,
    RepositoryBlob,
    Scan,
    Tag,
)
from catalog.models.repositories import LONG_AGO
from catalog.recording.content import label_manifests
from catalog.sort_keys import name_key
from catalog.versions import tag_key
from jobs.models import Job
from registries.models import Registry

PASSWORD: Final = "correct-horse-battery"
OCI: Final = "application/vnd.oci.image"
LAYER: Final = f"{OCI}.layer.v1.tar+gzip"


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def blob_digest(name: str) -> str:
    """The digest of a blob that is known only by name here."""
    return digest_of(name.encode())


def person(name: str = "mara", *, staff: bool = False, **more: Any) -> User:
    return User.objects.create_user(username=name, password=PASSWORD, is_staff=staff, **more)


def registry(name: str = "local", **more: Any) -> Registry:
    return Registry.objects.create(**{"name": name, "url": f"https://{name}.example.org", **more})


def repository(where: Registry, name: str = "team/app", **more: Any) -> Repository:
    values = {
        "name_key": name_key(name),
        "namespace": name.rpartition("/")[0],
        "state": Repository.State.WHOLE,
        "scanned_at": timezone.now(),
    }
    return Repository.objects.create(registry=where, name=name, **{**values, **more})


@dataclass(frozen=True)
class Built:
    """A manifest with its document."""

    row: Manifest
    content: bytes


def config(**fields: Any) -> dict[str, Any]:
    """An image config of linux/amd64; `run` is its inner `config`."""
    run = fields.pop("run", {})
    return {"architecture": "amd64", "os": "linux", "config": run, **fields}


def image(  # noqa: PLR0913  each is one thing that an image may be odd in
    layers: list[tuple[str, int]] | None = None,
    settings: dict[str, Any] | bytes | None = None,
    *,
    config_state: Manifest.ConfigState = Manifest.ConfigState.READ,
    media_type: str = f"{OCI}.manifest.v1+json",
    config_type: str = f"{OCI}.config.v1+json",
    layer_type: str = LAYER,
    kind: Manifest.Kind = Manifest.Kind.IMAGE,
    titles: bool = False,
    more: dict[str, Any] | None = None,
    **fields: Any,
) -> Built:
    """An image manifest with `layers` as (name, bytes) and a config; `more` goes into the document."""
    layers = [("base", 28_200_000), ("app", 3_400_000)] if layers is None else layers
    settings = config() if settings is None else settings
    config_bytes = settings if isinstance(settings, bytes) else json.dumps(settings).encode()
    descriptors = [
        {
            "mediaType": layer_type,
            "digest": blob_digest(name),
            "size": size,
            **({"annotations": {"org.opencontainers.image.title": name}} if titles else {}),
        }
        for name, size in layers
    ]
    document = {
        "schemaVersion": 2,
        "mediaType": media_type,
        "config": {"mediaType": config_type, "digest": digest_of(config_bytes), "size": len(config_bytes)},
        "layers": descriptors,
        **(more or {}),
    }
    content = json.dumps(document).encode()
    blobs = _blobs(
        [(digest_of(config_bytes), len(config_bytes)), *((blob_digest(name), size) for name, size in layers)]
    )
    if config_state in {Manifest.ConfigState.READ, Manifest.ConfigState.MALFORMED}:
        ConfigDocument.objects.get_or_create(blob=blobs[0], defaults={"compressed": zlib.compress(config_bytes)})
    known = settings if isinstance(settings, dict) and config_state == Manifest.ConfigState.READ else {}
    row = _manifest(
        content,
        media_type=media_type,
        kind=kind,
        size=sum({blob.digest: blob.size for blob in blobs}.values()),
        layer_count=len(layers),
        config=blobs[0],
        config_state=config_state,
        os=known.get("os", ""),
        architecture=known.get("architecture", ""),
        variant=known.get("variant", ""),
        layers_key=layers_key(blob_digest(name) for name, _ in layers) if kind == Manifest.Kind.IMAGE else 0,
        **fields,
    )
    row.facets = facets.of_kind(kind) | facets.of_platform(row.platform)
    row.save(update_fields=["facets"])
    labels = known.get("config", {}).get("Labels", {}) if isinstance(known.get("config"), dict) else {}
    said = [*(more or {}).get("annotations", {}).items(), *(labels.items() if isinstance(labels, dict) else ())]
    label_manifests([(row.pk, pair) for pair in searchable((str(name), str(value)) for name, value in said)])
    ManifestBlob.objects.bulk_create(
        [ManifestBlob(manifest=row, position=position, blob=blob) for position, blob in enumerate(blobs)],
        ignore_conflicts=True,
    )
    return Built(row, content)


def index(
    children: Sequence[tuple[str, Built | str]],
    *,
    types: Sequence[str] = (),
    versions: Sequence[str] = (),
    more: dict[str, Any] | None = None,
    **fields: Any,
) -> Built:
    """An image index of (platform, child); a child given as a digest was never seen; platform "attests …" is one.

    `types` are the media types of the children where they are not all image manifests, `versions` their os.version.
    """
    entries: list[dict[str, Any]] = []
    for number, (platform, child) in enumerate(children):
        digest = child if isinstance(child, str) else child.row.digest
        media_type = types[number] if types else f"{OCI}.manifest.v1+json"
        entries.append({"mediaType": media_type, "digest": digest, "size": 500, **_says(platform)})
    media_type = f"{OCI}.index.v1+json"
    document = {"schemaVersion": 2, "mediaType": media_type, "manifests": entries, **(more or {})}
    content = json.dumps(document).encode()
    row = _manifest(content, media_type=media_type, kind=Manifest.Kind.INDEX, **fields)
    rows = []
    for position, ((platform, child), entry) in enumerate(zip(children, entries, strict=True)):
        attests = platform.removeprefix("attests ") if platform.startswith("attests ") else ""
        os, _, rest = platform.partition("/") if not attests else ("unknown", "", "unknown")
        architecture, _, variant = rest.partition("/")
        rows.append(
            IndexEntry(
                index=row,
                position=position,
                digest=entry["digest"],
                child=None if isinstance(child, str) else child.row,
                media_type=entry["mediaType"],
                document_size=500,
                role=IndexEntry.Role.ATTESTATION if attests else IndexEntry.Role.PLATFORM,
                os=os,
                architecture=architecture,
                variant=variant,
                os_version=versions[position] if versions else "",
                attests=attests,
            )
        )
    IndexEntry.objects.bulk_create(rows)
    named = [entry.platform for entry in rows if entry.role == IndexEntry.Role.PLATFORM]
    row.facets = facets.of_kind(Manifest.Kind.INDEX) | facets.of_platforms(named)
    row.save(update_fields=["facets"])
    return Built(row, content)


def _says(platform: str) -> dict[str, Any]:
    if platform.startswith("attests "):
        return {
            "platform": {"os": "unknown", "architecture": "unknown"},
            "annotations": {
                "vnd.docker.reference.type": "attestation-manifest",
                "vnd.docker.reference.digest": platform.removeprefix("attests "),
            },
        }
    os, _, rest = platform.partition("/")
    architecture, _, variant = rest.partition("/")
    named = {"os": os, "architecture": architecture, **({"variant": variant} if variant else {})}
    return {"platform": named} if platform else {}


def _manifest(content: bytes, **fields: Any) -> Manifest:
    values = {"document_size": len(content), **fields}
    row, new = Manifest.objects.get_or_create(digest=digest_of(content), defaults=values)
    if new:
        Document.objects.create(manifest=row, compressed=zlib.compress(content))
    return row


def malformed(content: bytes = b'{"layers": []') -> Built:
    row = _manifest(content, media_type="", kind=Manifest.Kind.MALFORMED, problem="the manifest is no JSON object")
    return Built(row, content)


def _blobs(wanted: list[tuple[str, int]]) -> list[Blob]:
    """In that order, as (digest, bytes); what is there already keeps its size."""
    Blob.objects.bulk_create([Blob(digest=digest, size=size) for digest, size in wanted], ignore_conflicts=True)
    found = {blob.digest: blob for blob in Blob.objects.filter(digest__in=[digest for digest, _ in wanted])}
    return [found[digest] for digest, _ in wanted]


def put(where: Repository, built: Built, *tags: str, **fields: Any) -> Presence:
    """Make the manifest present in a repository, with these tags, of which the first leads."""
    blobs = set(ManifestBlob.objects.filter(manifest=built.row).values_list("blob", flat=True))
    uses = RepositoryBlob.objects.filter(repository=where, blob__in=blobs)
    fresh = blobs.difference(uses.values_list("blob", flat=True))
    uses.update(references=F("references") + 1)
    RepositoryBlob.objects.bulk_create(
        [RepositoryBlob(repository=where, blob_id=blob, references=1) for blob in sorted(fresh)]
    )
    values = {
        "tag_count": len(tags),
        "lead_tag": tags[0] if tags else "",
        "lead_key": tag_key(tags[0]) if tags else b"",
        "facets": built.row.facets | facets.of_tags(tags),
        "size": built.row.size,
        "dated": LONG_AGO if fields.get("dated_by") == Presence.DatedBy.FOUND else timezone.now(),
        "dated_by": Presence.DatedBy.SEEN,
    }
    presence = Presence.objects.create(repository=where, manifest=built.row, **{**values, **fields})
    Tag.objects.bulk_create([Tag(repository=where, name=name, key=tag_key(name), presence=presence) for name in tags])
    return presence


def lose_tag(where: Repository, name: str, problem: str) -> Tag:
    """A tag whose manifest could never be read."""
    return Tag.objects.create(repository=where, name=name, key=tag_key(name), problem=problem)


def settle(where: Repository) -> Repository:
    """Count what is in a repository, as the end of its scan does."""
    tagged = where.presences.tagged()
    newest = tagged.for_people().order_by("-dated").first()
    blobs = RepositoryBlob.objects.filter(repository=where).select_related("blob")
    where.tag_count = where.tags.live().count()
    where.image_count = tagged.count()
    where.problem_count = where.tags.live().unreadable().count() + tagged.exclude(state=Presence.State.WHOLE).count()
    where.size = sum(use.blob.size for use in blobs)
    where.newest = newest
    where.facets = reduce(or_, tagged.values_list("facets", flat=True), 0)
    where.changed_at = (newest.date or LONG_AGO) if newest else where.changed_at
    where.save()
    return where


def namespace(where: Registry, name: str, **sums: int) -> NamespaceTotal:
    """What a scan counted of a namespace, in its place in the tree; those above it are made before."""
    parent = name.rpartition("/")[0]
    NamespaceTotal.objects.filter(registry=where, namespace=parent or None).update(has_below=True)
    values = {"repositories": 1, "tags": 2, "images": 2, "pushed": 1_000, "stored": 1_000, "unique": 1_000}
    is_repository = Repository.objects.live().filter(registry=where, name=name).exists()
    place = {"namespace": name, "parent": parent, "is_repository": is_repository}
    return NamespaceTotal.objects.create(registry=where, **place, **{**values, **sums})


def count_namespaces(where: Registry) -> None:
    """Every namespace that the repositories of a registry have, with how many stand in it and below."""
    counts: Counter[str] = Counter()
    for name in Repository.objects.live().filter(registry=where).values_list("name", flat=True):
        parts = name.split("/")[:-1]
        counts.update("/".join(parts[:depth]) for depth in range(1, len(parts) + 1))
    for name, repositories in sorted(counts.items()):
        namespace(where, name, repositories=repositories)


def scan(where: Registry, **fields: Any) -> Scan:
    """A complete scan that has just ended."""
    now = timezone.now()
    values = {"started_at": now - timedelta(seconds=42), "finished_at": now, "complete": True}
    return Scan.objects.create(registry=where, **{**values, **fields})


def job(where: Registry, state: Job.State = Job.State.RUNNING, **fields: Any) -> Job:
    values = {"kind": "scan", "subject": where.job_subject, "title": f"Scan of {where.name}", "state": state}
    return Job.objects.create(**{**values, **fields})
