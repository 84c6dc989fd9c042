"""Tags that somebody began to put, and whose answers were lost: found out later, and recorded as what they came to."""

from __future__ import annotations

import json
import urllib.request

import pytest

from tagging.models import Plan, TrashEntry
from tests.hostile import Reply
from tests.pushing import Pusher
from tests.real_registry import V2
from tests.tagging.acting import Actor
from tests.tagging.gate import Gate
from tests.tagging.test_copying import plan_copy
from tests.tagging.test_odd_answers import LOST, NOT_HERE, recover

pytestmark = pytest.mark.parametrize("own_registry", [V2], indirect=True)


def carry_out_unheard(gate: Gate, actor: Actor, plan: Plan, tag: str) -> None:
    """The registry puts the tag, and nobody hears of it."""
    gate.refuse(after=0, method="PUT", reply=LOST, heard=True, times=3)
    actor.carry_out(plan)
    assert actor.outcomes(plan) == {tag: "begun"}
    gate.open()


def test_a_copy_whose_source_went_since_is_done_all_the_same(gate: Gate, gated: Actor) -> None:
    digest = gated.push.image("1")
    Pusher(gated.real.url, "team/prod").image("live", seed="old")
    gated.scan()
    plan = plan_copy(gated, digest, "live", "team/prod")
    carry_out_unheard(gate, gated, plan, "live")

    gated.delete_from_outside(digest)
    recover()

    assert gated.outcomes(plan) == {"live": "done"}, gated.notes(plan)
    assert [entry.tag for entry in gated.trash()] == ["live"]


@pytest.mark.parametrize("reply", [NOT_HERE, Reply.errors(403, "DENIED")])
def test_a_retag_is_not_failed_while_nobody_may_look(gate: Gate, gated: Actor, reply: Reply) -> None:
    old, new = gated.push.image("latest"), gated.push.image("2", seed="2")
    gated.scan()
    plan = plan_copy(gated, new, "latest")
    carry_out_unheard(gate, gated, plan, "latest")

    gate.refuse(after=0, method="GET", reply=reply)
    recover()
    assert gated.outcomes(plan) == {"latest": "begun"}
    gate.open()
    recover()

    assert gated.outcomes(plan) == {"latest": "done"}
    assert [entry.digest for entry in gated.trash()] == [old]


@pytest.mark.parametrize("reply", [NOT_HERE, Reply.errors(403, "DENIED")])
def test_a_restore_is_not_failed_while_nobody_may_look(gate: Gate, gated: Actor, reply: Reply) -> None:
    gated.push.image("1", "2")
    gated.scan()
    gated.carry_out(gated.plan_tags("1"))
    plan = gated.plan_restore(*gated.trash())
    carry_out_unheard(gate, gated, plan, "1")

    gate.refuse(after=0, method="GET", reply=reply)
    recover()
    assert gated.outcomes(plan) == {"1": "begun"}
    gate.open()
    recover()

    assert gated.outcomes(plan) == {"1": "done"}
    assert gated.trash() == []


def test_blobs_are_not_gone_while_nobody_answers(gate: Gate, gated: Actor) -> None:
    elsewhere = Actor(gated.real, gated.row, gated.person, "team/other")
    digest = gated.push.image("1", seed="same")
    elsewhere.push.image("1", seed="same")
    gated.scan()
    gated.carry_out(gated.plan_images(digest))
    manifest = json.loads(elsewhere.push.fetch("1"))
    for blob in (manifest["config"], *manifest["layers"]):
        path = f"{gated.real.url}/v2/{gated.name}/blobs/{blob['digest']}"
        urllib.request.urlopen(urllib.request.Request(path, method="DELETE"), timeout=10).close()
    (entry,) = gated.trash()
    plan = gated.plan_restore(entry)

    gate.refuse(after=0, method="POST", reply=LOST)
    gated.carry_out(plan)
    entry.refresh_from_db()
    assert (plan.state, entry.state) == (Plan.State.BROKEN_OFF, TrashEntry.State.RESTORABLE)
    gate.open()
    gated.carry_out(plan)

    assert gated.outcomes(plan) == {"1": "done"}, gated.notes(plan)
