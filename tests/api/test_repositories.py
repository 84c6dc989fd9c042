from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from api.answers import Listing
from api.repositories import RepositoryDetailJson, RepositoryJson
from catalog.models import Presence, Repository
from registries.models import Registry
from tests.api.asking import ask, names, walk
from tests.web import furniture as make

LIST = Listing[RepositoryJson]
ONE = "/repositories/local/team/app"


@pytest.fixture
def several(local: Registry) -> Registry:
    for number, name in enumerate(("a/one", "a/b/two", "three", "a-b/four")):
        changed = timezone.now() - timedelta(days=number)
        make.repository(local, name, tag_count=number, size=100 - number, changed_at=changed)
    return local


def test_a_repository_is_told_in_the_words_of_the_pages(client: Client, app: Repository) -> None:
    amd64, arm64 = make.image([("a", 10)]), make.image([("b", 20)])
    index = make.index([("linux/amd64", amd64), ("linux/arm64", arm64)])
    for child in (amd64, arm64):
        make.put(app, child)
    pushed_at = datetime(2026, 11, 24, 23, 56, 10, tzinfo=UTC)
    make.put(app, index, "1.4.2", "latest", size=30, dated=pushed_at, dated_by=Presence.DatedBy.PUSHED)
    app.pushed = 3_000_000_000_000
    make.settle(app)
    [item] = ask(client, "/repositories", LIST)["items"]
    assert (item["registry"], item["name"], item["namespace"]) == ("local", "team/app", "team")
    assert item["reference"] == "registry.example.org/team/app"
    assert (item["state"], item["problem"], item["gone_at"]) == ("whole", None, None)
    assert (item["tag_count"], item["image_count"], item["problem_count"]) == (2, 1, 0)
    assert item["pushed"] == 3_000_000_000_000
    assert item["saved"] == item["pushed"] - item["size"] > 0
    assert item["newest"] == {
        "tag": "1.4.2",
        "digest": index.row.digest,
        "kind": "index",
        "platforms": ["linux/amd64", "linux/arm64"],
        "date": "2026-11-24T23:56:10Z",
        "dated_by": "pushed",
    }
    assert item["changed_at"] == "2026-11-24T23:56:10Z"
    assert item["links"]["page"] == "http://testserver/r/local/team/app"
    detail = ask(client, ONE, RepositoryDetailJson)
    assert {**item, "scanned_at": detail["scanned_at"]} == detail
    for link in item["links"].values():
        assert client.get(link).status_code == 200


def test_a_date_that_nobody_knows_is_null(client: Client, app: Repository) -> None:
    make.put(app, make.image(), "1.0", dated_by=Presence.DatedBy.FOUND)
    make.settle(app)
    detail = ask(client, ONE, RepositoryDetailJson)
    assert (detail["newest"]["date"], detail["newest"]["dated_by"]) == (None, "found")
    assert detail["changed_at"] is None


def test_one_without_an_image_has_no_newest(client: Client, local: Registry) -> None:
    make.repository(local, "team/app", state=Repository.State.FAILED, problem="refused with 500", scanned_at=None)
    detail = ask(client, ONE, RepositoryDetailJson)
    assert (detail["newest"], detail["problem"], detail["state"]) == (None, "refused with 500", "failed")
    assert detail["scanned_at"] is None


def test_while_it_is_whole_each_complete_scan_saw_it(client: Client, app: Repository) -> None:
    scan = make.scan(app.registry, finished_at=timezone.now() + timedelta(hours=1))
    assert scan.finished_at
    detail = ask(client, ONE, RepositoryDetailJson)
    assert datetime.fromisoformat(detail["scanned_at"]) == scan.finished_at
    app.state, seen = Repository.State.FAILED, app.scanned_at
    app.save()
    assert datetime.fromisoformat(ask(client, ONE, RepositoryDetailJson)["scanned_at"]) == seen


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("name", ["a/b/two", "a/one", "a-b/four", "three"]),
        ("changed", ["a/one", "a/b/two", "three", "a-b/four"]),
        ("tags", ["a-b/four", "three", "a/b/two", "a/one"]),
        ("size", ["a/one", "a/b/two", "three", "a-b/four"]),
    ],
)
def test_the_list_is_sorted_as_the_page_is(client: Client, several: Registry, sort: str, order: list[str]) -> None:
    found = names(ask(client, "/repositories", LIST, sort=sort))
    turned = names(ask(client, "/repositories", LIST, sort=f"-{sort}"))
    assert found == turned[::-1]
    assert found == order


