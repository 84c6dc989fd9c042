from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from catalog.models import NamespaceTotal, Presence, Repository
from jobs.models import Job
from registries.models import Registry
from tests.web import furniture as make
from tests.web.pages import Page


def see(client: Client, url: str = "/", **headers: str) -> Page:
    response = client.get(url, headers=headers)
    assert response.status_code == 200
    return Page(response.content.decode())


def names(page: Page) -> list[str]:
    """The repositories that are listed, in order."""
    return [link["href"].removeprefix("/r/local/") for link in page.all("a") if "data-row" in link]


@pytest.fixture
def several(local: Registry) -> Registry:
    for number, (name, tags) in enumerate([("a/one", 5), ("a/b/two", 50), ("three", 1), ("a-b/four", 9)]):
        row = make.repository(local, name, size=(number + 1) * 1000, tag_count=tags)
        row.changed_at = timezone.now() - timedelta(days=number)
        row.save()
    make.scan(local, stored=400_000_000, pushed=1_000_000_000, tags=65, images=40, repositories=4)
    return local


def test_repositories_are_listed_with_their_figures(client: Client, local: Registry) -> None:
    app = make.repository(local, "platform/api")
    amd64, arm64 = (
        make.image([("x", 14_200_000)]),
        make.image([("y", 1_000)], make.config() | {"architecture": "arm64"}),
    )
    for child in (amd64, arm64):
        make.put(app, child)
    make.put(app, make.index([("linux/amd64", amd64), ("linux/arm64", arm64)]), "1.27.3", "latest")
    make.settle(app)
    make.scan(local, stored=400_000_000, pushed=1_000_000_000, tags=65, images=40, repositories=4)
    page = see(client)
    assert names(page) == ["platform/api"]
    assert "/r/local/platform/api/-/tags/1.27.3" in page.links
    for words in (
        "1 repository in 1 namespace",
        "amd64",
        "arm64",
        "14.2 MB",
        "just now",
        "400 MB",
        "600 MB",
        "60% of the sum of all images",
    ):
        assert words in page.words.replace("\N{NO-BREAK SPACE}", " ")


def test_the_first_scan_shows_its_progress_instead_of_figures(client: Client, local: Registry) -> None:
    make.job(local, progress={"phase": "tags", "repositories": [1, 4], "tags": [3, 12]})
    page = see(client)
    assert "The first scan is under way" in page.words
    assert "1 of 4 repositories" in page.words
    assert page.all("progress", value="25")
    assert "Stored" not in page.words


def test_what_is_not_known_is_absent(client: Client, local: Registry) -> None:
    make.repository(local, "team/new", state=Repository.State.NEW)
    page = see(client)
    assert "Stored" not in page.words
    assert "not scanned yet" in page.words


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("", ["a/one", "a/b/two", "three", "a-b/four"]),
        ("changed", ["a/one", "a/b/two", "three", "a-b/four"]),
        ("-changed", ["a-b/four", "three", "a/b/two", "a/one"]),
        ("name", ["a/b/two", "a/one", "a-b/four", "three"]),
        ("-name", ["three", "a-b/four", "a/one", "a/b/two"]),
        ("tags", ["a/b/two", "a-b/four", "a/one", "three"]),
        ("-size", ["a/one", "a/b/two", "three", "a-b/four"]),
    ],
)
def test_the_whole_list_is_sorted(client: Client, several: Registry, sort: str, expected: list[str]) -> None:
    assert names(see(client, f"/?sort={sort}")) == expected


def test_a_head_of_a_column_turns_its_order(client: Client, several: Registry) -> None:
    page = see(client, "/?sort=name&q=o")
    assert "?q=o&sort=-name" in page.links
    assert page.all("th", **{"aria-sort": "ascending"})


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("q=TWO", ["a/b/two"]),
        ("q=a/", ["a/one", "a/b/two"]),
        ("ns=a", ["a/one", "a/b/two"]),
        ("ns=a/b", ["a/b/two"]),
        ("q=%25", []),
        ("q=_", []),
    ],
)
def test_the_list_is_filtered(client: Client, several: Registry, query: str, expected: list[str]) -> None:
    assert names(see(client, f"/?{query}")) == expected


def test_a_filter_that_finds_nothing_says_what_to_do(client: Client, several: Registry) -> None:
    page = see(client, "/?q=zzz")
    assert "No repository fits" in page.words
    assert "/" in page.links


def test_namespaces_can_be_chosen_with_their_counts(client: Client, several: Registry) -> None:
    page = see(client)
    assert "a (2)" in page.words
    assert "a/b (1)" in page.words
    assert [option["value"] for option in page.all("option")][:4] == ["", "a", "a-b", "a/b"]


def test_a_namespace_that_is_chosen_shows_its_own_bytes(client: Client, several: Registry) -> None:
    values = {"repositories": 2, "tags": 55, "images": 30, "pushed": 90_000_000, "stored": 50_000_000}
    NamespaceTotal.objects.create(registry=several, namespace="a", unique=40_000_000, **values)
    for headers in ({}, {"HX-Request": "true"}):
        page = see(client, "/?ns=a", **headers)
        words = page.words.replace("\N{NO-BREAK SPACE}", " ")
        assert "40.0 MB only here 10.0 MB used outside it too 40.0 MB saved by shared layers = 90.0 MB pushed" in words
        assert "1.00 GB" not in words
    assert page.all("div", id="totals", **{"hx-swap-oob": "true"})
    assert "Stored" not in see(client, "/?ns=nothing").words
    assert "400 MB" in see(client, "/").words.replace("\N{NO-BREAK SPACE}", " ")


