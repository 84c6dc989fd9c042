from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from jobs import kinds, services
from jobs.models import Job
from jobs.running import ATTEMPTS, Asking, Lease, LeaseLost, Stopped, claim, run

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def job() -> Job:
    return services.queue("test", "thing:1", "A test")[0]


@pytest.fixture(autouse=True)
def _runner() -> Iterator[None]:
    kinds.register("test", lambda _: "All is well.")
    yield
    del kinds._runners["test"]


def test_a_job_runs_to_its_end_once(job: Job) -> None:
    run(job.pk)
    run(job.pk)

    job.refresh_from_db()
    assert (job.state, job.message, job.attempts) == (Job.State.DONE, "All is well.", 1)
    assert job.finished_at is not None


def test_a_second_request_finds_the_first_job(job: Job) -> None:
    again, new = services.queue("test", "thing:1", "A test")

    assert (again.pk, new) == (job.pk, False)


def test_a_finished_job_makes_room_for_the_next(job: Job) -> None:
    run(job.pk)

    assert services.queue("test", "thing:1", "A test")[1]


def test_a_job_that_raises_has_failed_with_the_reason(job: Job) -> None:
    def fail(_: Lease) -> str:
        raise ValueError("the disk is full")

    kinds.register("test", fail)
    run(job.pk)

    job.refresh_from_db()
    assert job.state == Job.State.FAILED
    assert "the disk is full" in job.message


def test_a_job_of_a_kind_that_nobody_knows_has_failed() -> None:
    job, _ = services.queue("unheard-of", "thing:1", "?")
    run(job.pk)

    job.refresh_from_db()
    assert job.state == Job.State.FAILED


def test_stopping_a_running_job_is_heard_when_it_tells_its_progress(job: Job) -> None:
    lease = claim(job.pk)
    assert lease is not None
    assert services.stop(job)

    with pytest.raises(Stopped):
        lease.tell(now=True, done=1)


def test_a_queued_job_stops_at_once(job: Job) -> None:
    assert services.stop(job)
    run(job.pk)

    job.refresh_from_db()
    assert (job.state, job.attempts) == (Job.State.STOPPED, 0)
    assert not services.stop(job)


def test_a_frozen_holder_writes_nothing_late(job: Job) -> None:
    frozen = claim(job.pk)
    assert frozen is not None
    Job.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    services.sweep()
    second = claim(job.pk)
    assert second is not None

    with pytest.raises(LeaseLost), frozen.writing():
        pytest.fail("the transaction began")
    with pytest.raises(LeaseLost):
        frozen.tell(now=True, done=1)
    frozen.end(Job.State.DONE, "late")
    job.refresh_from_db()
    assert (job.state, job.message) == (Job.State.RUNNING, "")
    with second.writing():
        pass


def test_the_sweep_queues_what_a_dead_worker_left(job: Job) -> None:
    claim(job.pk)
    services.sweep()
    job.refresh_from_db()
    assert job.state == Job.State.RUNNING  # its lease holds

    Job.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    services.sweep()
    job.refresh_from_db()
    assert job.state == Job.State.QUEUED


def test_a_job_that_kills_its_workers_is_parked(job: Job) -> None:
    for _ in range(ATTEMPTS):
        assert claim(job.pk)
        Job.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
        services.sweep()

    job.refresh_from_db()
    assert job.state == Job.State.FAILED
    assert claim(job.pk) is None


def test_a_lost_message_is_sent_again(job: Job) -> None:
    assert list(Job.objects.unheard(timezone.now(), services.PATIENCE)) == []  # it was sent just now

    later = timezone.now() + 2 * services.PATIENCE
    assert list(Job.objects.unheard(later, services.PATIENCE)) == [job]


def test_a_question_waits_for_its_answer(job: Job) -> None:
    def ask(lease: Lease) -> str:
        if not lease.params.get("allowed"):
            raise Asking({"text": "Really?", "allow": {"tags": 3}})
        return f"allowed {lease.params['allowed']['tags']}"

    kinds.register("test", ask)
    run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.question["text"], job.finished_at) == (Job.State.ASKING, "Really?", None)

    assert services.answer(job, yes=True)
    assert not services.answer(job, yes=True)
    run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.message, job.question) == (Job.State.DONE, "allowed 3", {})


def test_a_no_ends_the_job(job: Job) -> None:
    claim(job.pk)
    Job.objects.update(state=Job.State.ASKING)
    assert services.answer(job, yes=False)

    job.refresh_from_db()
    assert job.state == Job.State.STOPPED
    assert "nothing was changed" in job.message


def test_running_again_takes_no_leave_along(job: Job) -> None:
    Job.objects.update(params={"allowed": {"tags": 3}, "depth": 2})
    run(job.pk)
    job.refresh_from_db()

    again, new = services.again(job)
    assert new
    assert again.params == {"depth": 2}
