"""A plan changes nothing until it is carried out, and says what became of it."""

from __future__ import annotations

from typing import Any

import pytest
from django.db.models.signals import post_init

from api.answers import Listing
from api.plan_shapes import PlanDetailJson, PlanItemJson, PlanJson
from catalog.models import Tag
from jobs.models import Job
from tagging.models import Plan
from tests.api.acting import Hand
from tests.api.asking import ask, walk
from tests.api.test_problems import check
from tests.hostile import Reply
from tests.meanwhile import receiving
from tests.tagging.acting import Actor
from tests.tagging.gate import Gate
from tests.web import furniture as make

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.any_database]

PLANS = Listing[PlanJson]
ITEMS = Listing[PlanItemJson]


def deletion(*tags: str, **more: Any) -> dict[str, Any]:
    return {"act": "delete-tags", "registry": "test", "repository": "team/app", "tags": list(tags), **more}


def planned(hand: Hand, order: dict[str, Any]) -> Any:
    return hand.did(hand.post("/plans", order), 201, PlanDetailJson)


def carried_out(hand: Hand, plan: Any, status: int = 200) -> Any:
    return hand.did(hand.post(f"/plans/{plan['id']}/carry-out"), status, PlanDetailJson)


def test_a_plan_says_what_goes_and_what_stays_and_changes_nothing(actor: Actor, hand: Hand) -> None:
    digest = actor.push.image("1.0", "1.0.1", "latest")
    actor.scan()
    response = hand.post("/plans", deletion("1.0", "latest", why="nobody wants it"))
    plan = hand.did(response, 201, PlanDetailJson)
    assert response["Location"] == plan["links"]["self"]
    assert (plan["act"], plan["state"]) == ("delete-tags", "planned")
    assert (plan["who"], plan["why"]) == ("staff", "nobody wants it")
    assert (plan["registry"], plan["repository"], plan["links"]["job"]) == ("test", "team/app", None)
    assert plan["items"] == {"planned": 2, "begun": 0, "done": 0, "skipped": 0, "failed": 0, "all": 2}
    [image] = plan["images"]
    assert (image["digest"], image["going"], image["staying"], image["stays"]) == (digest, 2, 1, ["1.0.1"])
    assert actor.listed() == actor.live() == {"1.0", "1.0.1", "latest"}
    assert ask(hand.client, f"/plans/{plan['id']}", PlanDetailJson) == plan
    items = ask(hand.client, f"/plans/{plan['id']}/items", ITEMS)["items"]
    assert [(item["step"], item["tag"], item["digest"], item["state"]) for item in items] == [
        ("delete-tag", "latest", digest, "planned"),
        ("delete-tag", "1.0", digest, "planned"),
    ]


def test_carrying_it_out_does_it_once(actor: Actor, hand: Hand) -> None:
    digest = actor.push.image("1.0", "1.0.1", "latest")
    actor.scan()
    plan = planned(hand, deletion("1.0", "latest"))
    done = carried_out(hand, plan)
    assert (done["state"], done["items"]["done"], done["message"]) == ("done", 2, "Done: 2 of 2.")
    assert actor.listed() == actor.live() == {"1.0.1"}
    assert actor.push_digest("1.0.1") == digest
    assert hand.client.get(done["links"]["job"]).json()["state"] == "done"
    actor.push.image("1.0")
    assert carried_out(hand, plan) == done
    assert actor.listed() == {"1.0", "1.0.1"}
    assert Job.objects.filter(kind="carry-out").count() == 1


def test_a_tag_that_moved_since_is_left_alone_and_the_item_says_so(actor: Actor, hand: Hand) -> None:
    actor.push.image("1.0", "latest")
    actor.scan()
    plan = planned(hand, deletion("1.0", "latest"))
    actor.push.image("latest", layers=[b"newer"])
    done = carried_out(hand, plan)
    assert (done["state"], done["items"]["done"], done["items"]["skipped"]) == ("done", 1, 1)
    items = ask(hand.client, f"/plans/{plan['id']}/items", ITEMS)["items"]
    assert {item["tag"]: bool(item["note"]) for item in items} == {"1.0": False, "latest": True}


