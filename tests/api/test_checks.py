from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from access.models import User
from api.answers import Listing
from api.checks import CheckJson, FindingJson
from cleanup.models import Check
from registries.models import Registry
from tests.api.acting import Hand
from tests.api.asking import ask, walk
from tests.web import furniture as make
from tests.web.test_health import broken, checked


@pytest.fixture
def staffs(staff: User) -> Hand:
    return Hand.of(staff)


def test_a_check_is_told_with_what_it_found(client: Client, local: Registry) -> None:
    check = checked(local, broken=1, new=1, unasked=1, is_deep=True, way="folder", message="Of 7 tags 1 are broken.")
    broken(check, is_new=True)
    broken(check, "", code="unasked", part="", sentence="no answer in time")

    said: Any = ask(client, f"/checks/{check.pk}", CheckJson)
    assert (said["state"], said["deep"], said["broken"], said["new"], said["unasked"]) == ("done", True, 1, 1, 1)
    assert said["job"] is None
    for link in said["links"].values():
        assert client.get(link).status_code == 200

    found = ask(client, f"/checks/{check.pk}/findings", Listing[FindingJson])["items"]
    assert [(row["tag"], row["code"], row["new"], row["open"]) for row in found] == [
        ("1.0", "no-layer", True, True),
        (None, "unasked", False, True),
    ]
    only = ask(client, f"/checks/{check.pk}/findings", Listing[FindingJson], code="unasked")["items"]
    assert [row["sentence"] for row in only] == ["no answer in time"]


def test_checks_are_listed_the_newest_first(
    client: Client, local: Registry, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    made = [checked(local).pk for _ in range(5)]
    other = checked(make.registry("edge")).pk
    forward, back = walk(client, "/checks", limit=2)
    assert [row["id"] for page in forward for row in page] == [other, *reversed(made)]
    assert forward == back[::-1]
    with django_assert_max_num_queries(6):
        only = ask(client, "/checks", Listing[CheckJson], registry="edge")["items"]
    assert [row["id"] for row in only] == [other]


def test_a_check_is_begun_once(staffs: Hand, local: Registry) -> None:
    order = {"registry": "local", "sample": 5, "deep": True}
    said = staffs.did(staffs.post("/checks", order), 202, CheckJson)
    assert (said["sample"], said["deep"], said["state"], said["job"]["kind"]) == (5, True, "waiting", "verify")
    again = staffs.did(staffs.post("/checks", {"registry": "local"}), 202, CheckJson)
    assert again["id"] == said["id"]
    assert Check.objects.count() == 1


@pytest.mark.parametrize(
    "order",
    [
        {},
        {"registry": "nowhere"},
        {"registry": "local", "sample": 0},
        {"registry": "local", "repository": "../up"},
        {"registry": "local", "depth": "deep"},
    ],
)
def test_what_cannot_be_checked_is_refused(staffs: Hand, local: Registry, order: dict[str, Any]) -> None:
    assert staffs.post("/checks", order).status_code == 422
    assert not Check.objects.exists()
