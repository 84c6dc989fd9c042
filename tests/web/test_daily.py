"""Pulls of images and pushes to repositories, in lists: what events told, and nothing where they told nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from catalog.models import Presence, PullDay, PushDay, Repository
from registries.models import Registry
from tests.web import furniture as make
from tests.web.pages import Page
from web.templatetags.drawing import spark


@pytest.fixture
def app(local: Registry) -> Repository:
    app = make.repository(local, "team/app")
    for name in ("1.0", "2.0", "3.0"):
        make.put(app, make.image([(name, 1_000)], make.config()), name)
    return make.settle(app)


def pull(app: Repository, tag: str, pulls: int, hours: int = 0) -> None:
    when = timezone.now() - timedelta(hours=hours)
    presence = app.presences.get(lead_tag=tag)
    Presence.objects.filter(pk=presence.pk).update(pulls=pulls, pulled=when)
    PullDay.objects.create(presence=presence, day=when.date(), pulls=pulls, last_at=when)
    PullDay.objects.create(presence=presence, day=when.date() - timedelta(days=90), pulls=99, last_at=when)


def tags(page: Page, among: str = "123") -> list[str]:
    return [link.rpartition("/")[2] for link in page.links if link.endswith(tuple(f"/-/tags/{n}.0" for n in among))]


def test_without_an_event_there_is_no_column(client: Client, app: Repository) -> None:
    page = Page(client.get("/r/local/team/app").content.decode())
    assert "Pulls" not in page.words
    assert not page.all("option", value="pulls")


def test_images_are_sorted_by_their_pulls(client: Client, app: Repository) -> None:
    pull(app, "1.0", 7, hours=3)
    pull(app, "2.0", 3_000, hours=9)
    for sort, order in {
        "pulls": ["2.0", "1.0", "3.0"],
        "-pulls": ["3.0", "1.0", "2.0"],
        "pull": ["1.0", "2.0", "3.0"],
        "-pull": ["3.0", "2.0", "1.0"],
    }.items():
        page = Page(client.get(f"/r/local/team/app?sort={sort}").content.decode())
        assert tags(page) == order, sort
        assert page.all("option", value=sort, selected="")
    pull(app, "3.0", 1, hours=50)
    page = Page(client.get("/r/local/team/app").content.decode())
    assert "1 pull" in page.words
    assert "1 pulls" not in page.words
    for said in ("3,000 pulls", "last 9 h ago", "7 pulls", "last 3 h ago"):
        assert said in page.words
    page = Page(client.get("/r/local/team/app?sort=pulls").content.decode())
    for said in ("3,000 pulls in 30 days", "7 pulls in 30 days", "1 pull in 30 days"):
        assert said in page.words
    part = client.get("/r/local/team/app?sort=pulls", headers={"HX-Request": "true"}).content.decode()
    assert "3,000" in part


def test_it_takes_ten_queries_at_most(
    client: Client, app: Repository, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    make.put(app, make.index([("linux/amd64", make.image()), ("linux/arm64", "elsewhere")]), "4.0")
    pull(app, "1.0", 7)
    make.lose_tag(app, "lost", "GET v2/team/app/manifests/lost was refused with 404: MANIFEST_UNKNOWN")
    make.settle(app)
    for asked in ("sort=pulls", "q=0"):
        with django_assert_max_num_queries(10):
            assert "4.0" in client.get(f"/r/local/team/app?{asked}").content.decode()


def test_bars_are_as_high_as_the_days_are_busy() -> None:
    assert spark([0, 0], "pulls") == spark([], "pushes") == ""
    drawn = spark([4, 1, 0, 8], "pulls")
    assert 'class="old" d="M0 16V8h1.25V16h0.75V14h1.25V16h0.75"' in drawn
    assert '<path d="M4 16h2V0h1.25V16h0.75"/>' in drawn, "today stands out"
    assert "<title>13 pulls in 4 days</title>" in drawn
    assert '<path d="M0 24V0h4V24h2"/>' in spark([1], "pushes")
    assert "<title>1 push in 1 days</title>" in spark([1], "pushes")


def test_who_is_said_to_have_pushed_is_told_to_whom_is_signed_in(
    client: Client, app: Repository, settings: Settings
) -> None:
    app.presences.update(dated=timezone.now(), dated_by=Presence.DatedBy.TOLD, pushed_by="<b>alice</b>" * 9)
    page = client.get("/r/local/team/app").content.decode()
    assert "pushed by &lt;b&gt;alice" in page
    settings.ANONYMOUS_READ = True
    stranger = Client().get("/r/local/team/app").content.decode()
    assert "alice" not in stranger
    assert "pushed" in stranger


def push(repository: Repository, pushes: int, days: int = 0) -> None:
    day = (timezone.now() - timedelta(days=days)).date()
    PushDay.objects.create(repository=repository, day=day, pushes=pushes)


def told(repository: Repository, who: str, **said: object) -> None:
    assert repository.newest is not None
    moment = repository.changed_at - timedelta(seconds=2)
    newest = {"dated": moment, "dated_by": Presence.DatedBy.TOLD, "pushed_by": who, **said}
    Presence.objects.filter(pk=repository.newest.pk).update(**newest)


def test_a_list_without_an_event_has_no_pushes(client: Client, app: Repository) -> None:
    push(app, 3, days=20)
    page = Page(client.get("/").content.decode())
    assert "Pushes" not in page.words
    assert not page.all("svg", **{"class": "spark"})


def test_a_list_draws_the_pushes_of_two_weeks(client: Client, app: Repository, local: Registry) -> None:
    quiet = make.repository(local, "team/quiet")
    push(app, 3)
    push(app, 4, days=13)
    push(app, 90, days=14)
    push(quiet, 5, days=-1)  # by a clock that is ahead
    page = Page(client.get("/").content.decode())
    assert "Pushes, 14 days" in page.words
    assert len(page.all("svg", **{"class": "spark"})) == 1
    assert "7 pushes in 14 days" in page.words


def test_who_pushed_last_is_told_to_whom_is_signed_in(client: Client, app: Repository, settings: Settings) -> None:
    told(app, "<em>ci-platform</em>")
    page = client.get("/").content.decode()
    assert "&lt;em&gt;ci-platform" in page
    assert "<em>" not in page
    settings.ANONYMOUS_READ = True
    assert "ci-platform" not in Client().get("/").content.decode()


@pytest.mark.parametrize(
    "said",
    [
        {"dated_by": Presence.DatedBy.SEEN},
        {"dated": timezone.now() - timedelta(hours=1)},  # the last change was not that push
        {"pushed_by": ""},
    ],
)
def test_who_pushed_before_the_last_change_is_not_said(client: Client, app: Repository, said: dict[str, str]) -> None:
    told(app, "ci-platform")
    assert "CP" in Page(client.get("/").content.decode()).words
    told(app, "ci-platform", **said)
    assert "CP" not in Page(client.get("/").content.decode()).words


def test_a_list_takes_ten_queries_at_most(
    client: Client, app: Repository, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    push(app, 3)
    told(app, "ci-platform")
    with django_assert_max_num_queries(10):
        client.get("/")
