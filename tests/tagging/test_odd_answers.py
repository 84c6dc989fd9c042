"""Answers that say something else than what was done: no tag is lost, and nothing is recorded that did not happen."""

from __future__ import annotations

import shutil
from datetime import timedelta

import pytest
from django.utils import timezone

from catalog.models import Throwaway
from jobs import running
from jobs.models import Job
from tagging import services
from tagging.models import Plan, ProtectionRule
from tests.catalog.picture import check_counters
from tests.hostile import Asked, Raw, Reply
from tests.real_registry import V2
from tests.tagging.acting import Actor
from tests.tagging.gate import Gate

pytestmark = pytest.mark.any_database
NAMES = [f"t{n}" for n in range(5)]
LOST = Raw(b"")
TIMED_OUT = Reply(504, b"upstream timed out", {"Content-Type": "text/plain"})
NOT_HERE = Reply(404, b"404 page not found", {"Content-Type": "text/plain"})


def recover() -> None:
    """As the beat does an hour later."""
    Job.objects.update(finished_at=timezone.now() - timedelta(hours=2))
    services.recover()
    for job in Job.objects.unfinished():
        running.run(job.pk)


def check_honest(actor: Actor, plan: Plan) -> None:
    """What the catalog, the items, the trash and the audit say is what the registry has."""
    assert actor.throwaways() == 0
    assert not Throwaway.objects.filter(closed_at=None).exists()
    assert actor.listed() == actor.live()
    gone = sorted(set(NAMES) - actor.listed())
    assert sorted(tag for tag, state in actor.outcomes(plan).items() if state == "done") == gone
    assert "begun" not in actor.outcomes(plan).values()
    assert sorted(entry.tag for entry in actor.trash()) == gone
    assert sorted(tag for _, tag, outcome in actor.entries(plan) if outcome == "done") == gone
    check_counters()


@pytest.mark.parametrize("heard", [True, False])
@pytest.mark.parametrize("after", [0, 2])
@pytest.mark.parametrize("reply", [LOST, TIMED_OUT])
def test_a_write_whose_answer_was_lost_may_have_been_heard(
    gate: Gate, gated: Actor, reply: Reply | Raw, after: int, heard: bool
) -> None:
    gated.push.image(*NAMES)
    gated.scan()
    plan = gated.plan_tags(*NAMES)
    method = "PUT" if gated.overwrites else "DELETE"
    gate.refuse(after=after, method=method, reply=reply, heard=heard, times=3 if method == "PUT" else 1)

    gated.carry_out(plan)
    assert plan.state == Plan.State.BROKEN_OFF
    gate.open()
    recover()

    check_honest(gated, plan)
    gated.carry_out(plan)
    assert (plan.state, gated.listed()) == (Plan.State.DONE, set())
    check_honest(gated, plan)


def test_a_busy_registry_that_had_heard_leaves_no_throwaway(gate: Gate, gated: Actor) -> None:
    gated.push.image(*NAMES)
    gated.scan()
    plan = gated.plan_tags(*NAMES)
    method = "PUT" if gated.overwrites else "DELETE"
    gate.refuse(after=0, method=method, reply=Reply.errors(429, "TOOMANYREQUESTS"), heard=True, times=3)

    gated.carry_out(plan)
    gate.open()
    recover()

    check_honest(gated, plan)


@pytest.mark.parametrize("by_digest", [False, True])
def test_a_plain_404_says_nothing_of_a_tag(gate: Gate, gated: Actor, by_digest: bool) -> None:
    digest = gated.push.image(*NAMES)
    gated.scan()
    plan = gated.plan_images(digest) if by_digest else gated.plan_tags("t0")
    newer = gated.push.image("t0", seed="newer")
    gate.refuse(after=0, method="GET", reply=NOT_HERE)

    gated.carry_out(plan)

    assert plan.state == Plan.State.BROKEN_OFF
    assert gated.listed() == set(NAMES)
    assert gated.push_digest("t0") == newer
    assert set(gated.outcomes(plan).values()) == {"planned"}
    assert (gated.trash(), gated.entries(plan)) == ([], [])