def test_the_list_is_filtered_as_the_page_is(client: Client, several: Registry) -> None:
    def found(**query: str | int) -> list[str]:
        return sorted(names(ask(client, "/repositories", LIST, **query)))

    make.repository(several, "x/failed", state=Repository.State.FAILED, problem="refused")
    make.repository(several, "x/empty", state=Repository.State.EMPTY)
    make.repository(several, "x/broken", problem_count=3)
    make.repository(several, "x/gone", gone_at=timezone.now())
    make.repository(make.registry("other"), "three")
    make.repository(make.registry("retired", retired_at=timezone.now()), "hidden")
    assert found(q="b/t") == ["a/b/two"]
    assert found(q="  Three ") == ["three", "three"]
    assert found(q="%") == []
    assert found(namespace="a") == ["a/b/two", "a/one"]
    assert found(namespace="a", q="one") == ["a/one"]
    assert found(state="problems") == ["x/broken", "x/failed"]
    assert found(state="empty") == ["x/empty"]
    assert found(state="gone") == ["x/gone"]
    assert found(registry="other") == ["three"]
    assert found(registry="none") == []
    assert found(registry="retired") == []
    assert "hidden" not in found()
    assert "x/gone" not in found()


def test_one_that_is_gone_and_one_of_a_retired_registry_can_be_read(client: Client, local: Registry) -> None:
    make.repository(local, "team/app", gone_at=timezone.now())
    local.retired_at = timezone.now()
    local.save()
    assert ask(client, ONE, RepositoryDetailJson)["gone_at"]


@pytest.mark.parametrize("sort", ["changed", "-changed", "name", "-name", "tags", "-tags", "size", "-size"])
def test_pages_lead_forward_and_back(client: Client, local: Registry, sort: str) -> None:
    for number in range(23):
        make.repository(local, f"team/app-{number:02}", tag_count=number % 3, size=number % 4)
    forward, back = walk(client, "/repositories", sort=sort, limit=5)
    assert [len(page) for page in forward] == [5, 5, 5, 5, 3]
    assert len({item["name"] for page in forward for item in page}) == 23
    assert back == forward[::-1]


def test_the_filters_stay_on_the_way(client: Client, local: Registry) -> None:
    for number in range(6):
        make.repository(local, f"team/app-{number}")
        make.repository(local, f"other/app-{number}")
    forward, _ = walk(client, "/repositories", namespace="team", q="app", limit=2)
    assert [len(page) for page in forward] == [2, 2, 2]


def test_the_way_stands_in_the_header_too(client: Client, local: Registry) -> None:
    for number in range(3):
        make.repository(local, f"team/app-{number}")
    first = client.get("/api/v1/repositories?limit=1&sort=name")
    body = first.json()
    assert first["Link"] == f'<{body["next"]}>; rel="next"'
    assert body["next"].startswith("http://testserver/api/v1/repositories?limit=1&sort=name&cursor=")
    second = client.get(body["next"])
    links = second.json()
    assert second["Link"] == f'<{links["next"]}>; rel="next", <{links["previous"]}>; rel="prev"'
    whole = client.get("/api/v1/repositories")
    assert "Link" not in whole
    assert (whole.json()["next"], whole.json()["previous"]) == (None, None)


def test_whoever_follows_next_comes_to_an_end_though_rows_go(client: Client, local: Registry) -> None:
    for number in range(4):
        make.repository(local, f"team/app-{number}")
    following = client.get("/api/v1/repositories?limit=2&sort=name").json()["next"]
    Repository.objects.filter(name__in=["team/app-2", "team/app-3"]).delete()
    end = client.get(following).json()
    assert (end["items"], end["next"]) == ([], None)


def test_a_count_stops_at_a_thousand(client: Client, local: Registry) -> None:
    rows = [make.repository(local, "team/app")]
    for number in range(1000):
        row = Repository(registry=local, name=f"n{number}", name_key=f"n{number}".encode())
        rows.append(row)
    Repository.objects.bulk_create(rows[1:])
    body = ask(client, "/repositories", LIST, limit=200)
    assert (len(body["items"]), body["count"], body["count_is_capped"]) == (200, 1000, True)


def test_it_costs_as_many_queries_for_200_as_for_2(
    client: Client, local: Registry, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(200):
        row = make.repository(local, f"team/app-{number}")
        if number < 40:
            make.put(row, make.index([("linux/amd64", make.image([(f"l{number}", number)]))]), "1.0")
            make.settle(row)
    for limit in (2, 200):
        with django_assert_num_queries(6):
            client.get(f"/api/v1/repositories?limit={limit}&sort=name")


def test_one_costs_few_queries(
    client: Client, app: Repository, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    make.scan(app.registry)
    make.put(app, make.index([("linux/amd64", make.image())]), "1.0")
    make.settle(app)
    with django_assert_num_queries(5):
        client.get(f"/api/v1{ONE}")


def test_links_name_the_address_that_people_open(client: Client, app: Repository, settings: Settings) -> None:
    settings.PUBLIC_URL = "https://testserver"
    assert ask(client, ONE, RepositoryDetailJson)["links"]["self"].startswith("https://testserver/api/v1/")
