"""The sources of sync for scripts: added with what they are asked with, told without it, forgotten."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from access.models import User
from api.answers import Listing
from api.sync_shapes import SourceJson
from audit.models import Entry
from registries.models import Registry
from sync.models import Run
from tests.api.acting import Hand
from tests.api.asking import ask
from tests.api.test_problems import check
from tests.real_registry import PASSWORD, USERNAME, RealRegistry
from tests.registries.conftest import locked
from tests.sync import furniture as make_sync

__all__ = ["locked"]

CANARY = "CANARY-7f3"


@pytest.fixture
def hand(staff: User) -> Hand:
    return Hand.of(staff)


def test_a_source_is_added_tested_told_and_forgotten(hand: Hand, locked: RealRegistry) -> None:
    order = {"url": locked.url, "plain_http": True, "name": "upstream", "username": USERNAME, "password": PASSWORD}
    response = hand.post("/sync/sources", order)
    said = hand.did(response, 201, SourceJson)
    assert response["Location"] == said["links"]["self"]
    assert (said["name"], said["signs_in"], said["by_proxy"], said["problem"]) == ("upstream", True, False, None)
    assert said["tested_at"] is not None
    assert PASSWORD.encode() not in response.content
    assert USERNAME.encode() not in response.content
    assert ask(hand.client, "/sync/sources", Listing[SourceJson])["items"] == [said]
    assert ask(hand.client, "/sync/sources/upstream", SourceJson) == said
    row = Registry.objects.get()
    assert (row.role, row.password) == (Registry.Role.SOURCE, PASSWORD)

    assert hand.delete("/sync/sources/upstream").status_code == 204
    check(hand.delete("/sync/sources/upstream"), 404)
    row.refresh_from_db()
    assert (row.username, row.password, row.name) == ("", "", "upstream-old")
    acts = list(Entry.objects.order_by("id").values_list("act", "actor"))
    assert acts == [("registry-add", "staff"), ("registry-remove", "staff")]


def test_a_preset_brings_its_address_and_its_limits(hand: Hand, db: None) -> None:
    """By a proxy at which nobody listens, so that nothing leaves this machine."""
    order = {
        "preset": "docker-hub",
        "name": "hub",
        "proxy": f"http://me:{CANARY}@127.0.0.1:1",
        "limits": {"at_once": 2},
    }
    response = hand.post("/sync/sources", order)
    said = hand.did(response, 201, SourceJson)
    assert CANARY.encode() not in response.content
    assert (said["url"], said["by_proxy"], bool(said["problem"])) == ("https://registry-1.docker.io", True, True)
    assert (said["limits"]["at_once"], said["limits"]["quota_floor"]) == (2, 10)


@pytest.mark.parametrize(
    ("order", "parameter"),
    [
        ({"preset": "nowhere"}, "preset"),
        ({}, "url"),
        ({"url": "ftp://x.example.org"}, "url"),
        ({"url": "https://x.example.org", "name": "Up"}, "name"),
        ({"url": "https://x.example.org", "proxy": f"socks://{CANARY}"}, "proxy"),
        ({"url": "https://x.example.org", "proxy": {"password": CANARY}}, "proxy"),
        ({"url": "https://x.example.org", "limits": {"at_once": 0}}, "limits.at_once"),
        (
            {"url": "https://x.example.org", "limits": {"requests_per_second": float("inf")}},
            "limits.requests_per_second",
        ),
        ({"url": "https://x.example.org", "limits": {"bytes_per_second": 2**70}}, "limits.bytes_per_second"),
        ({"url": "https://x.example.org", "client_key": CANARY}, "client_certificate"),
        ({"url": "https://x.example.org", "role": "catalog"}, "role"),
    ],
)
def test_what_is_wrong_is_named_and_no_secret_comes_back(hand: Hand, order: dict[str, Any], parameter: str) -> None:
    hand.client.defaults["HTTP_ACCEPT_LANGUAGE"] = "ko"
    response = hand.post("/sync/sources", order)
    assert [error["parameter"] for error in check(response, 422)["errors"]] == [parameter]
    assert response.content.isascii()
    assert CANARY.encode() not in response.content
    assert not Registry.objects.exists()


def test_one_that_a_rule_names_stays(hand: Hand, local: Registry) -> None:
    upstream = make_sync.source()
    rule = make_sync.rule("golang", local, source=upstream)
    assert "golang" in check(hand.delete("/sync/sources/upstream"), 409)["detail"]
    run = make_sync.run(rule, state=Run.State.WAITING)
    rule.delete()
    assert "under way" in check(hand.delete("/sync/sources/upstream"), 409)["detail"]
    Run.objects.update(state=Run.State.DONE)
    assert hand.delete("/sync/sources/upstream").status_code == 204
    assert Run.objects.get().pk == run.pk


def test_one_of_ours_is_no_source(client: Client, hand: Hand, local: Registry) -> None:
    check(client.get("/api/v1/sync/sources/local"), 404)
    check(hand.delete("/sync/sources/local"), 404)
    assert Registry.objects.get().retired_at is None
