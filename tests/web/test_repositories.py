from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from catalog.models import NamespaceTotal, Presence, Repository
from catalog.reads.keyset import SIZE
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
    make.count_namespaces(local)
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
        "in 1 registry",
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


def places(page: Page) -> list[str]:
    """The namespaces of the tree, in order."""
    return [found["title"] for found in page.all("a") if "title" in found and found["href"].startswith("?")]


@pytest.fixture
def deep(local: Registry) -> Registry:
    for name in ("a/b/c/app", "a/b/c", "a/b", "a/x/app", "a/z/app", "b/app", "alone"):
        make.repository(local, name)
    make.count_namespaces(local)
    make.scan(local, repositories=7)
    return local


def test_the_top_of_the_tree_shows_its_namespaces_with_their_counts(client: Client, deep: Registry) -> None:
    page = see(client)
    assert places(page) == ["a", "b"]
    assert "All namespaces a 5 repositories b 1 repository" in page.words
    assert {"?ns=a", "?ns=b"} <= set(page.links)
    assert [link["href"] for link in page.all("a", **{"aria-current": "page"})][-1] == "/"


def test_the_tree_is_open_where_one_is(client: Client, deep: Registry) -> None:
    page = see(client, "/?ns=a/b&sort=name&q=app")
    assert places(page) == ["a", "a/b", "a/b/c", "a/x", "a/z"]
    assert page.all("a", **{"aria-current": "page", "title": "a/b"})
    assert "?sort=name&ns=a%2Fb%2Fc" in page.links
    assert names(page) == ["a/b/c/app"]
    assert names(see(client, "/?ns=a/b&sort=name")) == ["a/b/c", "a/b/c/app"]
    assert page.all("input", type="hidden", name="ns", value="a/b")
    assert {"?ns=a&sort=name", "?sort=name&ns=a"} & set(page.links)


def test_a_namespace_that_is_a_repository_too_is_shown_as_both(client: Client, deep: Registry) -> None:
    page = see(client, "/?ns=a")
    assert {"?ns=a%2Fb", "/r/local/a/b"} <= set(page.links)
    assert "The repository a/b" in page.words
    assert "The repository a/x" not in page.words
    assert "also a repository" in see(client, "/?ns=a/b").words
    assert "also a repository" not in page.words


def test_a_level_of_many_namespaces_is_paged_by_key(client: Client, local: Registry) -> None:
    for number in range(250):
        make.namespace(local, f"team-{number:03}")
    page, seen = see(client), []
    while True:
        seen += places(page)
        further = [link for link in page.links if "after=" in link]
        if not further:
            break
        page = see(client, f"/{further[0]}")
    assert seen == [f"team-{number:03}" for number in range(250)]
    assert "First namespaces" in page.words
    beside = see(client, "/?ns=team-005")
    assert places(beside) == ["team-005", *[f"team-{number:03}" for number in range(31) if number != 5]]
    assert "All beside it" in beside.words


def test_the_trees_of_several_registries_are_one(client: Client, deep: Registry) -> None:
    other = make.registry("other")
    for name in ("a/new/app", "a/x", "c/app"):
        make.repository(other, name)
    make.count_namespaces(other)
    page = see(client)
    assert places(page) == ["a", "b", "c"]
    assert "a 7 repositories" in page.words
    assert places(see(client, "/?ns=a")) == ["a", "a/b", "a/new", "a/x", "a/z", "b", "c"]
    assert places(see(client, "/r/other?ns=a")) == ["a", "a/new", "c"]
    assert places(see(client, "/r/local")) == ["a", "b"]


def test_a_namespace_that_no_scan_has_counted_is_listed_all_the_same(client: Client, local: Registry) -> None:
    make.repository(local, "new/app")
    page = see(client, "/?ns=new")
    assert names(page) == ["new/app"]
    assert places(page) == []
    assert "No repository fits" in see(client, "/?ns=nowhere/at/all").words


def test_a_namespace_as_deep_as_a_name_may_be_opens(client: Client, local: Registry) -> None:
    name = "/".join("a" * 127) + "/app"[:2]
    make.repository(local, name)
    make.count_namespaces(local)
    page = see(client, "/?ns=" + name.rpartition("/")[0])
    assert len(places(page)) == 127
    assert names(page) == [name]


def test_a_namespace_that_is_chosen_shows_its_own_bytes(client: Client, several: Registry) -> None:
    values = {"repositories": 2, "tags": 55, "images": 30, "pushed": 90_000_000, "stored": 50_000_000}
    NamespaceTotal.objects.filter(namespace="a").update(unique=40_000_000, **values)
    page = see(client, "/?ns=a")
    words = page.words.replace("\N{NO-BREAK SPACE}", " ")
    assert "40.0 MB only here 10.0 MB used outside it too 40.0 MB saved by shared layers = 90.0 MB pushed" in words
    assert "scanned just now" in words
    assert "1.00 GB" not in words
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
    for number in range(SIZE + 20):
        make.repository(local, f"team/app-{number:02}")
    first = see(client, "/?sort=name")
    assert f"{SIZE} of {SIZE + 20} repositories" in first.words
    following = next(link["href"] for link in first.all("a", rel="next"))
    second = see(client, "/" + following)
    assert names(second) == [f"team/app-{number}" for number in range(SIZE, SIZE + 20)]
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
        NamespaceTotal.objects.all().delete()
        make.count_namespaces(local)

    fill(range(10))
    for numbers in (range(10, 60), range(60, 60)):
        for url, queries in {"/": 9, "/r/local": 9, "/?ns=team1": 10, "/r/local?ns=team1": 10}.items():
            with django_assert_num_queries(queries):
                see(client, url)
            with django_assert_num_queries(6):
                see(client, url, **{"HX-Request": "true"})
        fill(numbers)


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
