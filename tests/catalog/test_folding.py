"""The job that counts old pulls together."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db.models import Sum
from django.utils import timezone
from pytest_django import Settings

from audit import folding as audit_folding
from audit.models import Entry
from catalog import folding
from catalog.tasks import queue_folding
from jobs import running, services
from jobs.models import Job
from tests.audit.furniture import entry

pytestmark = pytest.mark.django_db

OLD = timezone.now() - timedelta(days=40)


def pulls(number: int, at: datetime = OLD) -> None:
    for n in range(number):
        entry(act=Entry.Act.PULL, since=None, tag="v1", at=at.replace(hour=n % 24, minute=0))


def job() -> Job:
    return Job.objects.filter(kind=folding.KIND).latest("id")


def recorded() -> list[str]:
    return list(Entry.objects.filter(act=Entry.Act.FOLD).order_by("id").values_list("detail", flat=True))


def test_a_job_folds_and_records_it() -> None:
    pulls(30)
    pulls(5, timezone.now())

    queue_folding()
    running.run(job().pk)

    said = "Entries of pulls counted together: 30. In their place: 1, of one day each."
    assert (job().state, job().message) == (Job.State.DONE, said)
    assert recorded() == [said]
    assert sorted(Entry.objects.filter(act=Entry.Act.PULL).values_list("count", flat=True)) == [1, 1, 1, 1, 1, 30]


def test_where_nothing_is_to_be_done_there_is_no_job() -> None:
    pulls(3, timezone.now())
    queue_folding()
    pulls(3)
    queue_folding()
    running.run(job().pk)
    queue_folding()

    assert Job.objects.count() == 1


def test_it_can_be_set_how_old_they_are(settings: Settings) -> None:
    pulls(3)
    settings.AUDIT_PULLS_DAYS = 41
    queue_folding()
    assert not Job.objects.exists()

    settings.AUDIT_PULLS_DAYS = 39
    queue_folding()
    assert Job.objects.exists()


def test_with_no_days_pulls_stay(settings: Settings) -> None:
    pulls(3)
    queue_folding()
    settings.AUDIT_PULLS_DAYS = 0
    running.run(job().pk)

    assert job().message == "No pulls were to be counted together."
    assert Entry.objects.filter(act=Entry.Act.PULL).count() == 3
    assert recorded() == []

    queue_folding()
    assert Job.objects.count() == 1


def test_what_a_stopped_job_did_is_recorded_by_the_next() -> None:
    pulls(audit_folding.BATCH + 3)
    queue_folding()
    stopped = job()
    Job.objects.update(stop_requested_at=timezone.now(), state=Job.State.QUEUED)
    running.run(stopped.pk)
    assert job().state == Job.State.STOPPED
    assert recorded() == []
    assert job().progress["were"] == audit_folding.BATCH

    queue_folding()
    running.run(job().pk)

    assert recorded() == [
        "Entries of pulls counted together: 500. In their place: 1, of one day each.",
        "Entries of pulls counted together: 3. In their place: 0, of one day each.",
    ]
    assert Entry.objects.filter(act=Entry.Act.PULL).aggregate(all=Sum("count"))["all"] == 503


def test_one_that_is_run_again_after_its_end_records_nothing_twice() -> None:
    pulls(3)
    queue_folding()
    running.run(job().pk)
    Job.objects.update(state=Job.State.QUEUED)
    services.sweep()
    pulls(3)
    running.run(job().pk)

    assert recorded() == ["Entries of pulls counted together: 3. In their place: 1, of one day each."]
