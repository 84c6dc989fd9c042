from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from catalog.models import Repository
from jobs.models import Job
from registries.models import Registry
from tests.web import furniture as make
from tests.web.pages import Page

PAGES = ("/", "/r/local", "/r/local/team/app", "/r/local/team/app/-/tags/1.0")


def see(client: Client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == 200
    return Page(response.content.decode()).words


def fail(where: Registry, message: str = "connection refused", minutes: int = 0) -> Job:
    now = timezone.now() - timedelta(minutes=minutes)
    return make.job(where, Job.State.FAILED, message=message, started_at=now, finished_at=now)


@pytest.fixture
def app(local: Registry) -> Repository:
    app = make.repository(local, "team/app")
    make.put(app, make.image(), "1.0")
    make.scan(local, finished_at=timezone.now() - timedelta(hours=1), repositories=1)
    return app


@pytest.mark.parametrize("url", PAGES)
def test_a_registry_that_is_down_is_said_on_each_page(
    client: Client, local: Registry, app: Repository, url: str
) -> None:
    fail(local, "an older one", minutes=90)
    fail(local, minutes=30)
    last = fail(local, "no route to host", minutes=15)
    words = see(client, url)
    since = timezone.now() - timedelta(minutes=30)
    assert f"local could not be read since {since:%-d %b %Y, %H:%M}" in words
    assert "What you see of it is from" in words
    assert "no route to host" in words
    assert f"/jobs/{last.pk}" in Page(client.get(url).content.decode()).links
    Registry.objects.update(capabilities={"problem": "unreachable"})
    assert "local does not answer since" in see(client, url)


def test_a_scan_that_came_to_its_end_since_says_it_is_over(client: Client, local: Registry, app: Repository) -> None:
    fail(local, minutes=30)
    Registry.objects.update(capabilities={"problem": "unreachable"}, probed_at=timezone.now() - timedelta(minutes=30))
    assert "does not answer" in see(client, "/")
    make.scan(local)
    assert "does not answer" not in see(client, "/")


@pytest.mark.parametrize("state", [Job.State.STOPPED, Job.State.ASKING, Job.State.RUNNING])
def test_a_scan_that_did_not_fail_is_no_outage(
    client: Client, local: Registry, app: Repository, state: Job.State
) -> None:
    make.job(local, state, finished_at=timezone.now())
    assert "could not be read" not in see(client, "/")


@pytest.mark.parametrize(("state", "down"), [(Job.State.STOPPED, True), (Job.State.ASKING, False)])
def test_only_what_it_answered_ends_an_outage(
    client: Client, local: Registry, app: Repository, state: Job.State, down: bool
) -> None:
    fail(local, minutes=30)
    make.job(local, state, finished_at=timezone.now())
    assert ("could not be read since" in see(client, "/")) == down


def test_a_test_that_found_a_problem_is_one(client: Client, local: Registry, app: Repository) -> None:
    Registry.objects.update(capabilities={"problem": "denied", "reason": "403"}, probed_at=timezone.now())
    words = see(client, "/r/local/team/app")
    assert "local could not be read since" in words
    assert "It refuses us." in words
    assert "What its test found" in words


def test_a_registry_whose_only_scan_failed_says_why(client: Client, staff_client: Client, local: Registry) -> None:
    fail(local)
    for words in (see(client, "/"), see(staff_client, "/r/local")):
        assert "connection refused" in words
        assert "It could not be read so far" in words
        assert "Nothing of it was read so far." in words
        assert "Not scanned yet" not in words
        assert "local · could not be read" in words


def test_other_registries_are_not_blamed(client: Client, local: Registry, app: Repository) -> None:
    fail(make.registry("edge"))
    assert "could not be read since" not in see(client, "/r/local/team/app")
    assert "edge could not be read since" in see(client, "/")


def test_many_outages_cost_no_more_queries_than_one(
    client: Client, local: Registry, app: Repository, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    fail(local)
    with django_assert_num_queries(10):
        see(client, "/")
    for number in range(20):
        fail(make.registry(f"edge-{number}"))
    with django_assert_num_queries(10):
        words = see(client, "/")
    assert "18 more registries could not be read." in words


def test_the_footer_names_registries_the_one_of_the_page_first(
    client: Client, local: Registry, app: Repository
) -> None:
    for name in ("alpha", "edge", "harbour", "north"):
        make.registry(name)
    assert "alpha · not scanned yet edge" in see(client, "/")
    assert "local · scanned 1 h ago" in see(client, "/r/local/team/app").split("All 5 registries")[0]
    assert "alpha · not scanned yet harbour" not in see(client, "/registries")
