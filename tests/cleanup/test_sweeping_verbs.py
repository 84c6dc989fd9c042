"""What else a sweep can be asked for: deleting now, putting back while sweeps are stopped, old uploads, a schedule."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from audit.models import Entry
from cleanup.halting import halt
from cleanup.models import Check, Sweep, SweepTerms, SweptBlob, SweptUpload
from cleanup.sweeping import services
from cleanup.sweeping.services import Times
from jobs.models import Job
from jobs.running import JobFailed
from tagging.permission import NotPermitted
from tests.cleanup.ground import AT_ONCE, SweptRegistry
from tests.real_registry import RealRegistry
from tests.web import furniture as make

pytestmark = [pytest.mark.django_db(databases="__all__", transaction=True), pytest.mark.any_database]

HELD = Times(grace_seconds=3600, settle_seconds=0, hold_seconds=3600)
DAY = 86_400
OLD, YOUNG, BUSY = (f"0000000{n}-0000-4000-8000-000000000000" for n in (1, 2, 3))
NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)


@pytest.fixture
def registry(tmp_path: Path, transactional_db: None) -> Iterator[SweptRegistry]:
    with RealRegistry(tmp_path / "registry") as real:
        swept = SweptRegistry(real)
        app = swept.push()
        app.image("kept", seed="kept")
        swept.delete("team/app", app.image(seed="old", layers=[b"old"]))
        swept.age()
        yield swept


def upload(of: SweptRegistry, uuid: str, *, days: float, touched: float) -> Path:
    """`days` since it was begun, `touched` since it was last written to."""
    began = time.gmtime(time.time() - days * DAY)
    of.layout.upload("team/app", uuid, b"half", time.strftime("%Y-%m-%dT%H:%M:%SZ", began))
    folder = of.layout.repository("team/app") / "_uploads" / uuid
    then = time.time() - touched * DAY
    for path in (*folder.iterdir(), folder):
        os.utime(path, (then, then))
    return folder


def test_what_lies_aside_is_deleted_at_once_when_somebody_says_so(registry: SweptRegistry) -> None:
    sweep, _ = registry.sweep(HELD)
    assert len(registry.aside) == 2
    sweep, job = registry.carry(sweep, services.delete_now(sweep, make.person("mara", staff=True), here=True))
    assert job.state == Job.State.DONE, job.message
    assert sweep.state == Sweep.State.DONE
    assert registry.aside == set()
    assert set(sweep.blobs.values_list("state", flat=True)) == {SweptBlob.State.DELETED}
    entries = list(Entry.objects.filter(act=Entry.Act.SWEEP).order_by("pk").values_list("actor", "why"))
    assert [actor for actor, _ in entries] == ["", "mara"]
    assert entries[1][1] == job.message


def test_a_check_follows_while_all_can_be_put_back_and_at_the_end(registry: SweptRegistry) -> None:
    sweep, held = registry.sweep(HELD)
    assert [check.after_job for check in Check.objects.all()] == [held.pk]
    Check.objects.all().delete()
    registry.make_due(sweep)
    assert Check.objects.get().sample == 3


def test_what_found_nothing_needs_no_check(registry: SweptRegistry) -> None:
    registry.sweep()
    Check.objects.all().delete()
    entries = Entry.objects.count()
    registry.sweep()
    assert not Check.objects.exists()
    assert Entry.objects.count() == entries


def test_while_sweeps_are_stopped_nothing_aside_is_deleted_and_all_can_be_put_back(registry: SweptRegistry) -> None:
    before = registry.blobs
    sweep, _ = registry.sweep(HELD)
    halt(registry.row, "Something is broken.")
    Sweep.objects.update(resumes_at=timezone.now())
    services.finish_due(timezone.now())
    assert not Job.objects.unfinished().filter(kind="sweep").exists()
    for verb in (services.delete_now, services.carry_on):
        with pytest.raises(JobFailed, match="Sweeps of this registry are stopped: Something is broken"):
            verb(sweep, here=True)

    sweep, job = registry.undo(sweep)

    assert job.state == Job.State.DONE, job.message
    assert registry.blobs == before
    assert registry.aside == set()
    assert sweep.state == Sweep.State.DONE
    entry = Entry.objects.get(act=Entry.Act.UNSWEEP)
    assert (entry.actor, entry.why) == ("mara", job.message)


def test_uploads_that_were_left_go_with_a_sweep(registry: SweptRegistry) -> None:
    old, young = upload(registry, OLD, days=3, touched=3), upload(registry, YOUNG, days=0.01, touched=0.01)
    busy = upload(registry, BUSY, days=3, touched=0.01)
    sweep, _ = registry.sweep(only_plan=True)
    assert (sweep.left_uploads, sweep.upload_bytes) == (1, 4)
    assert sweep.message.endswith("and 1 uploads that were left, 4 bytes. Nothing was deleted.")
    assert old.exists()

    sweep, job = registry.carry_on(sweep)

    assert [path.exists() for path in (old, young, busy)] == [False, True, True]
    assert "and 1 uploads that were left, 4 bytes" in job.message
    assert SweptUpload.objects.get().removed_at is not None
    entry = Entry.objects.get(act=Entry.Act.CLEAR_UPLOADS)
    assert (entry.repository, entry.count) == ("team/app", 1)


def test_uploads_alone_are_worth_a_sweep(registry: SweptRegistry) -> None:
    registry.sweep()
    old = upload(registry, OLD, days=3, touched=3)
    sweep, _ = registry.sweep()
    assert sweep.state == Sweep.State.DONE
    assert not old.exists()


def test_an_upload_that_went_on_after_the_plan_stays(registry: SweptRegistry) -> None:
    old = upload(registry, OLD, days=3, touched=3)
    ended = upload(registry, YOUNG, days=3, touched=3)
    sweep, _ = registry.sweep(only_plan=True)
    os.utime(old / "data")
    for path in sorted(ended.iterdir()):
        path.unlink()
    ended.rmdir()

    sweep, job = registry.carry_on(sweep)

    assert old.exists()
    assert not SweptUpload.objects.exists()
    assert "and 0 uploads that were left, 0 bytes" in job.message


def test_an_upload_whose_remover_died_is_told_of_by_who_goes_on(registry: SweptRegistry) -> None:
    upload(registry, OLD, days=3, touched=3)
    sweep, _ = registry.sweep(only_plan=True)
    Sweep.objects.update(began_at=timezone.now(), state=Sweep.State.UNDER_WAY)
    registry.real.storage.joinpath("moved").mkdir()
    (registry.layout.repository("team/app") / "_uploads" / OLD).rename(registry.real.storage / "moved" / OLD)
    sweep, _ = registry.carry_on(sweep)
    assert Entry.objects.get(act=Entry.Act.CLEAR_UPLOADS).count == 1


def test_a_sweep_is_stopped_and_only_by_staff(registry: SweptRegistry) -> None:
    sweep, _ = services.begin(registry.row, times=AT_ONCE)
    with pytest.raises(NotPermitted):
        services.stop(sweep, make.person("reader"))
    assert services.stop(sweep, make.person("mara", staff=True))
    assert not services.stop(sweep, make.person("ana", staff=True))


def test_a_schedule_begins_a_sweep_when_it_is_due_and_only_then(registry: SweptRegistry) -> None:
    SweepTerms.objects.update(when="cron", cron="30 3 * * *", next_at=NOON)
    services.queue_due(NOON - timedelta(seconds=1))
    assert not Sweep.objects.exists()
    services.queue_due(NOON)
    assert Sweep.objects.get().actor == ""
    assert SweepTerms.objects.get().next_at == datetime(2026, 11, 29, 3, 30, tzinfo=UTC)
    services.queue_due(NOON)
    assert Sweep.objects.count() == 1


def test_a_schedule_passes_where_sweeps_are_stopped(registry: SweptRegistry) -> None:
    halt(registry.row, "Something is broken.")
    SweepTerms.objects.update(when="every", every=60, window="22:00-06:00", next_at=NOON)
    services.queue_due(NOON)
    assert not Sweep.objects.exists()
    assert SweepTerms.objects.get().next_at == datetime(2026, 11, 28, 22, tzinfo=UTC)


def test_a_schedule_that_cannot_be_read_is_not_due_any_more(registry: SweptRegistry) -> None:
    SweepTerms.objects.update(when="cron", cron="no cron line", next_at=NOON)
    services.queue_due(NOON)
    assert SweepTerms.objects.get().next_at is None


def test_old_sweeps_are_forgotten_but_none_that_holds_anything(registry: SweptRegistry) -> None:
    long_ago = timezone.now() - timedelta(days=400)
    held, _ = registry.sweep(HELD)
    blob = {"digest": make.blob_digest("a"), "size": 1, "state": SweptBlob.State.BEGUN}
    terms = {"registry": registry.row, "grace_seconds": 1, "settle_seconds": 1, "hold_seconds": 1}
    died = Sweep.objects.create(state=Sweep.State.UNDER_WAY, **terms)
    SweptBlob.objects.create(sweep=died, **blob)
    done = Sweep.objects.create(state=Sweep.State.DONE, began_at=long_ago, **terms)
    planned = Sweep.objects.create(state=Sweep.State.PLANNED, **terms)
    young = Sweep.objects.create(state=Sweep.State.PLANNED, **terms)
    Sweep.objects.exclude(pk=young.pk).update(created_at=long_ago)

    services.prune(timezone.now())

    assert set(Sweep.objects.values_list("pk", flat=True)) == {held.pk, died.pk, young.pk}
    assert not Sweep.objects.filter(pk__in=[done.pk, planned.pk]).exists()