def test_a_registry_that_refuses_breaks_it_off_and_it_can_be_asked_for_again(gated: Actor, gate: Gate) -> None:
    hand = Hand.of(gated.person)
    gated.push.image("1.0")
    gated.scan()
    plan = planned(hand, deletion("1.0", registry="gated"))
    gate.refuse(after=0, method="PUT" if gated.overwrites else "DELETE", reply=Reply(503, b"{}"), for_all=True)
    broken = carried_out(hand, plan)
    assert (broken["state"], broken["items"]["done"]) == ("broken-off", 0)
    assert broken["message"]
    gate.open()
    assert carried_out(hand, plan)["state"] == "done"
    assert gated.listed() == set()


def test_a_large_one_is_done_by_a_worker(actor: Actor, hand: Hand) -> None:
    names = [f"1.{number}" for number in range(51)]
    actor.push.image(*names)
    actor.scan()
    begun = carried_out(hand, planned(hand, deletion(*names)), 202)
    assert begun["state"] == "planned"
    assert hand.client.get(begun["links"]["job"]).json()["state"] == "queued"
    assert carried_out(hand, begun, 202)["links"]["job"] == begun["links"]["job"]
    assert actor.listed() == set(names)


def test_an_image_goes_with_all_its_tags_and_a_repository_with_all_its_images(actor: Actor, hand: Hand) -> None:
    first = actor.push.image("1.0", "1.0.1")
    actor.push.image("2.0", layers=[b"two"])
    actor.scan()
    place = {"registry": "test", "repository": "team/app"}
    plan = planned(hand, {"act": "delete-images", **place, "digests": [first]})
    assert (plan["images"][0]["going"], plan["items"]["all"]) == (2, 3)
    assert carried_out(hand, plan)["state"] == "done"
    assert actor.live() == {"2.0"}
    whole = planned(hand, {"act": "delete-repository", **place})
    assert carried_out(hand, whole)["state"] == "done"
    assert actor.listed() == set()


def test_what_was_chosen_and_is_not_there_is_a_conflict(actor: Actor, hand: Hand) -> None:
    actor.push.image("1.0")
    actor.scan()
    assert "nothing to delete" in check(hand.post("/plans", deletion("2.0")), 409)["detail"]


# -- new tags -----------------------------------------------------------------


def test_a_tag_more_for_an_image(actor: Actor, hand: Hand) -> None:
    digest = actor.push.image("1.0")
    actor.scan()
    order = {"act": "retag", "registry": "test", "repository": "team/app", "target": {"tag": "stable"}}
    assert carried_out(hand, planned(hand, {**order, "tag": "1.0"}))["act"] == "retag"
    assert actor.push_digest("stable") == digest
    assert "already" in check(hand.post("/plans", {**order, "digest": digest}), 409)["detail"]


def test_another_name_for_a_tag(actor: Actor, hand: Hand) -> None:
    digest = actor.push.image("1.O")
    actor.scan()
    order = {"act": "rename", "registry": "test", "repository": "team/app", "tag": "1.O", "target": {"tag": "1.0"}}
    assert carried_out(hand, planned(hand, order))["act"] == "rename"
    assert (actor.listed(), actor.push_digest("1.0")) == ({"1.0"}, digest)


def test_an_image_in_another_repository(actor: Actor, hand: Hand) -> None:
    digest = actor.push.image("1.0")
    actor.scan()
    target = {"repository": "team/release", "tag": "1.0"}
    order = {"act": "copy", "registry": "test", "repository": "team/app", "digest": digest, "target": target}
    plan = planned(hand, order)
    assert plan["repository"] == "team/release"
    assert carried_out(hand, plan)["state"] == "done"
    there = hand.client.get("/api/v1/repositories/test/team/release/-/tags").json()["items"]
    assert [(tag["name"], tag["digest"]) for tag in there] == [("1.0", digest)]


