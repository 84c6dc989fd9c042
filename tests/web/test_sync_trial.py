"""What a rule that is being typed would take, as its page says it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from registries.models import Registry
from sync.choosing import Why
from sync.models import Rule
from tests.hostile import Hostile, Reply
from tests.web import furniture as make
from tests.web.pages import Page
from tests.web.sync_sent import standing, typed

pytestmark = pytest.mark.django_db(databases="__all__")


@pytest.fixture(autouse=True)
def nothing_kept() -> None:
    cache.clear()


@pytest.fixture
def upstream() -> Iterator[Hostile]:
    with Hostile() as registry:
        yield registry


def try_it(client: Client, how: str = "typed", url: str = "/sync/rules/add", **more: Any) -> str:
    response = client.post(url, {**typed(**more), "try": how}, headers={"HX-Request": "true"})
    assert response.status_code == 200
    assert not response.content.lstrip().startswith(b"<!doctype")
    return Page(response.content.decode()).words


def test_a_rule_is_tried_on_the_catalog(staff_client: Client, local: Registry) -> None:
    app = make.repository(local, "team/app")
    for number, tag in enumerate(("1.0", "1.1", "1.1-rc1", "2.0", "latest")):
        make.put(app, make.image([(tag, number + 1)]), tag)
    places = {"source": "local", "repositories": "team/*", "into": "copies/{name}"}

    text = try_it(staff_client, **places, ranges="1.x", deny="latest")

    assert "local/team/app →to local/copies/app" in text
    assert "2 tags in, 3 out as the catalog has them" in text
    for reason in (
        "In:2 in the range 1.x",
        "Out:1 fits a pattern that leaves tags out latest",
        "Out:1 a pre-release",
        "Out:1 outside the range",
    ):
        assert reason in text
    assert "5 tags in, 0 out" in try_it(staff_client, **places)
    assert "1 tag in, 4 out" in try_it(staff_client, **places, newest="1", newest_by="time")
    assert "(/ is no pattern" not in text
    assert "Name a repository to see" in try_it(staff_client, repositories=" ")
    assert "/(/ is no pattern for tags." in try_it(staff_client, **places, allow="/(/")
    assert "stays as latest-before" not in text
    assert "A tag that moves stays as old-1.0" in try_it(staff_client, **places, moved="back-up", backup="old-{tag}")
    assert not Rule.objects.exists()


def test_who_types_asks_nobody_and_the_button_asks_once(
    staff_client: Client, local: Registry, upstream: Hostile
) -> None:
    make.registry("hub", url=upstream.url, plain_http=True, role=Registry.Role.SOURCE)
    upstream.on("GET", "/v2/library/golang/tags/list", Reply.json({"name": "library/golang", "tags": ["1.0", "a"]}))

    assert "Its tags are not known here" in try_it(staff_client)
    assert upstream.asked() == []
    assert "2 tags in, 0 out as the registry listed them just now" in try_it(staff_client, "ask")
    assert "1 tag in, 1 out as the registry listed them just now" in try_it(staff_client, allow="1.*")
    assert "1 tag in, 1 out" in try_it(staff_client, "ask", allow="a")
    assert len(upstream.asked("/v2/library/golang/tags/list")) == 1


def test_a_source_that_does_not_answer_is_said(staff_client: Client, local: Registry, hub: Registry) -> None:
    assert "connection refused" in try_it(staff_client, "ask").lower()


def test_the_last_plan_knows_tags_too(staff_client: Client, rule: Rule) -> None:
    standing(rule, left_out={Why.OUTSIDE: [811, ["0.9", "0.8"]]})

    text = try_it(staff_client, url=f"{rule.get_absolute_url()}/edit", ranges=">=0.9")

    assert "2 tags in, 1 out as its last plan knows them" in text


def test_without_script_the_whole_page_says_it(staff_client: Client, local: Registry) -> None:
    make.put(make.repository(local, "team/app"), make.image(), "1.0")

    response = staff_client.post("/sync/rules/add", {**typed(source="local", repositories="team/app"), "try": "ask"})

    page = Page(response.content.decode())
    assert "1 tag in, 0 out" in page.words
    assert page.all("input", name="name", value="golang")
    assert not Rule.objects.exists()
