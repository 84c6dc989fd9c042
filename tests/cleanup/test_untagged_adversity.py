"""Deleting what nothing reaches while registries refuse, go away and change, and people change their minds."""

from __future__ import annotations

import shutil
from datetime import timedelta

from django.utils import timezone

from cleanup.models import UntaggedRun
from cleanup.untagged import services
from cleanup.untagged.running import end_abandoned
from jobs.models import Job
from tagging import services as tagging
from tagging.models import Plan, TrashEntry
from tests.catalog.picture import check_counters
from tests.cleanup.untagging import DONE, PLANNED, age, ends, finish, go_on, run
from tests.hostile import Reply
from tests.tagging.acting import Actor
from tests.tagging.gate import Gate

State = UntaggedRun.State


def several(actor: Actor, count: int = 4) -> list[str]:
    """An index with its children, which nothing reaches, in the order in which they go; and an image that stays."""
    actor.push.image("stays", seed="stays")
    children = [actor.push.image(seed=str(number)) for number in range(count - 1)]
    index = actor.push.index(children=children)
    actor.scan()
    age(actor)
    return [index, *sorted(children)]


def test_a_registry_that_goes_away_is_gone_on_with(gate: Gate, gated_actor: Actor) -> None:
    order = several(gated_actor)
    gate.refuse(after=3, method="DELETE", reply=Reply.errors(503, "UNAVAILABLE"), for_all=True)  # one is of an upload

    row, job = run(gated_actor)

    assert (job.state, row.state) == (Job.State.FAILED, State.BROKEN_OFF)
    assert "Deleted in all: 2 of 4. The rest can be gone on with." in job.message
    assert ends(row) == dict(zip(order, [DONE, DONE, PLANNED, PLANNED], strict=True))
    gate.open()

    row, job = go_on(row, gated_actor)

    assert job.message == "Deleted: 4 of 4. Left alone: 0. Failed: 0. Repositories left alone: 0."
    assert (row.state, set(ends(row).values())) == (State.DONE, {DONE})
    assert not any(map(gated_actor.gets, order))
    assert TrashEntry.objects.alive(timezone.now()).count() == 4
    assert not Plan.objects.filter(items__state__in=["planned", "begun"]).exists()
    check_counters()


def test_what_nobody_knows_of_is_found_out_whoever_does(gate: Gate, gated_actor: Actor) -> None:
    """A delete was heard and its answer lost; the plan's own recovery comes first."""
    order = several(gated_actor)
    gate.refuse(after=2, method="DELETE", reply=Reply.errors(502, "UNAVAILABLE"), for_all=True, heard=True)
    row, _ = run(gated_actor)
    assert ends(row) == dict(zip(order, [DONE, PLANNED, PLANNED, PLANNED], strict=True))
    gate.open()
    assert not gated_actor.gets(order[1])
    tagging.recover()
    for job in Job.objects.filter(kind="carry-out", state=Job.State.QUEUED):
        finish(row, job)

    row, job = go_on(row, gated_actor)

    assert job.message == "Deleted: 4 of 4. Left alone: 0. Failed: 0. Repositories left alone: 0."
    assert not any(map(gated_actor.gets, order))


def test_a_person_stops_it_and_has_it_gone_on_with(actor: Actor) -> None:
    digests = several(actor)
    row, _ = run(actor, only_plan=True)
    row, job = services.carry_on(row, actor.person)
    Job.objects.filter(pk=job.pk).update(stop_requested_at=timezone.now())

    row, job = finish(row, job)

    assert job.state == Job.State.STOPPED
    assert (row.state, row.message) == (
        State.BROKEN_OFF,
        "Stopped. Deleted: 0 of 4; the rest can be gone on with.",
    )
    assert all(map(actor.gets, digests))
    row, job = go_on(row, actor)
    assert (row.state, set(ends(row).values())) == (State.DONE, {DONE})


def test_a_folder_of_another_registry_is_not_gone_by(actor: Actor) -> None:
    digests = several(actor)
    copy = actor.real.folder / "copy"
    shutil.copytree(actor.real.storage, copy)
    actor.row.storage = str(copy)
    actor.row.save()

    row, _ = run(actor)

    assert (row.source, ends(row)) == ("catalog", {})
    assert row.source_note
    assert all(map(actor.gets, digests))


def test_a_folder_that_is_gone_by_the_time_it_is_carried_out_ends_it(actor: Actor) -> None:
    digests = several(actor)
    row, _ = run(actor, only_plan=True)
    actor.row.storage = ""
    actor.row.save()

    row, job = go_on(row, actor)

    assert job.state == Job.State.FAILED
    assert job.message.startswith("It could not be planned, and nothing was deleted: No storage folder")
    assert set(ends(row).values()) == {PLANNED}
    assert all(map(actor.gets, digests))


def test_a_registry_that_cannot_be_asked_loses_nothing(gate: Gate, gated_actor: Actor) -> None:
    several(gated_actor)
    gate.refuse(after=0, method="GET", reply=Reply.errors(503, "UNAVAILABLE"), for_all=True)

    row, job = run(gated_actor)

    assert (job.state, row.state) == (Job.State.FAILED, State.BROKEN_OFF)
    assert job.message.startswith("It could not be planned, and nothing was deleted: ")


def test_a_retired_registry_is_left_as_it_is(actor: Actor) -> None:
    several(actor)
    row, job = services.begin(actor.row, actor.person)
    actor.row.retired_at = timezone.now()
    actor.row.save()

    row, job = finish(row, job)

    assert job.state == Job.State.FAILED
    assert not row.items.exists()


def test_a_run_whose_worker_died_for_good_says_so_and_old_ones_go(actor: Actor) -> None:
    several(actor)
    row, _ = run(actor, only_plan=True)
    UntaggedRun.objects.update(state=State.UNDER_WAY)
    Job.objects.update(state=Job.State.FAILED, message="Its worker died 5 times.")

    end_abandoned()

    row.refresh_from_db()
    assert (row.state, row.message) == (State.BROKEN_OFF, "Its worker died 5 times.")
    now = timezone.now()
    services.prune(now)
    assert UntaggedRun.objects.exists()
    services.prune(now + timedelta(days=8))
    assert not UntaggedRun.objects.exists()
