"""Cleanup that is due by the clock: once each time, within its hours, and never beside a run that is under way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from audit.models import Entry
from cleanup import timetables
from cleanup.classic import services as classic
from cleanup.models import ClassicRun, Timetable, UntaggedRun
from cleanup.models.timetables import written
from cleanup.untagged import services as untagged
from jobs.models import Job
from jobs.schedule import InvalidSchedule, Schedule, When
from registries.models import Registry
from tagging.permission import NotPermitted
from tests.web import furniture as make

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]
Work = Timetable.Work
HOURLY = Schedule(When.EVERY, every=60)
WAY = """
[[registry]]
address = "https://local.example.org"
read-only-on = [["true"]]
garbage-collect = ["registry", "garbage-collect", "/config.yml"]
read-only-off = [["true"]]
"""


@pytest.fixture
def local() -> Registry:
    return make.registry(url="https://local.example.org")


@pytest.fixture
def way(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "commands.toml"
    path.write_text(WAY)
    path.chmod(0o600)
    settings.CLEANUP_COMMANDS = (path,)


def due(registry: Registry, work: Timetable.Work = Work.UNTAGGED, **more: Any) -> Timetable:
    now = timezone.now() - timedelta(minutes=1)
    return Timetable.objects.create(
        registry=registry, work=work, **{"schedule": written(HOURLY), "next_at": now, **more}
    )


def test_what_is_due_begins_once(local: Registry) -> None:
    row = due(local, grace_hours=72)
    due(make.registry("gone", retired_at=timezone.now()))
    due(make.registry("later"), next_at=timezone.now() + timedelta(hours=1))

    timetables.queue_due(timezone.now())
    timetables.queue_due(timezone.now())

    run = UntaggedRun.objects.get()
    assert (run.registry, run.grace_hours, run.actor) == (local, 72, "")
    assert run.job is not None
    assert "only_plan" not in run.job.params
    row.refresh_from_db()
    assert row.next_at is not None
    assert row.next_at > timezone.now() + timedelta(minutes=59)


def test_a_grace_time_that_nobody_set_is_the_usual_one(local: Registry) -> None:
    due(local)
    timetables.queue_due(timezone.now())
    assert UntaggedRun.objects.get().grace_hours == untagged.GRACE


def test_what_is_due_while_a_run_is_under_way_stays_due(local: Registry) -> None:
    untagged.begin(local, only_plan=True)
    row = due(local)
    timetables.queue_due(timezone.now())
    before, count = row.next_at, UntaggedRun.objects.count()
    row.refresh_from_db()
    assert (row.next_at, count) == (before, 1)
    Job.objects.update(state=Job.State.DONE)
    timetables.queue_due(timezone.now())
    assert UntaggedRun.objects.count() == 2


def test_what_could_not_begin_within_its_hours_waits_for_the_next(local: Registry) -> None:
    noon = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
    nightly = Schedule(When.CRON, cron="0 2 * * *", window="01:00-05:00")
    row = due(local, schedule=written(nightly), next_at=noon - timedelta(hours=10))
    timetables.queue_due(noon)
    row.refresh_from_db()
    assert row.next_at == datetime(2026, 11, 29, 1, 0, tzinfo=UTC)
    assert not UntaggedRun.objects.exists()
    timetables.queue_due(datetime(2026, 11, 29, 1, 0, tzinfo=UTC))
    assert UntaggedRun.objects.count() == 1


@pytest.mark.usefixtures("way")
def test_a_garbage_collection_that_asks_since_the_last_time_has_had_its_time(local: Registry) -> None:
    asks, job = classic.begin(local)
    Job.objects.update(state=Job.State.ASKING)
    due(local, Work.COLLECT)

    timetables.queue_due(timezone.now())

    job.refresh_from_db()
    assert job.state == Job.State.STOPPED
    begun = ClassicRun.objects.newest_first()[0]
    assert (begun.pk > asks.pk, begun.actor, begun.only_plan) == (True, "", False)


def test_a_garbage_collection_that_has_no_commands_any_more_begins_nothing(local: Registry) -> None:
    row = due(local, Work.COLLECT)
    timetables.queue_due(timezone.now())
    row.refresh_from_db()
    assert row.next_at is not None
    assert row.next_at > timezone.now()
    assert not ClassicRun.objects.exists()


@pytest.mark.parametrize("said", [{}, {"when": "often"}, {"when": "every", "every": 1}, {"when": "cron", "moon": 1}])
def test_a_schedule_that_cannot_be_read_is_not_due_any_more(local: Registry, said: dict[str, Any]) -> None:
    row = due(local, schedule=said)
    timetables.queue_due(timezone.now())
    row.refresh_from_db()
    assert row.next_at is None
    assert not UntaggedRun.objects.exists()
    assert row.kept() == Schedule()


def test_staff_say_when_it_is_due(local: Registry) -> None:
    mara = make.person(staff=True)
    timetables.save(local, Work.UNTAGGED, HOURLY, mara, grace_hours=10**9)
    row = Timetable.objects.get()
    assert (row.read(), row.grace_hours, row.set_by) == (HOURLY, untagged.MOST_GRACE, "mara")
    timetables.save(local, Work.UNTAGGED, Schedule(), mara)
    assert Timetable.objects.get().next_at is None
    told = Entry.objects.filter(act=Entry.Act.TIMETABLE).order_by("pk").values_list("detail", "registry")
    assert list(told) == [("untagged every 60 min", "local"), ("untagged by-hand", "local")]


def test_nobody_else_does(local: Registry) -> None:
    with pytest.raises(NotPermitted):
        timetables.save(local, Work.UNTAGGED, HOURLY, make.person())
    with pytest.raises(InvalidSchedule):
        timetables.save(local, Work.COLLECT, Schedule(When.EVENT), make.person("staff", staff=True))
    assert not Timetable.objects.exists()


def test_garbage_collections_are_forgotten_after_half_a_year_but_none_that_is_not_over(local: Registry) -> None:
    now = timezone.now()
    old = {"registry": local, "created_at": now - timedelta(days=190)}
    ClassicRun.objects.create(state=ClassicRun.State.DONE, **old)
    closed = ClassicRun.objects.create(state=ClassicRun.State.STUCK, closed_at=now - timedelta(days=190), **old)
    moving = ClassicRun.objects.create(job=make.job(local, kind="garbage-collect"), **old)
    young = ClassicRun.objects.create(registry=local, state=ClassicRun.State.DONE)
    classic.prune(now)
    assert set(ClassicRun.objects.all()) == {closed, moving, young}
