from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from jobs import kinds, processor, running, services
from jobs.models import Job
from jobs.processor import Turns
from jobs.running import ATTEMPTS, Asking, JobFailed, Lease, LeaseLost, Stopped, claim, run
from oci.errors import BadAnswer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def job() -> Job:
    return services.queue("test", "thing:1", "A test")[0]


@pytest.fixture(autouse=True)
def _runner() -> Iterator[None]:
    kinds.register("test", lambda _: "All is well.")
    yield
    del kinds._runners["test"]


def raising(error: Exception) -> kinds.Runner:
    def fail(_: Lease) -> str:
        raise error

    return fail


def test_a_job_runs_to_its_end_once(job: Job) -> None:
    run(job.pk)
    run(job.pk)

    job.refresh_from_db()
    assert (job.state, job.message, job.attempts) == (Job.State.DONE, "All is well.", 1)
    assert job.finished_at is not None


def test_whoever_runs_a_job_in_a_request_lets_other_requests_work(job: Job) -> None:
    free: list[bool] = []

    def look(_: Lease) -> str:
        free.append(processor._turn.acquire(blocking=False))
        processor._turn.release()
        return "Nobody else had to wait."

    def application(_environ: dict[str, Any], _start_response: Callable[..., Any]) -> Iterable[bytes]:
        running.run_here(job.pk)
        return [b"done"]

    kinds._runners["test"] = look
    Turns(application)({}, print)
    assert free == [True]


def test_a_second_request_finds_the_first_job(job: Job) -> None:
    again, new = services.queue("test", "thing:1", "A test")

    assert (again.pk, new) == (job.pk, False)


def test_a_finished_job_makes_room_for_the_next(job: Job) -> None:
    run(job.pk)

    assert services.queue("test", "thing:1", "A test")[1]


@pytest.mark.parametrize("error", [BadAnswer("The catalog has no end."), JobFailed("The catalog has no end.")])
def test_a_job_that_raises_an_error_of_ours_has_failed_with_its_sentence(job: Job, error: Exception) -> None:
    kinds.register("test", raising(error))
    run(job.pk)

    job.refresh_from_db()
    assert (job.state, job.message) == (Job.State.FAILED, "The catalog has no end.")


def test_the_text_of_any_other_error_is_in_the_log_only(job: Job, caplog: pytest.LogCaptureFixture) -> None:
    kinds.register("test", raising(ValueError("https://berth:hunter2@registry")))
    run(job.pk)

    job.refresh_from_db()
    assert job.state == Job.State.FAILED
    assert job.message == "Berth itself made a mistake (ValueError); the log has the details."
    assert "hunter2" in caplog.text


@pytest.mark.parametrize("text", ["a\0b", "a\udc00b", "a\u202eb", "ab" + "c" * 1000])
def test_no_text_keeps_a_job_from_its_end(job: Job, text: str) -> None:
    kinds.register("test", raising(BadAnswer(text)))
    run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.message) == (Job.State.FAILED, ("ab" + "c" * 498) if len(text) > 3 else "ab")

    again, _ = services.again(job)
    kinds.register("test", lambda _: text)
    run(again.pk)
    again.refresh_from_db()
    assert (again.state, again.message) == (Job.State.DONE, job.message)


def test_a_question_that_cannot_be_stored_ends_the_job(job: Job) -> None:
    kinds.register("test", raising(Asking({"text": object()})))
    run(job.pk)

    job.refresh_from_db()
    assert job.state == Job.State.FAILED


def test_a_job_of_a_kind_that_nobody_knows_has_failed() -> None:
    job, _ = services.queue("unheard-of", "thing:1", "?")
    run(job.pk)

    job.refresh_from_db()
    assert job.state == Job.State.FAILED
    assert "No part of Berth" in job.message


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


def test_a_job_that_outlives_its_beginning_is_not_parked_for_restarts(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "_PROVEN", 0.0)
    for _ in range(2 * ATTEMPTS):
        lease = claim(job.pk)
        assert lease is not None
        lease.renew()
        Job.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
        services.sweep()

    job.refresh_from_db()
    assert (job.state, job.attempts) == (Job.State.QUEUED, 1)


def test_a_lease_that_a_fast_clock_wrote_is_abandoned(job: Job) -> None:
    claim(job.pk)
    Job.objects.update(leased_until=timezone.now() + timedelta(hours=3))
    services.sweep()

    job.refresh_from_db()
    assert job.state == Job.State.QUEUED


def test_stop_ends_a_job_whose_lease_a_fast_clock_wrote(job: Job) -> None:
    claim(job.pk)
    Job.objects.update(leased_until=timezone.now() + timedelta(hours=3), attempts=ATTEMPTS)
    assert services.stop(job)
    services.sweep()

    job.refresh_from_db()
    assert job.state == Job.State.STOPPED


def test_a_message_that_a_fast_clock_dated_is_sent_again(job: Job) -> None:
    Job.objects.update(sent_at=timezone.now() + timedelta(hours=3))
    services.sweep()

    job.refresh_from_db()
    assert job.sent_at is not None
    assert job.sent_at <= timezone.now()


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


def test_a_stop_that_comes_before_the_question_is_not_lost(job: Job) -> None:
    def ask(_: Lease) -> str:
        assert services.stop(job)
        raise Asking({"text": "Really?"})

    kinds.register("test", ask)
    run(job.pk)

    job.refresh_from_db()
    assert (job.state, job.question, job.stop_requested_at) == (Job.State.STOPPED, {}, None)
    assert job.finished_at is not None


@pytest.mark.parametrize("yes", [True, False])
def test_an_answer_writes_only_what_it_changes(job: Job, yes: bool) -> None:
    Job.objects.update(state=Job.State.ASKING)
    with CaptureQueriesContext(connection) as statements:
        assert services.answer(job, yes=yes)

    written = [statement["sql"] for statement in statements if statement["sql"].startswith("UPDATE")]
    assert written
    assert not any('"title" = ' in sql or '"fence" = ' in sql for sql in written)


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


def test_a_database_that_fails_gives_the_job_back(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(kinds._runners, "test", raising(OperationalError("database or disk is full")))

    run(job.pk)

    job.refresh_from_db()
    assert (job.state, job.attempts, job.leased_until, job.sent_at) == (Job.State.QUEUED, 1, None, None)


def test_what_a_database_will_never_do_ends_as_failed(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(kinds._runners, "test", raising(OperationalError("no such table: secret")))

    for _ in range(ATTEMPTS):
        run(job.pk)

    job.refresh_from_db()
    assert job.state == Job.State.FAILED
    assert "The database could not be read or written" in job.message
    assert "secret" not in job.message


def test_a_job_is_given_back_when_the_database_can_be_written_again(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(kinds._runners, "test", raising(OperationalError("database is locked")))
    monkeypatch.setattr(running, "_RETRY", 0.01)
    give_back, tries = Lease.give_back, []

    def locked(lease: Lease, *, again: bool = False) -> None:
        tries.append(again)
        if len(tries) < 3:
            raise OperationalError("database is locked")
        give_back(lease, again=again)

    monkeypatch.setattr(Lease, "give_back", locked)

    run(job.pk)

    job.refresh_from_db()
    assert (job.state, tries) == (Job.State.QUEUED, [True] * 3)
