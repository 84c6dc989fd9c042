from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from jobs import ending, kinds, running, services
from jobs.models import Job
from jobs.running import Lease, run
from tests.registry_ui.processes import eventually

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_RENEWAL", "_RETRY", "_LOOK"):
        monkeypatch.setattr(running, name, 0.05)


@pytest.fixture(autouse=True)
def _nobody_asks() -> Iterator[None]:
    yield
    ending._asked[0] = 0
    kinds._runners.pop("test", None)


@pytest.fixture
def job() -> Job:
    return services.queue("test", "thing:1", "A test")[0]


def cut_off_whoever_waits() -> None:
    """PostgreSQL lets a writer wait for as long as it takes; SQLite refuses it."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE wait_event_type = 'Lock' AND datname = current_database()"
            )


def test_a_lease_is_renewed_again_after_the_database_has_failed(job: Job) -> None:
    def hold(lease: Lease) -> str:
        with transaction.atomic():
            Job.objects.filter(pk=lease.job_id).update(leased_until=timezone.now() - timedelta(hours=1))
            time.sleep(0.3)
            cut_off_whoever_waits()
            time.sleep(0.1)
        time.sleep(0.5)
        assert Job.objects.filter(pk=lease.job_id, leased_until__gt=timezone.now()).exists()
        return "All is well."

    kinds.register("test", hold)
    run(job.pk)

    job.refresh_from_db()
    assert job.message == "All is well."


def lose_the_lease(lease: Lease) -> str:
    """A job whose worker is asked to end, and which looks up only after a while."""
    ending.ask()
    assert eventually(lambda: lease._lost)
    lease.tell(now=True)
    return "Told on."


def test_a_worker_that_is_to_end_gives_its_job_back(job: Job) -> None:
    kinds.register("test", lose_the_lease)
    run(job.pk)

    job.refresh_from_db()
    assert (job.state, job.attempts, job.leased_until, job.sent_at) == (Job.State.QUEUED, 0, None, None)


def test_a_job_that_was_asked_to_stop_is_not_given_back(job: Job) -> None:
    def stopped(lease: Lease) -> str:
        assert services.stop(job)
        return lose_the_lease(lease)

    kinds.register("test", stopped)
    run(job.pk)

    job.refresh_from_db()
    assert job.state == Job.State.STOPPED


def test_a_worker_that_is_to_end_begins_nothing(job: Job) -> None:
    kinds.register("test", lambda _: "All is well.")
    ending.ask()
    run(job.pk)

    job.refresh_from_db()
    assert (job.state, job.sent_at) == (Job.State.QUEUED, None)


def test_what_a_runner_writes_when_its_job_is_given_back(job: Job) -> None:
    """With the job, or not at all: nobody finds the one without the other."""

    def tried(lease: Lease) -> str:
        lease.when_given_back = lambda: Job.objects.filter(pk=lease.job_id).update(title="Given back")
        return lose_the_lease(lease)

    kinds.register("test", tried)
    run(job.pk)

    job.refresh_from_db()
    assert (job.state, job.title) == (Job.State.QUEUED, "Given back")


def test_whose_job_is_another_s_writes_nothing_when_it_gives_up(job: Job) -> None:
    def taken(lease: Lease) -> str:
        lease.when_given_back = lambda: Job.objects.filter(pk=lease.job_id).update(title="Given back")
        Job.objects.filter(pk=lease.job_id).update(fence=lease.fence + 1)
        return lose_the_lease(lease)

    kinds.register("test", taken)
    run(job.pk)

    job.refresh_from_db()
    assert (job.state, job.title) == (Job.State.RUNNING, "A test")
