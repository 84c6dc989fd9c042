"""Deleting by one request: a tag and no other, or an image with all of them."""

from __future__ import annotations

import pytest

from api.plan_shapes import PlanDetailJson
from audit.models import Entry
from tagging import rules
from tagging.models import Plan, ProtectionRule
from tests.api.acting import Hand
from tests.api.test_problems import HEX, check
from tests.tagging.acting import Actor

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.any_database]

PLACE = "/repositories/test/team/app/-"


def test_one_alias_goes_and_the_others_stay(actor: Actor, hand: Hand) -> None:
    digest = actor.push.image("1.0", "1.0.1", "latest")
    actor.scan()
    plan = hand.did(hand.delete(f"{PLACE}/tags/latest?why=too%20vague"), 200, PlanDetailJson)
    assert (plan["act"], plan["state"], plan["why"], plan["items"]["done"]) == ("delete-tags", "done", "too vague", 1)
    assert actor.listed() == actor.live() == {"1.0", "1.0.1"}
    assert actor.pulls("1.0")
    assert actor.push_digest("1.0") == digest
    assert Entry.objects.get().why == "too vague"
    assert "nothing to delete" in check(hand.delete(f"{PLACE}/tags/latest"), 404)["detail"]


def test_an_image_goes_with_all_its_tags(actor: Actor, hand: Hand) -> None:
    digest = actor.push.image("1.0", "1.0.1")
    actor.push.image("2.0", layers=[b"two"])
    actor.scan()
    plan = hand.did(hand.delete(f"{PLACE}/manifests/{digest}"), 200, PlanDetailJson)
    assert (plan["act"], plan["state"]) == ("delete-images", "done")
    assert actor.listed() == actor.live() == {"2.0"}
    assert not actor.gets(digest)
    check(hand.delete(f"{PLACE}/manifests/{digest}"), 404)


def test_by_one_key_it_is_done_once(actor: Actor, hand: Hand) -> None:
    actor.push.image("1.0", "latest")
    actor.scan()
    first = hand.did(hand.delete(f"{PLACE}/tags/latest", key="7"), 200, PlanDetailJson)
    actor.push.image("latest", layers=[b"newer"])
    actor.scan()
    assert hand.did(hand.delete(f"{PLACE}/tags/latest", key="7"), 200, PlanDetailJson) == first
    assert actor.listed() == {"1.0", "latest"}
    assert "Idempotency-Key" in check(hand.delete(f"{PLACE}/tags/1.0", key="7"), 409)["detail"]


def test_a_protected_tag_stays_and_the_plan_says_so(actor: Actor, hand: Hand) -> None:
    actor.push.image("1.0", "latest")
    actor.scan()
    rules.add(ProtectionRule(registry=actor.row, tags="1.*"), actor.person)
    plan = hand.did(hand.delete(f"{PLACE}/tags/1.0"), 200, PlanDetailJson)
    assert (plan["state"], plan["items"]["done"], plan["items"]["skipped"]) == ("done", 0, 1)
    [item] = hand.client.get(plan["links"]["items"]).json()["items"]
    assert "protected" in item["note"]
    assert actor.listed() == {"1.0", "latest"}


@pytest.mark.parametrize(
    "path",
    [
        f"{PLACE}/tags/2.0",
        f"{PLACE}/tags/..",
        f"{PLACE}/manifests/sha256:{HEX}",
        f"{PLACE}/manifests/1.0",
        "/repositories/test/team/none/-/tags/1.0",
        "/repositories/none/team/app/-/tags/1.0",
    ],
)
def test_what_is_not_there_is_a_problem(actor: Actor, hand: Hand, path: str) -> None:
    actor.push.image("1.0")
    actor.scan()
    check(hand.delete(path), 404)
    assert not Plan.objects.exists()
    assert actor.listed() == {"1.0"}