def test_a_tag_points_back_to_what_it_named(actor: Actor, hand: Hand) -> None:
    old = actor.push.image("latest", "1.0")
    actor.scan()
    actor.push.image("latest", layers=[b"newer"])
    actor.scan()
    order = {"act": "roll-back", "registry": "test", "repository": "team/app", "tag": "latest", "digest": old}
    assert carried_out(hand, planned(hand, order))["act"] == "roll-back"
    assert actor.push_digest("latest") == old


# -- the same request twice ----------------------------------------------------


@pytest.fixture
def app_is_scanned(actor: Actor) -> None:
    actor.push.image("1.0", "latest")
    actor.scan()


@pytest.mark.usefixtures("app_is_scanned")
def test_the_same_key_and_the_same_request_are_the_same_plan(hand: Hand) -> None:
    first = hand.did(hand.post("/plans", deletion("1.0"), key="a b/7"), 201, PlanDetailJson)
    again = hand.post("/plans", deletion("1.0", why=""), key="a b/7")
    assert hand.did(again, 200, PlanDetailJson) == first
    assert again["Location"] == first["links"]["self"]


@pytest.mark.usefixtures("app_is_scanned")
def test_the_same_key_and_another_request_are_a_conflict(hand: Hand) -> None:
    assert hand.post("/plans", deletion("1.0"), key="7").status_code == 201
    assert "Idempotency-Key" in check(hand.post("/plans", deletion("latest"), key="7"), 409)["detail"]
    assert Plan.objects.count() == 1


@pytest.mark.usefixtures("app_is_scanned")
def test_without_a_key_each_request_makes_a_plan(hand: Hand) -> None:
    first, second = (planned(hand, deletion("1.0")) for _ in range(2))
    assert first["id"] != second["id"]


@pytest.mark.usefixtures("app_is_scanned")
def test_a_key_belongs_to_whoever_sent_it(hand: Hand) -> None:
    other = Hand.of(make.person("other", staff=True))
    assert hand.post("/plans", deletion("1.0"), key="7").status_code == 201
    assert other.post("/plans", deletion("latest"), key="7").status_code == 201


@pytest.mark.usefixtures("app_is_scanned")
def test_two_at_once_with_one_key_make_one_plan(hand: Hand) -> None:
    answers: list[Any] = []

    def meanwhile(**_: Any) -> None:
        if not answers:
            answers.append(None)
            answers[0] = hand.post("/plans", deletion("1.0"), key="7")

    with receiving(post_init, Tag, meanwhile):
        late = hand.post("/plans", deletion("1.0"), key="7")
    first = hand.did(answers[0], 201, PlanDetailJson)
    assert hand.did(late, 200, PlanDetailJson) == first
    assert Plan.objects.count() == 1


@pytest.mark.parametrize("key", ["", "x" * 129, "é", "a\tb"])
@pytest.mark.usefixtures("app_is_scanned")
def test_a_key_that_is_none_is_refused(hand: Hand, key: str) -> None:
    body = check(hand.post("/plans", deletion("1.0"), key=key), 422)
    assert [error["parameter"] for error in body["errors"]] == ["Idempotency-Key"]
    assert not Plan.objects.exists()


# -- lists -----------------------------------------------------------------------


@pytest.mark.usefixtures("app_is_scanned")
def test_the_newest_comes_first_and_pages_lead_on(hand: Hand) -> None:
    ids = [planned(hand, deletion("1.0"))["id"] for _ in range(5)]
    assert [plan["id"] for plan in ask(hand.client, "/plans", PLANS)["items"]] == ids[::-1]
    forward, back = walk(hand.client, "/plans", limit=2)
    assert [len(page) for page in forward] == [2, 2, 1]
    assert back == forward[::-1]


def test_items_are_paged_in_their_order(actor: Actor, hand: Hand) -> None:
    actor.push.image("1.9", "1.10", "1.11")
    actor.scan()
    plan = planned(hand, deletion("1.11", "1.9", "1.10"))
    forward, back = walk(hand.client, f"/plans/{plan['id']}/items", limit=2)
    assert [[item["tag"] for item in page] for page in forward] == [["1.9", "1.10"], ["1.11"]]
    assert back == forward[::-1]
