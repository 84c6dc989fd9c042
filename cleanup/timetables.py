"""Cleanup that is due by the clock: deleting untagged manifests, and garbage collection by commands."""

from __future__ import annotations

import logging
import secrets
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.utils import timezone

from audit.models import Entry
from audit.services import record
from cleanup.classic import services as classic
from cleanup.classic.ways import NoWay
from cleanup.models import ClassicRun, Timetable
from cleanup.models.timetables import written
from cleanup.untagged import services as untagged
from jobs import services as jobs
from jobs.models import Job
from jobs.schedule import InvalidSchedule, Schedule, When
from registries.models import Registry
from tagging.permission import check_may_act

if TYPE_CHECKING:
    from access.models import User

log = logging.getLogger(__name__)

_Work: Final = Timetable.Work


def save(
    registry: Registry, work: Timetable.Work, schedule: Schedule, person: User, *, grace_hours: int | None = None
) -> Timetable:
    """When `work` is due from now on. `grace_hours` is of untagged manifests. Raises NotPermitted, InvalidSchedule."""
    check_may_act(person, registry)
    if schedule.when is When.EVENT:
        raise InvalidSchedule("when", schedule.when.value)  # a push is no reason to delete
    schedule.check()
    if work is _Work.UNTAGGED and grace_hours is not None:
        grace_hours = min(untagged.MOST_GRACE, max(0, grace_hours))
    said = {
        "schedule": written(schedule),
        "grace_hours": grace_hours if work is _Work.UNTAGGED else None,
        "next_at": schedule.next_after(timezone.now()),
        "set_by": str(person),
    }
    with transaction.atomic():
        row, _ = Timetable.objects.update_or_create(registry=registry, work=work, defaults=said)
        record([_entry(row, registry, schedule, person)])
    return row


def queue_due(now: datetime) -> None:
    """What is due and has its hours; where a run is under way, and does not only wait for an answer, it stays due."""
    for row in Timetable.objects.due(now).select_related("registry").order_by("pk"):
        try:
            schedule = row.read()
        except InvalidSchedule:
            log.exception("when %s is due is not understood, so it is not due any more", row)
            Timetable.objects.filter(pk=row.pk).update(next_at=None)
            continue
        if not schedule.is_open(now):  # it was due while another run was under way, and its hours are over
            Timetable.objects.filter(pk=row.pk, next_at=row.next_at).update(next_at=schedule.opens_after(now))
            continue
        if not _is_in_the_way(row):
            _begin(row, schedule, now)


def _begin(row: Timetable, schedule: Schedule, now: datetime) -> None:
    with transaction.atomic():  # or whoever dies in between has let it pass
        next_at = schedule.next_after(now)
        if not Timetable.objects.filter(pk=row.pk, next_at=row.next_at).update(next_at=next_at) or next_at is None:
            return
        if row.work == _Work.UNTAGGED:
            grace = untagged.GRACE if row.grace_hours is None else row.grace_hours
            untagged.begin(row.registry, grace_hours=grace)
            return
        try:
            classic.begin(row.registry)
        except NoWay as reason:
            log.warning("%s: %s", row.registry.name, reason.sentence)


def _is_in_the_way(row: Timetable) -> bool:
    """A run that is under way. One that asks since the last time has had its time: it asks anew, of what is there."""
    if row.work == _Work.UNTAGGED:
        return row.registry.untagged_runs.under_way().exists()
    runs = ClassicRun.objects.filter(registry=row.registry, job__state__in=Job.UNFINISHED).select_related("job")
    return any(not _is_answered(run) for run in runs)


def _is_answered(run: ClassicRun) -> bool:
    return run.job is not None and run.job.state == Job.State.ASKING and jobs.answer(run.job, yes=False)


def _entry(row: Timetable, registry: Registry, schedule: Schedule, person: User) -> Entry:
    shown = replace(schedule, zone=schedule.zone if schedule.window or schedule.when is When.CRON else "")
    parts = {
        When.CRON: shown.cron,
        When.EVERY: f"{shown.every} min",
    }
    words = [row.work, shown.when.value, parts.get(shown.when, ""), shown.window, shown.zone]
    return Entry(
        key=f"{Entry.Act.TIMETABLE.value}:{secrets.token_hex(16)}",
        at=timezone.now(),
        act=Entry.Act.TIMETABLE,
        outcome=Entry.Outcome.DONE,
        actor=str(person),
        actor_id=person.pk,
        registry=registry.name,
        registry_id=registry.pk,
        detail=" ".join(filter(None, words)),
    )
