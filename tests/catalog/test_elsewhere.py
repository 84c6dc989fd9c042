from __future__ import annotations

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from catalog.models import Presence, Repository
from catalog.reads.elsewhere import CAP, Place, places_of
from catalog.reads.sharing import CAP as SHARERS_CAP
from catalog.reads.sharing import sharers_of
from registries.models import Registry
from tests.web import furniture as make


@pytest.fixture
def local(db: None) -> Registry:
    return make.registry("local")


@pytest.fixture
def app(local: Registry) -> Repository:
    return make.repository(local, "team/app")


def presence_of(where: Repository, built: make.Built, *tags: str) -> Presence:
    make.put(where, built, *tags)
    return Presence.objects.select_related("repository__registry").get(repository=where, manifest=built.row)


def test_places_are_named_those_of_the_same_registry_first(
    local: Registry, app: Repository, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    built = make.image()
    presence = presence_of(app, built, "1.0")
    make.put(make.repository(make.registry("a-mirror"), "team/app"), built, "1.0")
    make.put(make.repository(local, "release/app"), built, "2026", "latest")
    make.put(make.repository(local, "by/index"), built)
    make.put(make.repository(local, "went"), built, "1", gone_at=timezone.now())
    make.put(make.repository(local, "gone", gone_at=timezone.now()), built, "1")
    make.put(make.repository(make.registry("retired", retired_at=timezone.now()), "x"), built, "1")
    make.put(make.repository(local, "another"), make.image([("b", 1)]), "1")
    with django_assert_num_queries(1):
        found = places_of(presence)
    assert found.shown == (
        Place("local", "by/index", "", 0),
        Place("local", "release/app", "2026", 2),
        Place("a-mirror", "team/app", "1.0", 1),
    )
    assert (found.count, found.is_capped, found.more) == (3, False, 0)


def test_counting_places_stops_at_a_bound(local: Registry, app: Repository) -> None:
    built = make.image()
    presence = presence_of(app, built, "1.0")
    for number in range(CAP + 5):
        make.put(make.repository(local, f"many/{number}"), built)
    found = places_of(presence)
    assert (len(found.shown), found.is_capped, found.more) == (20, True, 80)


def test_who_shares_a_layer_is_listed(
    local: Registry, app: Repository, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    base = make.blob_digest("base")
    make.put(app, make.image([("base", 10)]), "1.0")
    make.put(app, make.image([("base", 10), ("b", 1)]), "2.0")
    for number in range(25):
        make.put(make.repository(local, f"web/{number:02}"), make.image([("base", 10), (f"{number}", 1)]), "1")
    make.put(make.repository(make.registry("other"), "web/x"), make.image([("base", 10)]), "1")
    with django_assert_num_queries(2):
        found = sharers_of(base, app)
    assert found.shown == tuple(f"web/{number:02}" for number in range(20))
    assert (found.count, found.more, found.images_here, found.is_capped) == (25, 5, 1, False)
    for number in range(SHARERS_CAP):
        make.put(make.repository(local, f"more/{number}"), make.image([("base", 10)]))
    assert sharers_of(base, app).is_capped
