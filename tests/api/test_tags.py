from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from api.answers import Listing
from api.tags import MOST_ALIASES, TagJson
from catalog.models import Manifest, Presence, Repository, Tag
from tests.api.asking import ask, names, walk
from tests.web import furniture as make

LIST = Listing[TagJson]
TAGS = "/repositories/local/team/app/-/tags"
LONG_AGO = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_a_tag_is_told_with_what_it_points_to(client: Client, app: Repository) -> None:
    amd64 = make.image([("a", 10)])
    make.put(app, amd64)
    index = make.index([("linux/amd64", amd64), ("linux/arm64/v8", make.blob_digest("never seen"))])
    state = {"state": Presence.State.INCOMPLETE, "problem": "linux/arm64/v8 is not here"}
    make.put(app, index, "1.4.2", "1.4", "latest", size=12, dated=LONG_AGO, dated_by=Presence.DatedBy.CREATED, **state)
    Tag.objects.update(moved_at=LONG_AGO)
    latest, first, second = ask(client, TAGS, LIST)["items"]
    assert [first["name"], second["name"], latest["name"]] == ["1.4", "1.4.2", "latest"]
    assert latest["digest"] == index.row.digest
    assert (latest["kind"], latest["artifact_type"]) == ("index", None)
    assert latest["media_type"] == "application/vnd.oci.image.index.v1+json"
    assert latest["platforms"] == ["linux/amd64", "linux/arm64/v8"]
    assert latest["size"] == 12
    assert (latest["state"], latest["problem"]) == ("incomplete", "linux/arm64/v8 is not here")
    assert (latest["date"], latest["dated_by"]) == ("2026-01-02T03:04:05Z", "created")
    assert (latest["moved_at"], latest["gone_at"]) == ("2026-01-02T03:04:05Z", None)
    assert (latest["aliases"], latest["more_aliases"]) == (["1.4", "1.4.2"], 0)
    for link in latest["links"].values():
        assert client.get(link).status_code == 200


def test_what_could_never_be_read_is_listed_with_the_reason(client: Client, app: Repository) -> None:
    make.lose_tag(app, "lost", "its manifest is no JSON")
    [lost] = ask(client, TAGS, LIST)["items"]
    assert (lost["digest"], lost["kind"], lost["size"], lost["date"], lost["dated_by"]) == (None,) * 5
    assert lost["problem"] == "its manifest is no JSON"
    assert lost["links"]["manifest"] is None


def test_aliases_are_bounded_and_the_others_counted(client: Client, app: Repository) -> None:
    make.put(app, make.image(), *(f"1.{number}" for number in range(30)))
    items = ask(client, TAGS, LIST)["items"]
    for item in items:
        assert len(item["aliases"]) == MOST_ALIASES
        assert item["name"] not in item["aliases"]
        assert item["more_aliases"] == 29 - MOST_ALIASES


def test_tags_that_went_have_a_list_of_their_own(client: Client, app: Repository) -> None:
    built = make.image()
    make.put(app, built, "1.0", "old")
    Tag.objects.filter(name="old").update(gone_at=LONG_AGO)
    Presence.objects.update(tag_count=1)
    [live] = ask(client, TAGS, LIST)["items"]
    [gone] = ask(client, TAGS, LIST, state="gone")["items"]
    assert (live["name"], live["aliases"], live["more_aliases"]) == ("1.0", [], 0)
    assert (gone["name"], gone["gone_at"], gone["digest"]) == ("old", "2026-01-02T03:04:05Z", built.row.digest)
    assert (gone["aliases"], gone["more_aliases"]) == (["1.0"], 0)


def test_the_list_is_filtered_by_name_and_by_digest(client: Client, app: Repository) -> None:
    one, two = make.image([("a", 1)]), make.image([("b", 2)])
    make.put(app, one, "1.0-Alpine", "1.0")
    make.put(app, two, "2.0-alpine")
    elsewhere = make.repository(app.registry, "team/other")
    make.put(elsewhere, one, "foreign")
    assert names(ask(client, TAGS, LIST, q="alpine")) == ["1.0-Alpine", "2.0-alpine"]
    assert names(ask(client, TAGS, LIST, q="_")) == []
    assert sorted(names(ask(client, TAGS, LIST, digest=one.row.digest))) == ["1.0", "1.0-Alpine"]
    assert names(ask(client, TAGS, LIST, digest=one.row.digest, q="alp")) == ["1.0-Alpine"]
    assert names(ask(client, TAGS, LIST, digest=make.blob_digest("unknown"))) == []


@pytest.mark.parametrize("sort", ["name", "-name"])
def test_pages_lead_forward_and_back_with_numbers_by_their_value(client: Client, app: Repository, sort: str) -> None:
    make.put(app, make.image(), *(f"1.{number}" for number in range(23)))
    forward, back = walk(client, TAGS, sort=sort, limit=5)
    every = [item["name"] for page in forward for item in page]
    expected = [f"1.{number}" for number in range(23)]
    assert every == (expected if sort == "name" else expected[::-1])
    assert back == forward[::-1]


def test_it_costs_as_many_queries_for_200_as_for_2(
    client: Client, app: Repository, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(100):
        make.put(app, make.index([("linux/amd64", make.image([(f"l{number}", number)]))]), f"a{number}", f"b{number}")
    for limit in (2, 200):
        with django_assert_num_queries(7):
            client.get(f"/api/v1{TAGS}?limit={limit}")
    digest = Manifest.objects.filter(kind=Manifest.Kind.INDEX)[0].digest
    with django_assert_num_queries(8):
        client.get(f"/api/v1{TAGS}?digest={digest}")


def test_an_artifact_names_its_type(client: Client, app: Repository) -> None:
    model = make.image(kind=Manifest.Kind.ARTIFACT, artifact_type="application/vnd.example.model")
    make.put(app, model, "model")
    [item] = ask(client, TAGS, LIST)["items"]
    assert (item["kind"], item["artifact_type"]) == ("artifact", "application/vnd.example.model")


def test_the_tags_of_a_repository_that_is_gone_can_be_read(client: Client, app: Repository) -> None:
    make.put(app, make.image(), "1.0")
    app.gone_at = timezone.now()
    app.save()
    assert names(ask(client, TAGS, LIST)) == ["1.0"]
