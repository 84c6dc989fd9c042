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
from tests.web import furniture as make

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


def test_a_service_is_at_its_own_address_alone(hand: Hand, db: None) -> None:
    order = {"preset": "docker-hub", "url": "http://127.0.0.1:1", "plain_http": True, "name": "hub"}
    assert hand.did(hand.post("/sync/sources", order), 201, SourceJson)["preset"] == "any"
    change = {"preset": "quay", "url": "http://127.0.0.1:1/"}
    assert hand.did(hand.put("/sync/sources/hub", change), 200, SourceJson)["preset"] == "any"


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


def test_a_source_is_changed_and_what_is_left_out_stays(hand: Hand, db: None) -> None:
    """At an address at which nobody listens."""
    kept: dict[str, Any] = {"username": "robot", "password": CANARY, "at_once": 3, "quota_floor": 5}
    row = make.registry(
        "upstream",
        url="http://127.0.0.1:1",
        plain_http=True,
        role=Registry.Role.SOURCE,
        proxy=f"http://me:{CANARY}@127.0.0.1:1",
        **kept,
    )

    change = {"name": "hub", "limits": {"at_once": None, "bytes_per_second": 10_000}}
    response = hand.put("/sync/sources/upstream", change)
    said = hand.did(response, 200, SourceJson)
    assert response["Location"] == said["links"]["self"]
    assert (said["name"], said["signs_in"], said["by_proxy"]) == ("hub", True, True)
    limits = {"at_once": None, "requests_per_second": None, "bytes_per_second": 10_000, "quota_floor": 5}
    assert said["limits"] == limits
    assert CANARY.encode() not in response.content
    row.refresh_from_db()
    assert (row.username, row.password, CANARY in row.proxy) == ("robot", CANARY, True)

    hand.did(hand.put("/sync/sources/hub", {"password": "other", "proxy": "http://127.0.0.1:2"}), 200, SourceJson)
    row.refresh_from_db()
    assert (row.username, row.password, row.proxy) == ("robot", "other", "http://127.0.0.1:2")
    gone = hand.did(hand.put("/sync/sources/hub", {"username": "", "proxy": ""}), 200, SourceJson)
    assert (gone["signs_in"], gone["by_proxy"], gone["limits"]) == (False, False, limits)
    assert list(Entry.objects.order_by("id").values_list("act", "actor", "detail")) == [
        ("registry-change", "staff", "name, at_once, bytes_per_second"),
        ("registry-change", "staff", "password, proxy"),
        ("registry-change", "staff", "username, password, proxy"),
    ]


def test_a_source_goes_elsewhere_without_what_was_kept_for_the_old_address(hand: Hand, db: None) -> None:
    row = make_sync.source(username="robot", password=CANARY, preset="quay", proxy="http://127.0.0.1:1")
    hand.did(hand.put("/sync/sources/upstream", {"url": "https://Upstream.example.org/"}), 200, SourceJson)
    row.refresh_from_db()
    assert (row.username, row.preset) == ("robot", "quay")
    hand.did(hand.put("/sync/sources/upstream", {"url": "https://other.example.org"}), 200, SourceJson)
    row.refresh_from_db()
    assert (row.url, row.username, row.password, row.preset) == ("https://other.example.org", "", "", "any")

    hub = hand.did(hand.put("/sync/sources/upstream", {"preset": "docker-hub"}), 200, SourceJson)
    assert (hub["url"], hub["preset"]) == ("https://registry-1.docker.io", "docker-hub")


@pytest.mark.parametrize(
    ("change", "parameter"),
    [
        ({"preset": "nowhere"}, "preset"),
        ({"url": "ftp://x.example.org"}, "url"),
        ({"url": "https://local.example.org"}, "url"),  # one of ours is there
        ({"name": "local"}, "name"),
        ({"proxy": f"socks://{CANARY}"}, "proxy"),
        ({"limits": {"at_once": 0}}, "limits.at_once"),
        ({"limits": {"pace": 0}}, "limits.pace"),
        ({"client_key": CANARY}, "client_certificate"),
        ({"role": "catalog"}, "role"),
    ],
)
def test_what_is_wrong_with_a_change_is_named(
    hand: Hand, local: Registry, change: dict[str, Any], parameter: str
) -> None:
    Registry.objects.update(url="https://local.example.org")
    make_sync.source()
    response = hand.put("/sync/sources/upstream", change)
    assert [error["parameter"] for error in check(response, 422)["errors"]] == [parameter]
    assert CANARY.encode() not in response.content
    assert not Entry.objects.exists()


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
    check(hand.put("/sync/sources/local", {"name": "mine"}), 404)
    assert Registry.objects.get().retired_at is None
