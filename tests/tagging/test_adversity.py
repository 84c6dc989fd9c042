"""What a registry does not allow, or breaks off half way: nothing is half done in silence."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from catalog.models import Throwaway
from jobs import running
from jobs.models import Job
from oci.names import parse_repository
from registries.clients import client_for
from registries.models import Registry
from tagging import services
from tagging.means import Way, means_to_delete
from tagging.models import Plan
from tests.catalog.picture import check_counters
from tests.hostile import Raw, Reply
from tests.real_registry import RealRegistry
from tests.tagging.acting import Actor
from tests.tagging.gate import Gate

NAMES = [f"t{n:02}" for n in range(10)]
READ_ONLY = {"maintenance": {"readonly": {"enabled": True}}}


def restarted(actor: Actor, **switches: Any) -> RealRegistry:
    """The same registry with the same storage, started anew with other switches."""
    real = actor.real
    port = real.port
    real.__exit__()
    real._deletes = switches.get("deletes", True)
    if switches.get("read_only"):
        storage = {"filesystem": {"rootdirectory": str(real.storage)}, "delete": {"enabled": True}, **READ_ONLY}
        real._settings = {"storage": storage}
    assert real.port == port
    real.__enter__()
    return real


@pytest.mark.parametrize(
    ("switches", "words"), [({"deletes": False}, "Deletes are off"), ({"read_only": True}, "takes no writes")]
)
def test_what_is_not_allowed_is_known_before_anybody_confirms(
    actor: Actor, switches: dict[str, bool], words: str
) -> None:
    actor.push.image("1", "2")
    actor.scan()
    restarted(actor, **switches)

    with client_for(actor.row) as client:
        means = means_to_delete(actor.row, client, parse_repository("team/app"))

    assert means.way == Way.NONE
    assert words in means.problem

    plan = actor.carry_out(actor.plan_tags("1"))

    assert plan.state == Plan.State.BROKEN_OFF
    assert words in plan.message
    assert plan.message.endswith("Done: 0 of 1. The rest is as it was.")
    assert actor.outcomes(plan) == {"1": "planned"}
    assert actor.listed() == actor.live() == {"1", "2"}
    assert (actor.trash(), actor.entries(plan)) == ([], [])
    assert plan.job is not None
    assert plan.job.state == Job.State.FAILED


def test_a_registry_that_lets_us_in_no_longer_is_said_and_the_rest_is_as_it_was(gate: Gate, gated: Actor) -> None:
    gated.push.image(*NAMES)
    gated.scan()
    plan = gated.plan_tags(*NAMES)
    gate.refuse(after=4, method="PUT" if gated.overwrites else "DELETE", reply=Reply.errors(401, "UNAUTHORIZED"))

    gated.carry_out(plan)

    assert plan.state == Plan.State.BROKEN_OFF
    assert "UNAUTHORIZED" in plan.message
    assert "Done: 4 of 10. The rest is as it was." in plan.message
    assert gated.listed() == gated.live() == set(NAMES[4:])
    assert list(gated.outcomes(plan).values()) == ["done"] * 4 + ["planned"] * 6
    assert (len(gated.trash()), len(gated.entries(plan))) == (4, 4)
    gate.open()
    gated.carry_out(plan)
    assert (plan.state, gated.listed()) == (Plan.State.DONE, set())
    assert len(gated.entries(plan)) == 10


def test_deletes_that_are_switched_off_half_way_leave_no_tag_on_a_throwaway(gate: Gate, gated: Actor) -> None:
    digest = gated.push.image(*NAMES)
    gated.scan()
    plan = gated.plan_tags(*NAMES)
    gate.refuse(after=0, method="DELETE", reply=Reply.errors(405, "UNSUPPORTED"))

    gated.carry_out(plan)

    assert plan.state == Plan.State.BROKEN_OFF
    assert gated.listed() == gated.live() == set(NAMES)
    assert {gated.push_digest(name) for name in NAMES} == {digest}
    assert gated.trash() == []
    assert not Throwaway.objects.filter(closed_at=None).exists()
    assert set(gated.outcomes(plan).values()) == ({"failed"} if gated.overwrites else {"planned"})


def test_a_registry_that_goes_down_half_way_is_finished_with_when_it_is_back(gate: Gate, gated: Actor) -> None:
    gated.push.image(*NAMES, "stays")
    gated.scan()
    plan = gated.plan_tags(*NAMES)
    gate.refuse(after=4, method="PUT" if gated.overwrites else "DELETE", reply=Raw(b""), for_all=True)

    gated.carry_out(plan)

    assert plan.state == Plan.State.BROKEN_OFF
    assert "What became of" in plan.message
    assert gated.live() >= set(NAMES[5:])
    services.recover()
    assert not Job.objects.unfinished().exists()  # not again at once
    gate.open()
    Job.objects.update(finished_at=timezone.now() - timedelta(hours=2))
    services.recover()
    running.run(Job.objects.unfinished().get().pk)
    assert gated.throwaways() == 0
    assert gated.listed() == gated.live()
    assert "begun" not in gated.outcomes(plan).values()
    gated.carry_out(plan)
    assert (plan.state, gated.listed()) == (Plan.State.DONE, {"stays"})
    assert sorted(tag for _, tag, _ in gated.entries(plan)) == sorted(NAMES)
    check_counters()


def test_a_registry_that_retires_half_way_is_changed_no_more(actor: Actor) -> None:
    names = [f"t{n:02}" for n in range(60)]
    actor.push.image(*names)
    actor.scan()
    plan = actor.plan_tags(*names)
    job = services.carry_out(plan, actor.person)

    def meanwhile(execute: Callable[..., Any], sql: str, *more: Any) -> Any:
        done = execute(sql, *more)
        if sql.startswith("INSERT") and '"audit_entry"' in sql:  # of the first chunk
            Registry.objects.filter(pk=actor.row.pk).update(retired_at=timezone.now())
        return done

    with connection.execute_wrapper(meanwhile):
        running.run(job.pk)

    plan.refresh_from_db()
    assert plan.state == Plan.State.BROKEN_OFF
    assert "removed from Berth" in plan.message
    assert actor.listed() == actor.live() == set(names[50:])
    assert actor.throwaways() == 0
