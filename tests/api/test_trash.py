"""What was deleted comes back as it was, or is given up."""

from __future__ import annotations

import pytest

from api.answers import Listing
from api.plan_shapes import PlanDetailJson
from api.trash import TrashEntryJson
from audit.models import Entry
from catalog.models import Repository
from registries.models import Registry
from tagging.models import TrashPart
from tests.api.acting import Hand
from tests.api.asking import ask, walk
from tests.api.test_problems import check
from tests.tagging.acting import Actor
from tests.tagging.furniture import trash_entry
from tests.web import furniture as make

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.any_database]

TRASH = Listing[TrashEntryJson]


def test_what_was_deleted_comes_back_as_it_was(actor: Actor, hand: Hand) -> None:
    digest = actor.push.image("1.0", "latest")
    actor.scan()
    gone = hand.delete("/repositories/test/team/app/-/tags/1.0?why=a%20slip").json()
    [told] = ask(hand.client, "/trash", TRASH)["items"]
    assert (told["tag"], told["digest"], told["who"], told["why"]) == ("1.0", digest, "staff", "a slip")
    assert (told["how"], told["state"], told["links"]["plan"]) == ("untagged", "restorable", gone["links"]["self"])
    plan = hand.did(hand.post("/trash/restore", {"entries": [told["id"]]}), 200, PlanDetailJson)
    assert (plan["act"], plan["state"], plan["items"]["done"]) == ("restore", "done", 1)
    assert actor.listed() == actor.live() == {"1.0", "latest"}
    assert actor.push_digest("1.0") == digest
    assert ask(hand.client, "/trash", TRASH)["items"] == []
    assert "in the trash" in check(hand.post("/trash/restore", {"entries": [told["id"]]}), 404)["detail"]


def test_it_comes_back_over_another_only_if_that_is_asked_for(actor: Actor, hand: Hand) -> None:
    old = actor.push.image("1.0")
    actor.scan()
    hand.delete("/repositories/test/team/app/-/tags/1.0")
    [told] = ask(hand.client, "/trash", TRASH)["items"]
    new = actor.push.image("1.0", layers=[b"newer"])
    actor.scan()
    left = hand.did(hand.post("/trash/restore", {"entries": [told["id"]]}), 200, PlanDetailJson)
    assert left["items"]["skipped"] == 1
    assert actor.push_digest("1.0") == new
    order = {"entries": [told["id"]], "replace": True}
    assert hand.did(hand.post("/trash/restore", order), 200, PlanDetailJson)["items"]["done"] == 1
    assert actor.push_digest("1.0") == old
    assert [item["digest"] for item in ask(hand.client, "/trash", TRASH)["items"]] == [new]


def test_by_one_key_it_is_restored_once(actor: Actor, hand: Hand) -> None:
    actor.push.image("1.0")
    actor.scan()
    hand.delete("/repositories/test/team/app/-/tags/1.0")
    order = {"entries": [actor.trash()[0].pk]}
    first = hand.did(hand.post("/trash/restore", order, key="7"), 200, PlanDetailJson)
    assert hand.did(hand.post("/trash/restore", order, key="7"), 200, PlanDetailJson) == first


def test_all_of_one_restore_are_of_one_registry(hand: Hand, local: Registry) -> None:
    entries = [trash_entry(make.repository(where), "1.0").pk for where in (local, make.registry("other"))]
    body = check(hand.post("/trash/restore", {"entries": entries}), 422)
    assert [error["parameter"] for error in body["errors"]] == ["entries"]


def test_what_has_expired_is_told_and_cannot_be_restored(hand: Hand, app: Repository) -> None:
    old = trash_entry(app, "1.0", days_left=-1)
    assert [item["state"] for item in ask(hand.client, "/trash", TRASH)["items"]] == ["expired"]
    assert "nothing to restore" in check(hand.post("/trash/restore", {"entries": [old.pk]}), 409)["detail"]


def test_it_can_be_given_up_for_good(actor: Actor, hand: Hand) -> None:
    actor.push.image("1.0")
    actor.scan()
    hand.delete("/repositories/test/team/app/-/tags/1.0")
    path = f"/trash/{actor.trash()[0].pk}"
    for _ in range(2):
        response = hand.delete(path)
        assert (response.status_code, response.content) == (204, b"")
    assert [item["state"] for item in ask(hand.client, "/trash", TRASH)["items"]] == ["expired"]
    assert not TrashPart.objects.exists()
    assert list(Entry.objects.filter(act="empty-trash").values_list("actor", "tag")) == [("staff", "1.0")]
    check(hand.delete("/trash/999"), 404)


def test_it_is_narrowed_and_paged_the_newest_first(hand: Hand, local: Registry) -> None:
    app, other = make.repository(local, "team/app"), make.repository(make.registry("other"), "team/other")
    for minutes in range(5):
        trash_entry(app, f"1.{minutes}", age=minutes)
    trash_entry(other, "2.0", age=9)
    tags = [item["tag"] for item in ask(hand.client, "/trash", TRASH)["items"]]
    assert tags == ["1.0", "1.1", "1.2", "1.3", "1.4", "2.0"]
    assert [item["tag"] for item in ask(hand.client, "/trash", TRASH, registry="other")["items"]] == ["2.0"]
    assert len(ask(hand.client, "/trash", TRASH, repository="team/app", registry="local")["items"]) == 5
    forward, back = walk(hand.client, "/trash", limit=4)
    assert [[item["tag"] for item in page] for page in forward] == [tags[:4], tags[4:]]
    assert back == forward[::-1]
