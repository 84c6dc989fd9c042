"""What a scan's end counts of the space: what each repository and image has alone, what repeats, and the day."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from catalog.models import (
    LargeImage,
    Presence,
    RepeatedImage,
    Repository,
    RepositoryBlob,
    Scan,
    StorageDay,
)
from catalog.policy import MOST_BYTES
from catalog.reads.storage_levels import level_at
from catalog.scanning import figures, space
from jobs.models import Job
from jobs.running import Lease, claim
from registries.models import Registry
from tests.catalog.scanning import last_scan, scan
from tests.pushing import Pusher
from tests.real_registry import RealRegistry
from tests.web import furniture as make

BASE = b"base" * 50


def alone() -> dict[str, int]:
    """By repository the bytes of the blobs that stand in no other, counted one by one."""
    uses = list(RepositoryBlob.objects.values_list("repository__name", "blob_id", "blob__size"))
    times = Counter(blob for _, blob, _ in uses)
    found = dict.fromkeys(Repository.objects.values_list("name", flat=True), 0)
    for name, blob, size in uses:
        found[name] += size if times[blob] == 1 else 0
    return found


def unique() -> dict[str, int]:
    return dict(Repository.objects.values_list("name", "unique"))


@pytest.mark.django_db(transaction=True)
def test_what_each_has_alone_and_what_repeats_is_counted(row: Registry, own_registry: RealRegistry) -> None:
    one, two = Pusher(own_registry.url, "team/one"), Pusher(own_registry.url, "two")
    for push in (one, two):
        push.image("same", layers=[BASE, b"same" * 40])
        push.image("built", layers=[BASE, b"built" * 30], seed=push.repository)
    one.image("own", layers=[BASE, b"own" * 60])
    children = [one.image(layers=[BASE, b"amd"]), one.image(layers=[BASE, b"arm"], platform="linux/arm64")]
    one.index("index", children=children)
    scan(row)

    assert unique() == alone()
    assert 0 < unique()["two"] < unique()["team/one"]
    large = {
        image.presence.lead_tag: image for image in LargeImage.objects.filter(presence__repository__name="team/one")
    }
    assert set(large) == {"same", "built", "own", "index"}
    assert large["same"].unique == 0  # the other has all of it
    assert 0 < large["own"].unique < large["own"].size
    assert 0 < large["index"].unique < large["index"].size  # both platforms go with it
    by = {repeated.by: repeated for repeated in RepeatedImage.objects.all()}
    assert by["digest"].repositories == by["layers"].repositories == 2
    assert {image.lead_tag for image in by["digest"].named} == {"same"}
    assert {image.repository.name for image in by["layers"].named} == {"team/one", "two"}
    assert by["digest"].spared == by["digest"].size > 0
    day, found = StorageDay.objects.get(), last_scan()
    assert (day.stored, day.pushed, day.shared) == (found.stored, found.pushed, found.shared)

    one.image("more", layers=[b"more" * 70])
    scan(row)
    assert unique() == alone()
    assert StorageDay.objects.get().stored == last_scan().stored > found.stored


@pytest.fixture
def where(db: None) -> Registry:
    return make.registry("local")


def lease_of(where: Registry) -> Lease:
    lease = claim(make.job(where, Job.State.QUEUED).pk)
    assert lease is not None
    return lease


def test_nothing_is_counted_twice_where_nothing_changed(where: Registry) -> None:
    app = make.repository(where, "team/app")
    make.put(app, make.image(), "1")
    make.settle(app)
    before, now = make.scan(where), make.scan(where)
    for each in (before, now):
        figures.count(each)
    assert not figures.are_as_before(now, before)  # an older Berth had not counted what each image has alone
    space.find_large(lease_of(where), where.pk)
    Repository.objects.update(changed_at=before.started_at)
    assert figures.are_as_before(now, before)
    Repository.objects.update(changed_at=timezone.now())
    assert not figures.are_as_before(now, before)
    Repository.objects.update(changed_at=before.started_at, pushed=1)
    figures.count(now)
    assert not figures.are_as_before(now, before)


def test_sizes_that_a_pusher_made_up_are_borne(where: Registry) -> None:
    """Each is near what a column holds, and two together are more."""
    most = MOST_BYTES - 1_000
    for name in ("a", "b/c", "d"):
        app = make.repository(where, name)
        for tag, layer in (("1", "of all"), ("2", f"of {name}"), ("3", f"also of {name}")):
            make.put(app, make.image([(layer, most)]), tag, size=most)
    lease = lease_of(where)
    space.find_large(lease, where.pk)
    space.find_repeated(lease, where.pk)
    figures.count_blobs(lease, Scan(registry=where))

    assert RepeatedImage.objects.get().spared == MOST_BYTES
    assert set(LargeImage.objects.values_list("size", flat=True)) == {most}
    assert set(unique().values()) == {MOST_BYTES}
    level = level_at(where, "")
    assert level.unique == MOST_BYTES
    assert {piece.path for piece in level.pieces} == {"a", "b", "d"}


def test_an_image_of_another_registry_is_no_repetition(where: Registry) -> None:
    built, other = make.image(), make.registry("other")
    make.put(make.repository(where, "team/app"), built, "1")
    make.put(make.repository(other, "team/app"), built, "1")
    gone = make.repository(where, "team/gone", gone_at=timezone.now())
    make.put(gone, built, "1")
    make.put(make.repository(where, "team/untagged"), built)
    with transaction.atomic():
        space.find_repeated(lease_of(where), where.pk)
    assert not RepeatedImage.objects.exists()
    assert Presence.objects.count() == 4


def test_days_are_kept_once_and_not_for_ever(where: Registry) -> None:
    for ago in (1_200, 1_000):
        space.keep_day(make.scan(where, finished_at=timezone.now() - timedelta(days=ago)))
    found = make.scan(where, stored=5)
    space.keep_day(found)
    found.stored = 7
    space.keep_day(found)
    assert list(StorageDay.objects.order_by("day").values_list("stored", flat=True)) == [0, 7]
