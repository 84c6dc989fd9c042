"""The frame of every page: where the key `/` leads, and what the footer says."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from registries.models import Registry
from tests.web import furniture as make
from tests.web.pages import Page

TAG = "/r/local/team/app/-/tags/1.0"


@pytest.mark.parametrize(
    ("url", "fields"),
    [
        ("/", "both"),
        ("/?q=zzz", "both"),
        ("/?state=gone", "both"),
        ("/r/local", "both"),
        ("/r/empty", "one"),
        ("/r/local/team/app", "both"),
        ("/r/local/team/app?q=zzz", "both"),
        ("/r/local/team/nothing", "one"),
        ("/r/local/team/gone", "both"),
        (TAG, "one"),
        ("/jobs", "one"),
        ("/registries", "one"),
        ("/account/password", "one"),
        ("/not/there", "one"),
    ],
)
def test_each_field_shows_the_key_that_leads_to_it(client: Client, local: Registry, url: str, fields: str) -> None:
    make.registry("empty")
    app = make.repository(local, "team/app")
    make.put(app, make.image(), "1.0")
    make.settle(app)
    make.repository(local, "team/nothing")
    make.repository(local, "team/gone", gone_at=timezone.now())

    page = Page(client.get(url).content.decode())

    keys = {found["aria-keyshortcuts"]: found["id"] for found in page.all("input") if "aria-keyshortcuts" in found}
    assert keys == {"/": "find"} | ({"f": "f"} if fields == "both" else {})
    assert [found["id"] for found in page.all("input") if "data-find" in found] == ["find"]
    hints = [number for number, (tag, found) in enumerate(page.elements) if tag == "kbd" and "aria-hidden" in found]
    before = [
        [found["id"] for tag, found in page.elements[:hint] if tag == "input" and "id" in found][-1] for hint in hints
    ]
    assert before == list(keys.values())


@pytest.mark.parametrize(
    ("capabilities", "said"),
    [
        ({"generation": 2, "problem": ""}, "local · distribution 2.8 · not scanned yet"),
        ({"generation": 3, "problem": ""}, "local · distribution 3 · not scanned yet"),
        ({"generation": None}, "local · not scanned yet"),
        ({"problem": "unreachable", "reason": "refused"}, "local · not scanned yet"),
        ({}, "local · not scanned yet"),
    ],
)
def test_the_footer_says_what_a_registry_behaves_like(
    client: Client,
    local: Registry,
    django_assert_num_queries: DjangoAssertNumQueries,
    capabilities: dict[str, object],
    said: str,
) -> None:
    Registry.objects.update(capabilities=capabilities)

    with django_assert_num_queries(3):
        page = Page(client.get("/account/password").content.decode())

    assert said in page.words
