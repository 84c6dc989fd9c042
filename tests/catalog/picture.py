"""The catalog as plain values without ids and moments, so that two databases can be compared."""

from __future__ import annotations

import hashlib
from typing import Any

from django.db.models import Case, Count, Sum, Value, When

from catalog.models import (
    Blob,
    ConfigDocument,
    Document,
    IndexEntry,
    Label,
    LargeImage,
    Manifest,
    ManifestBlob,
    NamespaceTotal,
    Presence,
    RepeatedImage,
    Repository,
    RepositoryBlob,
    Scan,
    Tag,
    TagSpan,
)
from registries.models import Registry


def _is(**fact: Any) -> Case:
    return Case(When(**fact, then=Value(value=True)), default=Value(value=False))


def picture() -> dict[str, list[Any]]:
    """Every row that a scan writes, by what it says."""
    return {
        "repositories": sorted(
            Repository.objects.values_list(
                "name",
                "namespace",
                "state",
                "problem",
                "tag_count",
                "image_count",
                "problem_count",
                "size",
                "pushed",
                "newest__lead_tag",
                "missed",
                "facets",
                _is(gone_at=None),
                "unique",
            ),
            key=str,
        ),
        "presences": sorted(
            Presence.objects.values_list(
                "repository__name",
                "manifest__digest",
                "state",
                "problem",
                "tag_count",
                "lead_tag",
                "size",
                "dated_by",
                Case(When(dated_by=Presence.DatedBy.SEEN, then=None), default="dated"),
                _is(gone_at=None),
                "facets",
            ),
            key=str,
        ),
        "tags": sorted(
            Tag.objects.values_list(
                "repository__name", "name", "presence__manifest__digest", "problem", _is(gone_at=None)
            ),
            key=str,
        ),
        "spans": sorted(
            TagSpan.objects.values_list("tag__repository__name", "tag__name", "manifest__digest", _is(ended=None))
        ),
        "blobs": sorted(RepositoryBlob.objects.values_list("repository__name", "blob__digest", "references")),
        "manifests": sorted(
            Manifest.objects.values_list(
                "digest",
                "media_type",
                "kind",
                "artifact_type",
                "document_size",
                "size",
                "layer_count",
                "subject",
                "problem",
                "config__digest",
                "config_state",
                "config_problem",
                "os",
                "architecture",
                "variant",
                "created",
                "facets",
                "layers_key",
            ),
            key=str,
        ),
        "labels": sorted(Label.objects.values_list("manifest__digest", "name__name", "value")),
        "parts": sorted(ManifestBlob.objects.values_list("manifest__digest", "position", "blob__digest")),
        "entries": sorted(
            IndexEntry.objects.values_list(
                "index__digest",
                "position",
                "digest",
                "child__digest",
                "media_type",
                "document_size",
                "role",
                "os",
                "architecture",
                "variant",
                "attests",
            ),
            key=str,
        ),
        "documents": sorted(
            (digest, hashlib.sha256(bytes(raw)).hexdigest())
            for digest, raw in Document.objects.values_list("manifest__digest", "compressed")
        ),
        "configs": sorted(ConfigDocument.objects.values_list("blob__digest", flat=True)),
        "totals": list(
            Scan.objects.complete()
            .newest_first()
            .values_list(
                "repositories", "failed_repositories", "broken", "tags", "images", "pushed", "stored", "shared"
            )[:1]
        ),
        "namespaces": sorted(
            NamespaceTotal.objects.values_list(
                "namespace",
                "parent",
                "has_below",
                "is_repository",
                "repositories",
                "tags",
                "images",
                "pushed",
                "stored",
                "unique",
            )
        ),
        "large images": sorted(
            LargeImage.objects.values_list("presence__repository__name", "presence__manifest__digest", "size", "unique")
        ),
        "repeated images": sorted(RepeatedImage.objects.values_list("by", "repositories", "size", "spared")),
    }


def check_counters() -> None:
    """The counters that are kept are those that one would count."""
    for repository in Repository.objects.all():
        tags = Tag.objects.live().filter(repository=repository)
        tagged = Presence.objects.filter(repository=repository, tags__in=tags).distinct()
        assert repository.tag_count == tags.count(), repository
        assert repository.image_count == tagged.count(), repository
        used = (
            ManifestBlob.objects.filter(
                manifest__presences__repository=repository, manifest__presences__gone_at__isnull=True
            )
            .values("blob_id")
            .annotate(references=Count("manifest_id", distinct=True))
        )
        kept = RepositoryBlob.objects.filter(repository=repository)
        assert set(used.values_list("blob_id", "references")) == set(kept.values_list("blob_id", "references"))
        assert repository.size == (kept.aggregate(size=Sum("blob__size"))["size"] or 0), repository
    for presence in Presence.objects.all():
        assert presence.tag_count == Tag.objects.live().filter(presence=presence).count(), presence
        assert not (presence.gone_at and presence.tag_count), presence
    open_spans = set(TagSpan.objects.filter(ended=None).values_list("tag_id", "manifest_id"))
    live = Tag.objects.live().exclude(presence=None)
    assert open_spans == set(live.values_list("id", "presence__manifest_id"))


def told_by_any(picture: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """Without what a storage folder alone tells, dates and what they decide, and with a problem for its words."""
    repositories = [(*row[:3], bool(row[3]), *row[4:9], *row[10:]) for row in picture["repositories"]]
    presences = [(*row[:3], bool(row[3]), *row[4:7], row[9]) for row in picture["presences"]]
    tags = [(*row[:3], bool(row[3]), row[4]) for row in picture["tags"]]
    return picture | {"repositories": repositories, "presences": sorted(presences, key=str), "tags": tags}


def forget_all() -> None:
    """An empty catalog, of no registry."""
    Registry.objects.all().delete()
    for model in (Manifest, Blob):
        model.objects.all().delete()
