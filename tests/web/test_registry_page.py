from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from catalog.models import NamespaceTotal, WatchedRepository
from jobs.models import Job
from registries.models import Registry
from tests.web import furniture as make
from tests.web.pages import Page
from web.schedule import Schedule
from web.strata import strata_of

PAGE = "/registries/local"


def see(client: Client, url: str = PAGE) -> Page:
    response = client.get(url)
    assert response.status_code == 200
    return Page(response.content.decode().replace("\N{NO-BREAK SPACE}", " "))


def total(where: Registry, namespace: str, **more: int) -> NamespaceTotal:
    values = {"repositories": 1, "tags": 2, "images": 2, "pushed": 1000, "stored": 700, "unique": 400, **more}
    return make.namespace(where, namespace, **values)


def denied(where: Registry) -> Registry:
    where.capabilities = {"generation": 2, "catalog_allowed": False}
    where.save()
    return where


def test_the_page_says_what_the_registry_is_and_holds(client: Client, local: Registry) -> None:
    total(local, "team", pushed=3_000_000, stored=2_000_000, unique=1_500_000)
    total(local, "", pushed=1_000_000, stored=1_000_000, unique=500_000)
    make.scan(local, pushed=4_000_000, stored=2_500_000, shared=500_000, repositories=2, tags=4, images=4)
    page = see(client)

    assert "Only here 1.5 MB Shared 500 kB Saved 1.0 MB 3.0 MB" in page.words
    assert "The registry Only here 2.0 MB Shared 500 kB Saved 1.5 MB 4.0 MB" in page.words
    assert "without a namespace" in page.words
    assert "counted" not in page.words or "in that of the registry once" in page.words
    assert "/r/local?ns=team" in page.links
    bars = [bar["aria-label"] for bar in page.all("svg", role="img")]
    assert "1.5 MB only here, 500 kB shared, 1.0 MB saved" in bars


def test_a_namespace_can_be_looked_into(client: Client, local: Registry) -> None:
    for name in ("a", "a/b", "a/b/c", "d"):
        total(local, name)
    make.scan(local, repositories=4)
    assert "?ns=a#namespaces" in see(client).links
    assert "?ns=d#namespaces" not in see(client).links

    page = see(client, f"{PAGE}?ns=a")

    assert [link["href"] for link in page.all("a") if "data-row" in link][:1] == ["/r/local?ns=a%2Fb"]
    assert "a, with all in it" in page.words
    assert f"{PAGE}#namespaces" in page.links
    assert "No namespace in it" in see(client, f"{PAGE}?ns=d").words


def test_what_was_not_counted_yet_is_said(client: Client, local: Registry) -> None:
    assert "Nothing to count yet" in see(client).words
    make.scan(local, repositories=4, pushed=10)
    page = see(client)
    assert "Not counted yet" in page.words
    assert not page.all("svg", role="img")  # nobody knows what is shared


def test_the_last_ten_scans_lead_to_their_pages(client: Client, local: Registry) -> None:
    scans = [make.scan(local) for _ in range(12)]
    links = [link["href"] for link in see(client).all("a") if "data-row" in link]
    assert links == [f"{PAGE}/scans/{scan.pk}" for scan in scans[:1:-1]]
    assert f"{PAGE}/scans" in see(client).links


def test_what_only_the_folder_tells_is_told_where_it_was_looked_at(client: Client, local: Registry) -> None:
    make.scan(local)
    assert "On its disk" not in see(client).words
    make.scan(local, untagged_manifests=7, uploads=2, upload_bytes=5_000_000, disk_blobs=90, disk_bytes=8_000_000)
    words = see(client).words
    for said in ("90 · 8.0 MB", "7 manifests that no tag reaches", "2 begun and not ended · 5.0 MB"):
        assert said in words


@pytest.mark.parametrize(
    ("minutes", "said"),
    [
        (1, "The next begins at"),
        (5, "The last scan took 5 min 0 s, so the next begins at"),
    ],
)
def test_the_page_says_when_it_scans_next_and_why(client: Client, local: Registry, minutes: int, said: str) -> None:
    began = timezone.now() - timedelta(minutes=minutes)
    make.scan(local, started_at=began, finished_at=timezone.now())
    words = see(client).words
    assert "Every 15 minutes, but never busy with it more than a quarter of the time." in words
    assert said in words


def test_a_retired_registry_is_scanned_no_more(client: Client, local: Registry) -> None:
    Registry.objects.update(retired_at=timezone.now())
    local.refresh_from_db()
    assert Schedule.of(local, None, None) is None
    page = see(client)
    assert "was retired" in page.words
    assert "Next scan" not in page.words
    assert not page.all("form", action=f"{PAGE}/scan")


def test_a_scan_that_waits_or_runs_is_no_time_to_name(client: Client, local: Registry) -> None:
    make.scan(local)
    make.job(local)
    assert "One is under way." in see(client).words