@pytest.mark.parametrize("heard", [True, False])
@pytest.mark.parametrize("reply", [LOST, TIMED_OUT])
def test_a_manifest_whose_delete_lost_its_answer_is_found_out(
    gate: Gate, gated: Actor, reply: Reply | Raw, heard: bool
) -> None:
    digest = gated.push.image("t0")
    gated.push.image("stays", seed="other")
    gated.scan()
    plan = gated.plan_images(digest)
    gate.refuse(after=1, method="DELETE", reply=reply, heard=heard, times=1)

    gated.carry_out(plan)
    assert plan.state == Plan.State.BROKEN_OFF
    gate.open()
    recover()

    assert gated.gets(digest) is not heard
    states = gated.outcomes(plan)
    assert states == {"t0": "done", digest: "done" if heard else "planned"}
    assert ("delete-manifest", "", "done") in gated.entries(plan) or not heard
    gated.carry_out(plan)
    assert (plan.state, gated.gets(digest)) == (Plan.State.DONE, False)


def test_a_plain_404_does_not_end_a_manifest_that_was_begun(gate: Gate, gated: Actor) -> None:
    digest = gated.push.image("t0")
    gated.scan()
    plan = gated.plan_images(digest)
    gate.refuse(after=1, method="DELETE", reply=LOST, times=1)
    gated.carry_out(plan)
    gate.refuse(after=0, method="HEAD", reply=NOT_HERE)

    recover()

    assert gated.gets(digest)
    assert gated.outcomes(plan)[digest] == "planned"


@pytest.mark.parametrize("own_registry", [V2], indirect=True)
@pytest.mark.parametrize("status", [200, 202])
def test_a_delete_that_was_not_done_leaves_no_tag_on_a_throwaway(gate: Gate, gated: Actor, status: int) -> None:
    digest = gated.push.image(*NAMES)
    gated.scan()
    plan = gated.plan_tags(*NAMES[:2])
    gate.refuse(after=0, method="DELETE", reply=Reply(status))

    gated.carry_out(plan)

    assert plan.state == Plan.State.BROKEN_OFF
    assert {gated.push_digest(name) for name in NAMES} == {digest}
    assert set(gated.outcomes(plan).values()) == {"failed"}
    check_honest(gated, plan)


def test_a_list_that_is_empty_for_a_moment_costs_no_tag(gate: Gate, gated: Actor) -> None:
    digest = gated.push.image("kept", "t0")
    gated.scan()
    ProtectionRule.objects.create(tags="kept")
    plan = gated.plan_images(digest)
    gate.answer("/tags/list", Reply.json({"name": gated.name, "tags": None}))

    gated.carry_out(plan)

    assert gated.outcomes(plan) == {"kept": "skipped", "t0": "done", digest: "skipped"}
    assert gated.listed() == {"kept"}


@pytest.mark.parametrize("own_registry", [V2], indirect=True)
@pytest.mark.parametrize("reply", [LOST, Reply.errors(500, "UNKNOWN"), Reply.errors(404, "MANIFEST_UNKNOWN")])
def test_a_delete_that_took_the_throwaway_alone_is_done_again(gate: Gate, gated: Actor, reply: Reply | Raw) -> None:
    gated.push.image(*NAMES)
    gated.scan()
    plan = gated.plan_tags(*NAMES[:3])

    def half(asked: Asked) -> None:
        digest = asked.target.rpartition(":")[2]
        manifests = gated.real.storage / f"docker/registry/v2/repositories/{gated.name}/_manifests"
        shutil.rmtree(manifests / "revisions/sha256" / digest)

    gate.refuse(after=0, method="DELETE", reply=reply, heard=half, times=1)

    gated.carry_out(plan)

    assert plan.state == Plan.State.DONE
    assert gated.listed() == set(NAMES[3:])
    check_honest(gated, plan)


def test_what_was_begun_stays_begun_while_nobody_answers(gate: Gate, gated: Actor) -> None:
    gated.push.image(*NAMES)
    gated.scan()
    plan = gated.plan_tags(*NAMES)
    gate.refuse(after=2, method="PUT" if gated.overwrites else "DELETE", reply=LOST, for_all=True)
    gated.carry_out(plan)
    begun = {tag for tag, state in gated.outcomes(plan).items() if state == "begun"}

    gate.refuse(after=0, method="GET", reply=LOST, for_all=True)
    recover()

    assert begun
    assert {tag for tag, state in gated.outcomes(plan).items() if state == "begun"} == begun
    gate.open()
    recover()
    check_honest(gated, plan)


