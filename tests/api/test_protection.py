"""Rules that protect tags: seen before they are made, made, and removed."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from access.models import User
from api.answers import Listing
from api.protection import PreviewJson, RuleJson
from audit.models import Entry
from catalog.models import Repository
from tagging.models import ProtectionRule
from tests.api.acting import Hand
from tests.api.asking import ask, walk
from tests.api.test_problems import check
from tests.web import furniture as make

RULES = Listing[RuleJson]


@pytest.fixture
def hand(staff: User) -> Hand:
    return Hand.of(staff)


def test_a_rule_is_made_told_and_removed(hand: Hand, app: Repository) -> None:
    order = {"registry": "local", "repositories": "team/*", "tags": "v*", "why": "released"}
    response = hand.post("/protection-rules", order)
    rule = hand.did(response, 201, RuleJson)
    assert response["Location"] == rule["links"]["self"]
    assert {name: rule[name] for name in order} == order
    assert rule["who"] == "staff"
    assert ask(hand.client, f"/protection-rules/{rule['id']}", RuleJson) == rule
    assert ask(hand.client, "/protection-rules", RULES)["items"] == [rule]
    gone = hand.delete(f"/protection-rules/{rule['id']}")
    assert (gone.status_code, gone.content) == (204, b"")
    check(hand.delete(f"/protection-rules/{rule['id']}"), 404)
    assert list(Entry.objects.order_by("id").values_list("act", "actor")) == [
        ("protect", "staff"),
        ("unprotect", "staff"),
    ]


def test_a_rule_may_be_of_all_registries(hand: Hand) -> None:
    rule = hand.did(hand.post("/protection-rules", {"tags": "v*"}), 201, RuleJson)
    assert (rule["registry"], rule["repositories"]) == (None, "*")


def test_the_same_rule_twice_is_refused(hand: Hand, app: Repository) -> None:
    assert hand.post("/protection-rules", {"tags": "v*"}).status_code == 201
    headers = {"Accept-Language": "ko"}
    hand.client.defaults |= {"HTTP_ACCEPT_LANGUAGE": headers["Accept-Language"]}
    body = check(hand.post("/protection-rules", {"tags": "v*"}), 422)
    assert all(error["detail"].isascii() for error in body["errors"])
    assert ProtectionRule.objects.count() == 1


@pytest.mark.parametrize(
    ("order", "parameter"),
    [
        ({}, "tags"),
        ({"tags": ""}, "tags"),
        ({"tags": "v1\n"}, "tags"),
        ({"tags": "[a-z]"}, "tags"),
        ({"tags": 5}, "tags"),
        ({"tags": "v*", "repositories": "a b"}, "repositories"),
        ({"tags": "v*", "why": "x" * 256}, "why"),
        ({"tags": "v*", "colour": "red"}, "colour"),
    ],
)
def test_a_pattern_that_is_none_is_named(hand: Hand, order: dict[str, Any], parameter: str) -> None:
    body = check(hand.post("/protection-rules", order), 422)
    assert [error["parameter"] for error in body["errors"]] == [parameter]


def test_a_registry_that_is_not_there(hand: Hand) -> None:
    assert "registry" in check(hand.post("/protection-rules", {"tags": "v*", "registry": "none"}), 404)["detail"]
    check(hand.client.get("/api/v1/protection-rules/preview?tags=*&registry=none"), 404)


def test_a_preview_says_what_a_rule_would_protect(client: Client, app: Repository) -> None:
    make.put(app, make.image(), "v1", "v2", "latest")
    body = ask(client, "/protection-rules/preview", PreviewJson, registry="local", repositories="team/*", tags="v?")
    assert body == {"tags": 2, "repositories": 1, "named": ["team/app:v1", "team/app:v2"], "is_whole": True}
    assert ask(client, "/protection-rules/preview", PreviewJson, tags="w*")["tags"] == 0
    check(client.get("/api/v1/protection-rules/preview?tags=%5B"), 422)
    check(client.get("/api/v1/protection-rules/preview"), 422)


def test_the_newest_comes_first_and_pages_lead_on(client: Client, db: None) -> None:
    for number in range(5):
        ProtectionRule.objects.create(tags=f"v{number}")
    forward, back = walk(client, "/protection-rules", limit=2)
    assert [[rule["tags"] for rule in page] for page in forward] == [["v4", "v3"], ["v2", "v1"], ["v0"]]
    assert back == forward[::-1]
