from __future__ import annotations

from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

from audit.models import Entry
from registries.models import Registry
from tagging.models import Plan, TrashEntry
from tagging.planning import Asked, NotPlanned, plan_removal
from tests.tagging.acting import Actor
from tests.tagging.gate import Gate


def emptied(actor: Actor) -> None:
    """A repository of which only the name is left, and one below it that is none of its business."""
    actor.row.storage = str(actor.real.storage)
    actor.row.save()
    actor.push.image("1", "2")
    Actor(actor.real, actor.row, actor.person, "team/app/below").push.image("1", seed="below")
    actor.scan()
    actor.carry_out(actor.plan_repository())


def plan_to_remove(actor: Actor) -> Plan:
    return plan_removal(actor.repository, Asked(actor.person))


def folder(actor: Actor) -> Path:
    return actor.real.storage / "docker/registry/v2/repositories/team/app"


def restart(actor: Actor) -> None:
    actor.real.__exit__()
    actor.real.__enter__()


def test_an_empty_name_is_removed_for_good(actor: Actor) -> None:
    emptied(actor)
    before = actor.push.fetch("1") if actor.listed() else b""
    assert before == b""

    plan = actor.carry_out(plan_to_remove(actor))

    assert plan.state == Plan.State.DONE, plan.message
    assert [path.name for path in folder(actor).iterdir()] == ["below"]
    assert Actor(actor.real, actor.row, actor.person, "team/app/below").pulls("1")
    assert actor.repository.gone_at is not None
    assert Entry.objects.filter(act="remove-repository").get().repository == "team/app"
    assert actor.trash() != []
    with pytest.raises(NotPlanned):
        actor.plan_restore(*actor.trash())
    actor.scan()
    assert actor.repository.gone_at is not None


def test_what_is_pushed_to_it_afterwards_is_whole_after_a_restart_too(actor: Actor) -> None:
    emptied(actor)
    actor.carry_out(plan_to_remove(actor))

    actor.push.image("1", "2")
    restart(actor)

    assert actor.pulls("1")
    actor.scan()
    assert actor.live() == {"1", "2"}
    assert actor.repository.gone_at is None


def test_one_that_has_tags_again_stays(actor: Actor) -> None:
    emptied(actor)
    plan = plan_to_remove(actor)
    actor.push.image("again")

    actor.carry_out(plan)

    assert actor.outcomes(plan) == {"": "skipped"}
    assert actor.pulls("again")


def test_one_that_somebody_pushes_to_stays(actor: Actor) -> None:
    emptied(actor)
    actor.push._send("POST", "/v2/team/app/blobs/uploads/")

    plan = actor.carry_out(plan_to_remove(actor))

    assert plan.state == Plan.State.BROKEN_OFF
    assert "Somebody is pushing to it" in plan.message
    assert folder(actor).is_dir()


def test_a_folder_that_is_not_the_registry_s_own_is_left_alone(actor: Actor, tmp_path: Path) -> None:
    emptied(actor)
    other = tmp_path / "other"
    (other / "docker/registry/v2/repositories/team/app/_layers").mkdir(parents=True)
    (other / "docker/registry/v2/repositories/team/app/_manifests/tags").mkdir(parents=True)
    actor.row.storage = str(other)
    actor.row.save()

    plan = actor.carry_out(plan_to_remove(actor))

    assert plan.state == Plan.State.BROKEN_OFF
    assert (other / "docker/registry/v2/repositories/team/app/_layers").is_dir()


def test_it_is_planned_only_where_it_can_be_done(actor: Actor) -> None:
    actor.push.image("1")
    actor.scan()
    with pytest.raises(NotPlanned, match="storage folder is not named"):
        plan_to_remove(actor)
    actor.row.storage = str(actor.real.storage)
    actor.row.save()
    with pytest.raises(NotPlanned, match="Only an empty repository"):
        plan_to_remove(actor)


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite lets only one write at a time")
@pytest.mark.django_db(transaction=True)
def test_what_was_thrown_away_of_it_is_given_up_though_its_registry_retires(gate: Gate, gated: Actor) -> None:
    emptied(gated)
    plan = plan_to_remove(gated)

    gate.meanwhile("GET", lambda: retire_apart(gated), after=2)  # once its folder is gone
    gated.carry_out(plan)

    assert gated.outcomes(plan) == {"": "done"}
    assert not TrashEntry.objects.alive(timezone.now()).exists()


def retire_apart(actor: Actor) -> None:
    try:
        Registry.objects.filter(pk=actor.row.pk).update(retired_at=timezone.now())
    finally:
        connection.close()