@pytest.mark.parametrize("own_registry", [V2], indirect=True)
@pytest.mark.parametrize("status", [401, 403, 405])
def test_an_overwrite_that_was_heard_and_then_refused_is_found_out(gate: Gate, gated: Actor, status: int) -> None:
    gated.push.image(*NAMES)
    gated.scan()
    plan = gated.plan_tags(*NAMES)
    refusal = Reply.errors(status, "DENIED")

    gate.refuse(after=2, method="PUT", reply=LOST, heard=True, times=1, then=refusal)
    gated.carry_out(plan)

    assert plan.state == Plan.State.BROKEN_OFF
    gate.open()
    recover()
    check_honest(gated, plan)


def test_a_restore_that_was_heard_and_then_refused_is_found_out(gate: Gate, gated: Actor) -> None:
    digest = gated.push.image("t0", "t1")
    gated.scan()
    gated.carry_out(gated.plan_tags("t0"))
    plan = gated.plan_restore(*gated.trash())
    gate.refuse(after=0, method="PUT", reply=LOST, heard=True, times=1, then=Reply.errors(403, "DENIED"))

    gated.carry_out(plan)

    assert gated.outcomes(plan) == {"t0": "begun"}
    gate.open()
    recover()
    assert gated.outcomes(plan) == {"t0": "done"}
    assert gated.push_digest("t0") == digest
    assert gated.trash() == []
    assert gated.live() == {"t0", "t1"}


def test_a_tag_that_is_there_after_its_delete_was_confirmed_is_no_deleted_one(gate: Gate, gated: Actor) -> None:
    digest = gated.push.image(*NAMES)
    gated.scan()
    plan = gated.plan_tags("t0", "t1")
    back = Actor(gated.real, gated.row, gated.person).push

    gate.meanwhile("DELETE", lambda: back.image("t0"), after=1)  # the first asks for the right to
    gated.carry_out(plan)

    assert gated.outcomes(plan)["t0"] == "failed"
    assert gated.notes(plan) == {"the registry said that it deleted it, and has it still or again, with the same image"}
    assert gated.push_digest("t0") == digest
    assert gated.live() == gated.listed()
    assert [entry.tag for entry in gated.trash()] == ["t1"] * ("t1" not in gated.listed())
    told = [(tag, outcome) for _, tag, outcome in gated.entries(plan) if tag == "t0"]
    assert told == [("t0", "done"), ("t0", "failed")]
    check_counters()


def test_a_look_back_that_fails_takes_nothing_back(gate: Gate, gated: Actor) -> None:
    gated.push.image(*NAMES)
    gated.scan()
    plan = gated.plan_tags("t0", "t1")
    gate.answer("/tags/list", Reply.errors(500, "UNKNOWN"))

    gated.carry_out(plan)

    assert plan.state == Plan.State.DONE
    assert gated.outcomes(plan) == {"t0": "done", "t1": "done"}


def test_a_manifest_that_is_there_after_its_delete_was_confirmed_is_not_done(gate: Gate, gated: Actor) -> None:
    digest = gated.push.image("t0")
    gated.push.image("stays", seed="other")
    gated.scan()
    plan = gated.plan_images(digest)
    gate.refuse(after=1, method="DELETE", reply=Reply(202), times=1)

    gated.carry_out(plan)

    assert plan.state == Plan.State.BROKEN_OFF
    assert f"the registry says that it deleted {digest} and still has it".casefold() in plan.message.casefold()
    gate.open()
    recover()
    assert gated.outcomes(plan) == {"t0": "done", digest: "planned"}
    gated.carry_out(plan)
    assert (plan.state, gated.gets(digest)) == (Plan.State.DONE, False)


def test_the_rest_of_a_plan_that_is_being_finished_is_done_too_when_somebody_says_so(gate: Gate, gated: Actor) -> None:
    gated.push.image(*NAMES)
    gated.scan()
    plan = gated.plan_tags(*NAMES)
    gate.refuse(after=0, method="PUT" if gated.overwrites else "DELETE", reply=LOST, times=3, for_all=True)
    gated.carry_out(plan)
    gate.open()
    Job.objects.update(finished_at=timezone.now() - timedelta(hours=2))
    services.recover()

    job = services.carry_out(plan, gated.person)
    assert Job.objects.unfinished().get() == job
    running.run(job.pk)

    assert set(gated.outcomes(plan).values()) == {"done"}
    assert gated.listed() == set()
    check_honest(gated, plan)
