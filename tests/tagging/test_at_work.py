"""Plans for the same tag or image of which one has begun, and the other comes: nobody gets between the two."""

from __future__ import annotations

import pytest
from django.db import connection

from tagging.models import Plan
from tests.real_registry import V2
from tests.tagging.acting import Actor
from tests.tagging.gate import Gate
from tests.tagging.test_copying import plan_copy
from tests.tagging.test_odd_answers import LOST, recover

pytestmark = pytest.mark.parametrize("own_registry", [V2], indirect=True)

AT_WORK = "another plan is at work on it: try again when that is over"


def begin(gate: Gate, actor: Actor, plan: Plan, method: str, after: int = 0) -> None:
    """As far as to what the registry never hears of."""
    gate.refuse(after=after, method=method, reply=LOST)
    actor.carry_out(plan)
    assert "begun" in actor.outcomes(plan).values()
    gate.open()


def test_an_image_that_is_just_being_tagged_stays(gate: Gate, gated: Actor) -> None:
    digest = gated.push.image("1")
    gated.push.image("stays", seed="other")
    gated.scan()
    copy, deletion = plan_copy(gated, digest, "new"), gated.plan_images(digest)
    begin(gate, gated, copy, "PUT")

    gated.carry_out(deletion)
    recover()

    assert gated.outcomes(deletion) == {"1": "done", digest: "skipped"}
    assert gated.notes(deletion) == {"the tag new points to it, so it stays"}
    assert gated.outcomes(copy) == {"new": "done"}
    assert gated.listed() == gated.live() == {"new", "stays"}


def test_an_image_that_is_just_being_deleted_is_not_tagged(gate: Gate, gated: Actor) -> None:
    digest = gated.push.image("1")
    gated.push.image("stays", seed="other")
    gated.scan()
    copy, deletion = plan_copy(gated, digest, "new"), gated.plan_images(digest)
    begin(gate, gated, deletion, "DELETE", after=1)

    gated.carry_out(copy)

    assert (gated.outcomes(copy), gated.notes(copy)) == ({"new": "failed"}, {AT_WORK})
    assert gated.listed() == gated.live() == {"stays"}


@pytest.mark.parametrize("deletes_first", [True, False])
def test_a_tag_is_not_deleted_and_moved_at_once(gate: Gate, gated: Actor, deletes_first: bool) -> None:
    gated.push.image("1")
    other = gated.push.image("2", seed="2")
    gated.scan()
    move, deletion = plan_copy(gated, other, "1"), gated.plan_tags("1")
    first, second = (deletion, move) if deletes_first else (move, deletion)
    begin(gate, gated, first, "PUT")

    gated.carry_out(second)
    recover()

    assert gated.notes(second) == {AT_WORK}
    assert gated.outcomes(first) == {"1": "done"}
    assert gated.listed() == gated.live() == ({"2"} if deletes_first else {"1", "2"})


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite lets only one write at a time")
@pytest.mark.django_db(transaction=True)
def test_an_image_that_was_tagged_since_all_tags_were_read_stays(gate: Gate, gated: Actor) -> None:
    digest = gated.push.image("1")
    gated.push.image("stays", seed="other")
    gated.scan()
    copy, deletion = plan_copy(gated, digest, "new"), gated.plan_images(digest)

    gate.meanwhile("GET", lambda: carry_out_apart(gated, copy), after=3)  # once the tag that stays has been read
    gated.carry_out(deletion)

    assert gated.outcomes(copy) == {"new": "done"}
    assert gated.outcomes(deletion) == {"1": "done", digest: "skipped"}
    assert gated.listed() == gated.live() == {"new", "stays"}


def carry_out_apart(actor: Actor, plan: Plan) -> None:
    try:
        actor.carry_out(plan)
    finally:
        connection.close()
