from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from catalog.models import Scan
from catalog.services import next_scan, queue_due_scans
from jobs import services
from jobs.models import Job
from registries.models import Registry
from tests.catalog.scanning import last_scan, scan
from tests.hostile import Hostile, Reply

pytestmark = pytest.mark.django_db(transaction=True)

QUARTER = timedelta(minutes=15)


def test_a_registry_that_was_never_scanned_is_due_at_once(hostile_row: Registry) -> None:
    queue_due_scans()

    assert Job.objects.get().subject == hostile_row.job_subject


def test_a_retired_registry_is_never_due(hostile_row: Registry) -> None:
    Registry.objects.update(retired_at=timezone.now())
    queue_due_scans()

    assert not Job.objects.exists()


def test_a_scan_that_failed_is_followed_by_the_next(hostile_row: Registry, hostile: Hostile) -> None:
    hostile.on("GET", "/v2/_catalog", Reply(500))
    assert scan(hostile_row).state == Job.State.FAILED

    assert last_scan().finished_at is not None
    assert next_scan(hostile_row) == last_scan().started_at + QUARTER


def test_a_scan_whose_worker_died_is_followed_by_the_next(hostile_row: Registry) -> None:
    began = timezone.now() - timedelta(days=3)
    Scan.objects.create(registry=hostile_row, started_at=began)

    assert next_scan(hostile_row) == began + QUARTER


def test_a_long_scan_is_followed_by_a_long_rest(hostile_row: Registry) -> None:
    began = timezone.now() - timedelta(hours=2)
    Scan.objects.create(registry=hostile_row, started_at=began, finished_at=began + timedelta(hours=1), complete=True)

    assert next_scan(hostile_row) == began + timedelta(hours=4)


def test_a_scan_from_the_future_holds_nothing_up(hostile_row: Registry) -> None:
    Scan.objects.create(registry=hostile_row, started_at=timezone.now() + timedelta(days=300))

    assert next_scan(hostile_row) <= timezone.now() + QUARTER


def test_old_scans_are_forgotten_but_for_the_last_complete_one(hostile_row: Registry) -> None:
    long_ago = timezone.now() - timedelta(days=100)
    for complete in (True, True, False):
        Scan.objects.create(registry=hostile_row, started_at=long_ago, finished_at=long_ago, complete=complete)
    scan(hostile_row)

    assert list(Scan.objects.order_by("pk").values_list("complete", flat=True)) == [True, False]


def test_one_scan_is_queued_however_often_it_is_due(hostile_row: Registry) -> None:
    queue_due_scans()
    queue_due_scans()
    job = Job.objects.get()
    services.stop(job)
    queue_due_scans()

    assert Job.objects.count() == 2
