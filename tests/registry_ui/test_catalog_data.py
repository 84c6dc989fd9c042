"""The catalog that pages are measured on: all that it counts and derives is what the product itself would say."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.db.models import Count, F, Model, Q
from pytest_django import DjangoDbBlocker

from audit.models import Entry
from catalog.models import (
    ConfigDocument,
    Document,
    IndexEntry,
    Label,
    Manifest,
    ManifestBlob,
    NamespaceTotal,
    Presence,
    Repository,
    RepositoryBlob,
    Scan,
    Tag,
    TagSpan,
)
from catalog.recording import refreshing, settling
from catalog.recording.records import ConfigRecord, ManifestRecord
from catalog.scanning import figures
from jobs.models import Job
from jobs.running import Lease
from oci.fetched import Fetched
from oci.names import Digest
from registry_ui.bench.catalog_data.filling import fill
from registry_ui.bench.catalog_data.names import repository_names
from registry_ui.bench.catalog_data.shape import Catalog

CATALOG = Catalog(repositories=80, tags=1600, wide=250)


@pytest.fixture(scope="module")
def catalog(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Once for all tests: each of them takes back what it writes."""
    with django_db_blocker.unblock():
        fill(CATALOG)
        yield
        call_command("flush", interactive=False, verbosity=0)


@pytest.fixture
def filled(catalog: None, db: None) -> None:
    pass


@pytest.fixture
def lease(filled: None) -> Lease:
    job = Job.objects.latest("pk")
    Job.objects.filter(pk=job.pk).update(state=Job.State.RUNNING)
    return Lease(job)


def rows(model: type[Model]) -> list[dict[str, Any]]:
    return list(model._default_manager.order_by("pk").values())


def test_counters_are_the_numbers_of_rows(filled: None) -> None:
    assert Repository.objects.count() == 80
    tags = dict(Tag.objects.live().values_list("repository").annotate(Count("pk")))
    images = dict(Presence.objects.tagged().values_list("repository").annotate(Count("pk")))
    references: Counter[tuple[int, int]] = Counter()
    for presence in Presence.objects.present():
        blobs = set(ManifestBlob.objects.filter(manifest=presence.manifest_id).values_list("blob", flat=True))
        references.update((presence.repository_id, blob) for blob in blobs)
    counted = RepositoryBlob.objects.values_list("repository", "blob", "references")
    assert {(repository, blob): count for repository, blob, count in counted} == references
    for repository in Repository.objects.all():
        assert repository.tag_count == tags.get(repository.pk, 0)
        assert repository.image_count == images.get(repository.pk, 0)
        sizes = RepositoryBlob.objects.filter(repository=repository).values_list("blob__size", flat=True)
        assert repository.size == sum(sizes)
    assert CATALOG.tags * 0.98 < sum(tags.values()) <= CATALOG.tags


def test_what_a_repository_says_of_itself_a_scan_would_say(lease: Lease) -> None:
    before = rows(Repository)

    for pk in Repository.objects.live().values_list("pk", flat=True):
        refreshing.refresh(lease, pk)

    assert rows(Repository) == before


def test_what_images_say_of_themselves_a_scan_would_say(lease: Lease) -> None:
    before = rows(Presence)
    assert Presence.objects.exclude(state=Presence.State.WHOLE).exists()

    for repository in Repository.objects.all():
        presences = Presence.objects.filter(repository=repository)
        settling.count_tags(repository, {}, set(presences.values_list("pk", flat=True)))
        indexes = settling.indexes_among(presences.values_list("manifest", flat=True))
        settling.settle_indexes(lease, repository, indexes, {})

    assert rows(Presence) == before


def test_totals_are_those_of_a_scan(lease: Lease) -> None:
    for scan in Scan.objects.filter(repositories__gt=0):
        before, totals = Scan.objects.filter(pk=scan.pk).values().get(), rows(NamespaceTotal)
        figures.count(scan)
        figures.count_blobs(lease, scan)
        scan.save()
        assert Scan.objects.filter(pk=scan.pk).values().get() == before
        assert rows(NamespaceTotal) == totals
    assert Scan.objects.filter(repositories__gt=0).count() == 2


