"""What the clock clears away."""

from __future__ import annotations

from datetime import timedelta

import pytest
from axes.models import AccessAttempt, AccessLog
from django.conf import settings
from django.contrib.sessions.models import Session
from django.utils import timezone

import access.tasks
import jobs.tasks
from jobs import pruning
from jobs.models import Job
from registry_ui.celery import app

pytestmark = pytest.mark.django_db

NOW = timezone.now()
OLD = NOW - pruning.KEPT - timedelta(days=1)


def jobs_of(subject: str, count: int, state: Job.State = Job.State.DONE) -> list[Job]:
    ended = None if state in Job.UNFINISHED else OLD
    rows = [Job(kind="test", subject=subject, title="A test", state=state, finished_at=ended) for _ in range(count)]
    return Job.objects.bulk_create(rows)


def test_the_clock_names_tasks_that_exist() -> None:
    app.loader.import_default_modules()

    assert {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()} <= set(app.tasks)


def test_old_jobs_go_but_the_newest_of_each_subject_stay() -> None:
    many, few = jobs_of("thing:1", pruning.NEWEST + 250), jobs_of("thing:2", 3)
    unfinished = jobs_of("thing:1", 1, Job.State.ASKING)

    jobs.tasks.prune()

    kept = [*many[251:], *few, *unfinished]  # the one that is not over yet is the newest
    assert set(Job.objects.values_list("pk", flat=True)) == {job.pk for job in kept}


def test_young_jobs_stay_however_many_they_are() -> None:
    rows = jobs_of("thing:1", pruning.NEWEST + 5)
    Job.objects.update(finished_at=NOW)

    assert pruning.prune(NOW) == 0
    assert Job.objects.count() == len(rows)


def test_visits_are_forgotten() -> None:
    for days, name in ((1, "young"), (91, "old")):
        for visits in (AccessAttempt, AccessLog):
            extra = {"failures_since_start": 1} if visits is AccessAttempt else {}
            visit = visits.objects.create(username=name, ip_address="192.0.2.1", **extra)
            visits.objects.filter(pk=visit.pk).update(attempt_time=NOW - timedelta(days=days))
        Session.objects.create(session_key=name, session_data="", expire_date=NOW + timedelta(days=30 - days))

    access.tasks.forget()

    for visits in (AccessAttempt, AccessLog):
        assert [visit.username for visit in visits.objects.all()] == ["young"]
    assert [session.session_key for session in Session.objects.all()] == ["young"]
