"""Policies that are due by the clock: those of a registry together, none lost, and no question in the way for ever."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from cleanup.models import Policy, RetentionRun, RunRepository, RunTag
from cleanup.retention import pruning, services
from cleanup.retention.running import KIND, end_abandoned
from jobs import services as jobs
from jobs.models import Job
from registries.models import Registry
from tests.cleanup.retention.furniture import DAY, job_of, policy
from tests.web import furniture as make

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]
HOURLY = {"when": "every", "every": 60}


@pytest.fixture
def local() -> Registry:
    return make.registry()


def due(registry: Registry, name: str, **more: Any) -> Policy:
    return policy(registry, name, schedule=HOURLY, **{"next_at": timezone.now() - DAY, **more})


def test_those_of_a_registry_that_are_due_are_one_run(local: Registry) -> None:
    first, second = due(local, "first"), due(local, "second", position=2)
    due(local, "off", is_on=False)
    due(local, "later", next_at=timezone.now() + DAY)
    due(make.registry("gone", retired_at=timezone.now()), "retired")

    services.queue_due(timezone.now())
    services.queue_due(timezone.now())

    run = RetentionRun.objects.get()
    assert (run.policies, run.actor, job_of(run).state) == ([first.pk, second.pk], "", Job.State.QUEUED)
    first.refresh_from_db()
    assert first.next_at is not None
    assert first.next_at > timezone.now() + timedelta(minutes=59)


def test_what_is_due_while_a_run_is_under_way_stays_due(local: Registry) -> None:
    services.begin(local, make.person("mara", staff=True))
    row = due(local, "first")

    services.queue_due(timezone.now())

    assert RetentionRun.objects.count() == 1
    before = row.next_at
    row.refresh_from_db()
    assert row.next_at == before


def test_a_question_that_nobody_answered_is_asked_anew_by_the_next_run(local: Registry) -> None:
    run, job = services.begin(local)
    RetentionRun.objects.update(state=RetentionRun.State.ASKING)
    Job.objects.update(state=Job.State.ASKING)
    place = RunRepository.objects.create(
        run=run, repository=make.repository(local), name="team/app", policy="x", needs_yes=True, doomed=1
    )
    RunTag.objects.create(run=run, place=place, tag="1.0", digest="d")
    due(local, "first")

    services.queue_due(timezone.now())

    run.refresh_from_db()
    job.refresh_from_db()
    assert (run.state, job.state) == (RetentionRun.State.DONE, Job.State.STOPPED)
    assert run.tags.get().note == "nobody agreed to delete so many"
    assert RetentionRun.objects.newest_first()[0].state == RetentionRun.State.NEW


def test_a_policy_that_cannot_be_read_is_not_due_again_and_begins_nothing(local: Registry) -> None:
    row = due(local, "odd")
    Policy.objects.update(terms={"repositories": ["*"], "keep": 1})

    services.queue_due(timezone.now())

    row.refresh_from_db()
    assert (row.next_at, RetentionRun.objects.count()) == (None, 0)


def test_a_run_whose_worker_died_for_good_has_ended(local: Registry) -> None:
    run, job = services.begin(local)
    Job.objects.update(state=Job.State.FAILED, message="Its worker died.")

    end_abandoned()

    run.refresh_from_db()
    assert (run.state, run.message) == (RetentionRun.State.BROKEN_OFF, "Its worker died.")
    again, is_new = jobs.again(job)
    assert (again.kind, is_new, services.begin(local)[0]) == (KIND, True, run)


def test_plans_that_nobody_carried_out_go_after_a_week_and_runs_after_half_a_year(local: Registry) -> None:
    now = timezone.now()
    kept = [RetentionRun.objects.create(registry=local, state=RetentionRun.State.DONE, created_at=now - 170 * DAY)]
    kept.append(RetentionRun.objects.create(registry=local, state=RetentionRun.State.PLANNED, created_at=now - 6 * DAY))
    RetentionRun.objects.create(registry=local, state=RetentionRun.State.DONE, created_at=now - 190 * DAY)
    RetentionRun.objects.create(registry=local, state=RetentionRun.State.PLANNED, created_at=now - 8 * DAY)

    pruning.prune(now)

    assert set(RetentionRun.objects.all()) == set(kept)


def test_why_tags_stayed_is_kept_of_the_last_run_alone(local: Registry) -> None:
    app, other = make.repository(local), make.repository(local, "team/other")
    for _ in range(2):
        run = RetentionRun.objects.create(registry=local, state=RetentionRun.State.DONE)
        said = {"run": run, "policy": "all", "kept_tags": b"x", "state": RunRepository.State.DONE}
        RunRepository.objects.create(repository=app, name="team/app", doomed=1, **said)
        RunRepository.objects.create(repository=other, name="team/other", **said)

    pruning.prune(timezone.now())

    rows = RunRepository.objects.order_by("pk").values_list("run", "name", "kept_tags")
    first, last = RetentionRun.objects.order_by("pk")
    assert [(pk, name, bytes(kept)) for pk, name, kept in rows] == [
        (first.pk, "team/app", b""),
        (last.pk, "team/app", b"x"),
        (last.pk, "team/other", b"x"),
    ]
