"""Who may act, and what a request to act has to look like: whatever does not, changes nothing."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from access.models import User
from catalog.models import Repository
from sync.models import Rule, Run
from tagging.models import Plan, ProtectionRule, TrashEntry
from tests.api.acting import Hand
from tests.api.asking import ROOT
from tests.api.test_problems import HEX, check
from tests.web import furniture as make

ACTS = [
    ("POST", "/plans"),
    ("POST", "/plans/1/carry-out"),
    ("POST", "/trash/restore"),
    ("DELETE", "/trash/1"),
    ("POST", "/protection-rules"),
    ("DELETE", "/protection-rules/1"),
    ("POST", "/sync/sources"),
    ("DELETE", "/sync/sources/upstream"),
    ("POST", "/sync/rules"),
    ("PUT", "/sync/rules/golang"),
    ("DELETE", "/sync/rules/golang"),
    ("POST", "/sync/rules/golang/runs"),
    ("POST", "/sync/runs/1/carry-on"),
    ("POST", "/sync/runs/1/try-again"),
    ("POST", "/sync/runs/1/stop"),
    ("POST", "/sync/copies"),
    ("DELETE", "/repositories/local/team/app/-/tags/1.0"),
    ("DELETE", f"/repositories/local/team/app/-/manifests/sha256:{HEX}"),
]
PLACE = {"registry": "local", "repository": "team/app"}


@pytest.fixture
def hand(staff: User) -> Hand:
    return Hand.of(staff)


@pytest.fixture(autouse=True)
def tagged(app: Repository) -> Repository:
    make.put(app, make.image(), "1.0", "latest")
    return app


def nothing_was_changed() -> bool:
    return not any(
        rows.exists() for rows in (Plan.objects, TrashEntry.objects, ProtectionRule.objects, Rule.objects, Run.objects)
    )


def order(**more: Any) -> dict[str, Any]:
    return {"act": "delete-tags", **PLACE, "tags": ["1.0"], **more}


# -- who -------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "path"), ACTS)
@pytest.mark.parametrize("anonymous_read", [False, True])
def test_nobody_acts_without_signing_in(method: str, path: str, anonymous_read: bool, settings: Settings) -> None:
    settings.ANONYMOUS_READ = anonymous_read
    response = Client().generic(method, f"{ROOT}{path}", b"{}", "application/json")
    assert check(response, 401)["detail"]
    assert response["WWW-Authenticate"].startswith("Cookie ")
    assert nothing_was_changed()


@pytest.mark.parametrize(("method", "path"), ACTS)
def test_readers_are_told_that_only_staff_acts(method: str, path: str, reader: User) -> None:
    hand = Hand.of(reader)
    response = hand.ask(method, path, {})
    assert "staff" in check(response, 403)["detail"]
    assert nothing_was_changed()


@pytest.mark.parametrize(("method", "path"), ACTS)
def test_without_the_token_nothing_is_done(method: str, path: str, hand: Hand) -> None:
    """A session alone is what another site can have a browser send."""
    for headers in ({}, {"X-CSRFToken": "x" * 32}):
        response = hand.client.generic(method, f"{ROOT}{path}", b"{}", "application/json", headers=headers)
        assert "X-CSRFToken" in check(response, 403)["detail"]
    assert nothing_was_changed()


@pytest.mark.parametrize(("method", "path"), ACTS)
def test_nothing_is_done_for_another_origin(method: str, path: str, hand: Hand) -> None:
    hand.client.defaults["HTTP_ORIGIN"] = "https://evil.example.org"
    check(hand.ask(method, path, order()), 403)
    assert nothing_was_changed()


@pytest.mark.parametrize(
    "path", [path for method, path in ACTS if path.endswith(("carry-out", "restore", "1.0", "carry-on", "copies"))]
)
def test_what_only_acts_cannot_be_read(client: Client, path: str) -> None:
    check(client.get(f"{ROOT}{path}"), 405)


def test_reading_takes_no_token(hand: Hand) -> None:
    for path in ("/plans", "/trash", "/protection-rules", "/sync/rules", "/sync/runs", "/activity"):
        assert hand.client.get(f"{ROOT}{path}").status_code == 200


def test_at_a_registry_that_has_retired_nothing_is_planned(hand: Hand, tagged: Repository) -> None:
    tagged.registry.retired_at = tagged.first_seen
    tagged.registry.save()
    assert "no longer" in check(hand.post("/plans", order()), 403)["detail"]


# -- what ------------------------------------------------------------------------


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_what_is_not_said_to_be_json_is_refused(hand: Hand, media_type: str) -> None:
    response = hand.client.generic("POST", f"{ROOT}/plans", b'{"act": "restore"}', media_type, headers=hand.headers())
    assert "application/json" in check(response, 415)["detail"]


def test_what_is_too_large_is_not_read(hand: Hand) -> None:
    check(hand.post("/plans", order(why="x" * 2**20)), 413)


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000, b"[]", b"null", b"5", b'"x"'])
def test_what_is_no_order_is_refused(hand: Hand, body: bytes) -> None:
    response = hand.client.generic("POST", f"{ROOT}/plans", body, "application/json", headers=hand.headers())
    assert [error["parameter"] for error in check(response, 422)["errors"]] == ["body"]


@pytest.mark.parametrize(
    ("body", "parameters"),
    [
        ({}, ["act"]),
        ({"act": "explode"}, ["act"]),
        ({"act": "delete-tags"}, ["registry", "repository", "tags"]),
        ({"act": "restore"}, ["entries"]),
        ({"act": "restore", "entries": []}, ["entries"]),
        ({"act": "restore", "entries": [0]}, ["entries.0"]),
        ({"act": "restore", "entries": [2**63]}, ["entries.0"]),
        ({"act": "restore", "entries": ["1"]}, ["entries.0"]),
        ({"act": "restore", "entries": [1], **PLACE}, ["registry", "repository"]),
        (order(tags="1.0"), ["tags"]),
        (order(tags=["1.0", "no tag"]), ["tags.1"]),
        (order(tags=["../x"]), ["tags.0"]),
        (order(tags=["\ud800"]), ["tags.0"]),
        (order(repository="Team/App"), ["repository"]),
        (order(repository="../etc"), ["repository"]),
        (order(registry="\x00"), ["registry"]),
        (order(why="x" * 1001), ["why"]),
        (order(why="\ud800"), ["why"]),
        (order(colour="red"), ["colour"]),
        (order(replace=True), ["replace"]),
        (order(attached="yes"), ["attached"]),
        (order(digests=["sha256:abc"]), ["digests.0"]),
        ({"act": "delete-images", **PLACE, "tags": ["1.0"]}, ["digests", "tags"]),
        ({"act": "retag", **PLACE, "target": {"tag": "2.0"}}, ["tag"]),
        ({"act": "retag", **PLACE, "tag": "1.0"}, ["target"]),
        ({"act": "retag", **PLACE, "tag": "1.0", "target": {"tag": ".x"}}, ["target.tag"]),
        ({"act": "retag", **PLACE, "tag": "1.0", "target": {"tag": "2.0", "repository": "b"}}, ["target.repository"]),
        ({"act": "copy", **PLACE, "tag": "1.0", "target": {"tag": "2.0"}}, ["target.repository"]),
        ({"act": "rename", **PLACE, "target": {"tag": "2.0"}}, ["tag"]),
        ({"act": "roll-back", **PLACE, "tag": "1.0"}, ["digest"]),
    ],
)
def test_what_an_act_does_not_understand_is_named(hand: Hand, body: dict[str, Any], parameters: list[str]) -> None:
    errors = check(hand.post("/plans", body), 422)["errors"]
    assert [error["parameter"] for error in errors] == parameters
    assert nothing_was_changed()


def test_of_very_much_that_is_wrong_the_first_is_named(hand: Hand) -> None:
    body = check(hand.post("/plans", order(tags=["no tag"] * 5_000)), 422)
    assert len(body["errors"]) == 20


def test_what_was_sent_is_not_said_back(hand: Hand) -> None:
    for body in (order(act="hunter2"), order(tags=["hunter 2"]), order(why=["hunter2"])):
        assert b"hunter" not in hand.post("/plans", body).content


def test_words_of_a_person_are_text(hand: Hand) -> None:
    plan = hand.post("/plans", order(why="<b>\x00\u202e 한국어\nA: b")).json()
    assert plan["why"] == "<b> 한국어 A: b"


@pytest.mark.parametrize(
    "body",
    [
        order(registry="none"),
        order(repository="team/none"),
        {"act": "restore", "entries": [999]},
        {"act": "retag", **PLACE, "tag": "none", "target": {"tag": "2.0"}},
        {"act": "rename", **PLACE, "tag": "none", "target": {"tag": "2.0"}},
    ],
)
def test_what_an_order_names_and_is_not_there(hand: Hand, body: dict[str, Any]) -> None:
    assert "at this address" not in check(hand.post("/plans", body), 404)["detail"]


@pytest.mark.parametrize("path", ["/plans/1", "/plans/1/items", f"/plans/{'9' * 40}", "/plans/x", "/trash/x"])
def test_what_is_not_there(client: Client, path: str) -> None:
    check(client.get(f"{ROOT}{path}"), 404)


def test_who_may_only_read_is_not_told_who_planned(hand: Hand, settings: Settings) -> None:
    hand.post("/plans", order())
    settings.ANONYMOUS_READ = True
    [plan] = Client().get(f"{ROOT}/plans").json()["items"]
    assert plan["who"] is None
    assert Client().get(f"{ROOT}/plans/{plan['id']}").json()["who"] is None