def test_each_document_is_what_its_row_says(filled: None) -> None:
    configs = {row.blob_id: zlib.decompress(row.compressed) for row in ConfigDocument.objects.all()}
    kinds = set()
    for document in Document.objects.select_related("manifest__config"):
        manifest, content = document.manifest, zlib.decompress(document.compressed)
        record = ManifestRecord.of(Fetched(Digest.parse(manifest.digest), manifest.media_type, content))
        if manifest.config_state == Manifest.ConfigState.READ:
            assert manifest.config
            assert manifest.config_id
            assert str(Digest.of(configs[manifest.config_id])) == manifest.config.digest
            record = record._replace(config=ConfigRecord.of(configs[manifest.config_id]))
        assert Digest.of(content) == Digest.parse(manifest.digest)
        assert (record.kind, record.size, record.layer_count) == (manifest.kind, manifest.size, manifest.layer_count)
        assert (record.facets, record.layers_key) == (manifest.facets, manifest.layers_key)
        uses = manifest.manifest_blobs.order_by("position").values_list("blob__digest", "blob__size")
        assert tuple(uses) == record.blobs
        labels = {*record.labels, *(record.config.labels if record.config else ())}
        assert set(Label.objects.filter(manifest=manifest).values_list("name__name", "value")) == labels
        kinds.add(manifest.kind)
    assert {"image", "index", "attestation", "signature", "chart"} <= kinds


def test_the_past_of_tags_has_no_gaps(filled: None) -> None:
    open_spans = dict(TagSpan.objects.filter(ended=None).values_list("tag", "manifest"))
    pointing = Tag.objects.live().exclude(presence=None)
    assert open_spans == dict(pointing.values_list("pk", "presence__manifest"))
    assert Tag.objects.exclude(gone_at=None).exists()
    assert Tag.objects.live().filter(presence=None).exclude(problem="").exists()
    assert TagSpan.objects.filter(~Q(ended=None), ended__lte=F("began")).count() == 0
    last = Scan.objects.complete().filter(registry__name="main").latest("pk")
    assert Tag.objects.filter(first_seen__gt=last.finished_at).count() == 0


def test_images_are_shared_and_parts_are_missing(filled: None) -> None:
    assert Presence.objects.values("manifest").annotate(n=Count("pk")).filter(n__gt=1).exists()
    assert IndexEntry.objects.filter(child=None).exists()
    assert Presence.objects.exclude(gone_at=None).exists()
    assert Repository.objects.exclude(gone_at=None).exists()
    assert RepositoryBlob.objects.values("blob").annotate(n=Count("pk")).filter(n__gt=10).exists()


def test_tags_are_as_many_as_were_asked_for() -> None:
    counts = Catalog(repositories=3000, tags=200_000, wide=10_000).tags_of_each()

    assert (len(counts), sum(counts), counts[0], max(counts[1:]) < 10_000) == (3000, 200_000, 10_000, True)


def test_names_differ_and_stay_the_same() -> None:
    names = repository_names(3000, 4)

    assert len(set(names)) == 3000
    assert names == repository_names(3000, 4)
    assert {name.count("/") for name in names} >= {0, 1, 2, 3, 4}
    assert set(names) & {name.rpartition("/")[0] for name in names}, "some hold repositories too"


def test_registries_told_of_as_many_acts_as_a_full_audit_has(filled: None) -> None:
    told = Entry.objects.filter(key__startswith="told:")
    assert told.count() == 2 * CATALOG.tags
    acts = dict(told.values_list("act").annotate(Count("pk")))
    assert acts[Entry.Act.PULL] > acts[Entry.Act.PUSH] > acts[Entry.Act.DELETE_TAG] > 0
    known = set(Repository.objects.values_list("registry", "name"))
    assert set(told.exclude(repository="").values_list("registry_id", "repository").distinct()) <= known
    moments = list(told.order_by("pk").values_list("at", flat=True))
    assert moments == sorted(moments)
    assert not told.exclude(source=Entry.Source.EVENT).exclude(address="").exists()