def test_the_list_of_a_registry_leads_to_its_page(client: Client, several: Registry) -> None:
    assert "/registries/local" in see(client, "/r/local").links


def test_states_are_shown_with_their_reason(client: Client, local: Registry) -> None:
    make.repository(local, "x/failed", state=Repository.State.FAILED, problem="refused with 500")
    make.repository(local, "x/empty", state=Repository.State.EMPTY)
    make.repository(local, "x/broken", problem_count=3)
    make.repository(local, "x/gone", gone_at=timezone.now())
    page = see(client)
    assert "could not be read: refused with 500" in page.words
    assert "3 problems" in page.words
    assert "x/gone" not in page.words
    assert names(see(client, "/?state=gone")) == ["x/gone"]
    assert names(see(client, "/?state=empty")) == ["x/empty"]
    assert sorted(names(see(client, "/?state=problems"))) == ["x/broken", "x/failed"]


def test_without_a_registry_staff_are_led_to_add_one(client: Client, staff_client: Client, db: None) -> None:
    assert "/registries/add" in see(staff_client).links
    page = see(client)
    assert "No registry yet" in page.words
    assert "/registries/add" not in page.links


def test_a_registry_that_was_never_scanned_can_be(client: Client, staff_client: Client, local: Registry) -> None:
    assert "Not scanned yet" in see(client).words
    assert see(staff_client).all("form", action="/registries/local/scan")
    assert not see(client).all("form", action="/registries/local/scan")


def test_an_empty_registry_says_how_to_push(client: Client, local: Registry) -> None:
    make.scan(local)
    page = see(client)
    assert "The registry is empty" in page.words
    assert "docker push registry.example.org/team/app:1.0" in page.words


def test_two_registries_are_told_apart(client: Client, several: Registry) -> None:
    other = make.registry("other")
    make.repository(other, "three")
    page = see(client)
    assert names(page)[-1] == "/r/other/three"
    assert "/r/other" in page.links
    assert names(see(client, "/r/local")) == ["a/one", "a/b/two", "three", "a-b/four"]
    assert len(names(see(client, "/r/other"))) == 1


def test_a_retired_registry_is_left_out_and_still_there_to_read(client: Client, several: Registry) -> None:
    several.retired_at = timezone.now()
    several.save()
    assert "No registry yet" in see(client).words
    page = see(client, "/r/local")
    assert "was retired" in page.words
    assert len(names(page)) == 4


def test_htmx_gets_the_rows_alone(client: Client, several: Registry) -> None:
    response = client.get("/?q=two", headers={"HX-Request": "true"})
    page = Page(response.content.decode())
    assert names(page) == ["a/b/two"]
    assert not page.all("html")
    assert "1 repository found" in page.words
    assert "HX-Request" in response["Vary"]
    for header in ({"HX-Boosted": "true"}, {"HX-History-Restore-Request": "true"}):
        whole = see(client, "/?q=two", **{"HX-Request": "true"}, **header)
        assert whole.all("html")


def test_pages_lead_forward_and_back(client: Client, local: Registry) -> None:
    for number in range(60):
        make.repository(local, f"team/app-{number:02}")
    first = see(client, "/?sort=name")
    assert "50 of 60 repositories" in first.words
    following = next(link["href"] for link in first.all("a", rel="next"))
    second = see(client, "/" + following)
    assert names(second) == [f"team/app-{number}" for number in range(50, 60)]
    before = next(link["href"] for link in second.all("a", rel="prev"))
    assert names(see(client, "/" + before)) == names(first)


def test_a_page_costs_as_many_queries_for_60_rows_as_for_10(
    client: Client, local: Registry, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    make.scan(local)

    def fill(numbers: range) -> None:
        child = make.image()
        for number in numbers:
            app = make.repository(local, f"team{number % 7}/app-{number:02}")
            make.put(app, make.index([("linux/amd64", child), ("linux/arm64", str(number))]), "1.0", "latest")
            make.settle(app)

    fill(range(10))
    with django_assert_num_queries(10):
        see(client)
    fill(range(10, 60))
    with django_assert_num_queries(10):
        see(client)
    with django_assert_num_queries(7):
        see(client, **{"HX-Request": "true"})


def test_the_newest_image_of_a_list_may_be_undated(client: Client, local: Registry) -> None:
    app = make.repository(local, "team/old")
    make.put(app, make.image(), "1", dated_by=Presence.DatedBy.FOUND)
    make.settle(app)
    assert "not known" in see(client).words
    assert "1970" not in see(client).text


def test_a_scan_is_asked_for_once(staff_client: Client, local: Registry) -> None:
    first = staff_client.post("/registries/local/scan")
    job = Job.objects.get()
    assert first["Location"] == f"/jobs/{job.pk}"
    assert job.requested_by is not None
    assert staff_client.post("/registries/local/scan")["Location"] == f"/jobs/{job.pk}"
    assert "already under way" in see(staff_client, f"/jobs/{job.pk}").words
    assert Job.objects.count() == 1