def test_readers_look_and_staff_act(client: Client, staff_client: Client, local: Registry) -> None:
    denied(local)
    WatchedRepository.objects.create(registry=local, name="team/app")
    for action in ("scan", "test", "watch", "unwatch"):
        assert see(staff_client).all("form", action=f"{PAGE}/{action}"), action
        assert not see(client).all("form", action=f"{PAGE}/{action}"), action
    assert "team/app" in see(client).words


def test_watched_ones_are_shown_where_the_catalog_is_denied(client: Client, local: Registry) -> None:
    assert "Watched repositories" not in see(client).words
    make.scan(local, is_of_watched=True)
    assert "None is watched" in see(client).words
    make.scan(local)
    assert "Watched repositories" not in see(client).words
    denied(local)
    assert "None is watched" in see(client).words


def test_staff_name_repositories_and_take_them_back(staff_client: Client, local: Registry) -> None:
    denied(local)
    response = staff_client.post(f"{PAGE}/watch", {"names": "team/app\nteam/tool, other\r\n"}, follow=True)
    words = Page(response.content.decode()).words
    assert "3 repositories more are watched" in words
    assert words.count("not read yet") == 3
    response = staff_client.post(f"{PAGE}/watch", {"names": "other"}, follow=True)
    assert "those are watched already" in Page(response.content.decode()).words
    assert "No name was given" in Page(staff_client.post(f"{PAGE}/watch", follow=True).content.decode()).words

    response = staff_client.post(f"{PAGE}/unwatch", {"names": ["team/app", "other"]}, follow=True)

    assert "2 repositories are watched no more" in Page(response.content.decode()).words
    assert WatchedRepository.objects.get().name == "team/tool"


def test_a_name_that_is_none_is_given_back_with_the_reason(staff_client: Client, local: Registry) -> None:
    denied(local)
    names = " ".join(["good/one", "Bad/One", *(f"x{number}:1" for number in range(30))])
    response = staff_client.post(f"{PAGE}/watch", {"names": names})
    page = Page(response.content.decode())
    assert response.status_code == 422
    assert "Bad/One The names of repositories have no capital letters." in page.words
    assert "And 11 more." in page.words
    field = response.content.decode().partition("<textarea")[2].partition("</textarea>")[0]
    assert "Bad/One" in field
    assert "good/one" not in field
    assert page.all("textarea", **{"aria-invalid": "true"})
    assert WatchedRepository.objects.get().name == "good/one"


def test_what_is_watched_is_paged(client: Client, local: Registry) -> None:
    denied(local)
    for number in range(60):
        WatchedRepository.objects.create(registry=local, name=f"team/app-{number:02}")
    assert f"{PAGE}/watched" in see(client).links
    first = see(client, f"{PAGE}/watched")
    assert "50 of 60 repositories" in first.words
    following = next(link["href"] for link in first.all("a", rel="next"))
    assert "team/app-00" in see(client, f"{PAGE}/watched{following}").words


def test_the_page_costs_as_many_queries_for_much_as_for_little(
    client: Client, local: Registry, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    denied(local)
    for numbers in (range(3), range(3, 40)):
        for number in numbers:
            total(local, f"n{number}")
            make.scan(local, job=make.job(local, state=Job.State.DONE), repositories=9)
            WatchedRepository.objects.create(registry=local, name=f"team/app-{number:02}")
            make.repository(local, f"team/app-{number:02}")
        with django_assert_num_queries(12):
            see(client)


def test_every_registry_of_the_list_leads_to_its_page(client: Client, local: Registry) -> None:
    found = make.scan(local)
    links = see(client, "/registries").links
    for url in (PAGE, "/r/local", f"{PAGE}/scans/{found.pk}"):
        assert url in links


def test_no_registry_takes_the_name_of_the_page_that_adds_them(staff_client: Client) -> None:
    response = staff_client.post("/registries/add", {"url": "https://registry.example.org", "name": "add"})
    assert response.status_code == 422
    assert "the address of another page" in Page(response.content.decode()).words
    assert not Registry.objects.exists()


class Parts:
    def __init__(self, unique: int, shared: int, saved: int) -> None:
        self.unique, self.shared, self.saved = unique, shared, saved


@pytest.mark.parametrize(
    ("parts", "whole", "expected"),
    [
        (Parts(0, 0, 0), 0, []),
        (
            Parts(50, 25, 25),
            100,
            [("unique", "0.00%", "50.00%"), ("shared", "50.00%", "25.00%"), ("saved", "75.00%", "25.00%")],
        ),
        (Parts(10, 0, 10), 100, [("unique", "0.00%", "10.00%"), ("saved", "10.00%", "10.00%")]),
        (Parts(1, 0, 999), 1000, [("unique", "0.00%", "1.19%"), ("saved", "1.19%", "98.81%")]),
    ],
)
def test_the_parts_of_a_bar_fill_what_they_weigh(
    parts: Parts, whole: int, expected: list[tuple[str, str, str]]
) -> None:
    assert [(s.name, s.x, s.width) for s in strata_of(parts, whole)] == expected
