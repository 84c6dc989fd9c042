"""Why a tag stays or goes: by a policy that is being typed, by one that is kept, and by the one that decides."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from catalog.models import Repository
from cleanup.models import Policy
from registries.models import Registry
from tests.cleanup.retention.furniture import aged
from tests.web import furniture as make
from tests.web import harbour_retention as rows
from tests.web.pages import Page
from tests.web.retention_sent import typed
from tests.web.sync_sent import words

pytestmark = pytest.mark.django_db(databases="__all__")
NEWEST = {"tags": "*", "newest": "2"}


@pytest.fixture
def app(local: Registry) -> Repository:
    app = make.repository(local, "team/app")
    for days, tag in enumerate(("1.0", "1.1", "1.2"), 1):
        aged(app, days, tag)
    make.settle(app)
    return app


def try_it(
    client: Client, *rules: dict[str, str], url: str = "/cleanup/policies/add", how: str = "typed", **more: Any
) -> str:
    response = client.post(url, {**typed(*rules, **more), "try": how}, headers={"HX-Request": "true"})
    assert response.status_code == 200
    assert not response.content.lstrip().startswith(b"<!doctype")
    return Page(response.content.decode()).words


def test_a_policy_is_tried_while_it_is_typed(staff_client: Client, app: Repository) -> None:
    text = try_it(staff_client, NEWEST, name="", trial_tag="1.2")

    assert "*: the 2 newest, by push" in text
    assert "local/team/app" in text
    assert "1.2 goes no condition of the rule on * keeps it" in text
    assert "1 tag goes, 2 stay" in text
    assert "Stays:2 among the newest 2 of *" in text
    assert "1.0 stays among the newest 2 of *" in try_it(staff_client, NEWEST, trial_tag="1.0")
    assert "9.9 is no tag of it" in try_it(staff_client, NEWEST, trial_tag="9.9")
    assert "So many go that a person has to agree" in try_it(staff_client, NEWEST | {"newest": "1"})
    assert not Policy.objects.exists()


def test_what_cannot_be_tried_is_said(staff_client: Client, app: Repository) -> None:
    assert "Name a repository" in try_it(staff_client, NEWEST, repositories=" ")
    assert "knows no such repository" in try_it(staff_client, NEWEST, repositories="other/*")
    assert "knows no such repository" in try_it(staff_client, NEWEST, trial_repository="other")
    assert "( is no pattern." in try_it(staff_client, NEWEST | {"tags": "("})
    assert "1 tag goes" in try_it(staff_client, NEWEST, repositories="other/*", trial_repository="team/app")


def test_many_tags_are_judged_when_somebody_asks(staff_client: Client, app: Repository) -> None:
    Repository.objects.update(tag_count=6_000)
    assert "press the button" in try_it(staff_client, NEWEST)
    assert "1 tag goes, 2 stay" in try_it(staff_client, NEWEST, how="ask")
    Repository.objects.update(tag_count=30_000)
    assert "too many tags to judge while you wait" in try_it(staff_client, NEWEST, how="ask")


def test_it_is_said_where_another_policy_decides(staff_client: Client, app: Repository) -> None:
    first = rows.policy(app.registry, "first", repositories=["team/*"])
    rows.policy(app.registry, "second", position=2)

    assert "the policy first decides here" in try_it(staff_client, NEWEST)
    assert "the policy first decides here" in try_it(staff_client, NEWEST, url="/cleanup/policies/second/edit")
    edited = try_it(staff_client, NEWEST, url=f"{first.get_absolute_url()}/edit")
    assert "decides here" not in edited
    assert "1 tag goes" in edited


def test_without_script_the_whole_page_says_it(staff_client: Client, app: Repository) -> None:
    response = staff_client.post("/cleanup/policies/add", {**typed(NEWEST), "try": "ask"})

    page = Page(response.content.decode())
    assert "1 tag goes, 2 stay" in page.words
    assert page.all("input", name="rule-0-newest", value="2")
    assert not Policy.objects.exists()


def test_who_reads_is_told_which_policy_keeps_a_tag(
    client: Client, app: Repository, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    why = "/cleanup/why?registry=local&repository=team/app"
    assert "No policy decides on this repository" in words(client, why)
    rows.policy(app.registry, "first", {"tags": ["*"], "newest": 1}, repositories=["team/*"])
    rows.policy(app.registry, "second", {"tags": ["1.0"]}, position=2, is_on=False)

    with django_assert_max_num_queries(20):  # as many as judging takes, whatever there is to judge
        text = words(client, f"{why}&tag=1.0")
    assert "by the policy first 1.0 stays among the newest 1 of *" in text
    text = words(client, f"{why}&tag=1.0&policy=second")
    assert "the policy first decides here" in text
    assert "1.0 goes the rule on 1.0 keeps none" in text
    assert "knows no such repository" in words(client, "/cleanup/why?repository=team/none")
    assert "which would go" in words(client, "/cleanup/why")
    assert client.get(f"{why}&policy=none").status_code == 404


def test_the_part_alone_is_what_htmx_asks_for(client: Client, app: Repository) -> None:
    rows.policy(app.registry, "first", {"tags": ["*"], "newest": 1})
    response = client.get("/cleanup/why?repository=team/app&policy=first", headers={"HX-Request": "true"})

    assert not response.content.lstrip().startswith(b"<!doctype")
    assert "2 tags go, 1 stays" in Page(response.content.decode()).words


def test_a_policy_that_cannot_be_read_is_said(client: Client, app: Repository) -> None:
    rows.policy(app.registry, "first")
    Policy.objects.update(terms={"version": 9})

    assert "A policy cannot be read: first" in words(client, "/cleanup/why?repository=team/app")
