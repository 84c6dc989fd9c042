"""Running one job: claim its row, keep the lease, tell progress, end it in exactly one state."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final

from django.db import connections, transaction
from django.db.models import F
from django.utils import timezone

from jobs.kinds import runner_of
from jobs.models import Job

LEASE: Final = timedelta(seconds=60)
ATTEMPTS: Final = 5  # then a job is parked as failed: it has killed its worker that often
_RENEWAL: Final = 15.0  # seconds between two renewals
_TELL_EVERY: Final = 0.5  # seconds between two writes of progress

log = logging.getLogger(__name__)


class LeaseLost(Exception):  # noqa: N818  it is an event, not a fault
    """Somebody else runs the job now, or it was ended: write nothing more."""


class Stopped(Exception):  # noqa: N818  a person asked for it
    """A person asked the job to stop."""


class Asking(Exception):  # noqa: N818  not an error: the job waits for an answer
    """The job cannot go on without a person's yes or no; `question` says what is asked."""

    def __init__(self, question: Mapping[str, Any]) -> None:
        super().__init__("the job asks a question")
        self.question = dict(question)


class Lease:
    """The right to run one job, and its pen for progress.

    `params` are the job's. `tell` may be called as often as one likes: it writes at most twice a
    second, raises `Stopped` when a person asked for that and `LeaseLost` when the row is no longer ours.
    """

    def __init__(self, job: Job) -> None:
        self.job_id, self.fence, self.subject, self.params = job.pk, job.fence, job.subject, dict(job.params)
        self._told = 0.0
        self._lost = False

    def tell(self, *, now: bool = False, **progress: Any) -> None:
        if self._lost:
            raise LeaseLost
        if not now and time.monotonic() - self._told < _TELL_EVERY:
            return
        self._told = time.monotonic()
        if not self._mine().update(progress=progress, leased_until=timezone.now() + LEASE):
            self._lost = True
            raise LeaseLost
        if self._mine().filter(stop_requested_at__isnull=False).exists():
            raise Stopped

    @contextmanager
    def writing(self) -> Iterator[None]:
        """A transaction that commits only while the lease is ours: a frozen holder writes nothing late."""
        with transaction.atomic():
            if not self._mine().select_for_update().exists():
                self._lost = True
                raise LeaseLost
            yield

    def renew(self) -> None:
        if not self._mine().update(leased_until=timezone.now() + LEASE):
            self._lost = True

    def end(self, state: Job.State, message: str, **fields: Any) -> None:
        """Move the job out of RUNNING; silent where the row is no longer ours."""
        finished = None if state == Job.State.ASKING else timezone.now()
        self._mine().update(
            state=state,
            message=message,
            finished_at=finished,
            leased_until=None,
            stop_requested_at=None,
            **fields,
        )

    def _mine(self) -> Any:
        return Job.objects.filter(pk=self.job_id, fence=self.fence, state=Job.State.RUNNING)


def claim(job_id: int) -> Lease | None:
    """Take a queued job; None when it is not there to be taken."""
    now = timezone.now()
    taken = Job.objects.filter(pk=job_id, state=Job.State.QUEUED).update(
        state=Job.State.RUNNING,
        fence=F("fence") + 1,
        attempts=F("attempts") + 1,
        leased_until=now + LEASE,
        started_at=now,
        message="",
    )
    return Lease(Job.objects.get(pk=job_id)) if taken else None


def run(job_id: int) -> None:
    """Run a job to one of its ends. Safe to call twice: the second finds nothing to claim."""
    lease = claim(job_id)
    if lease is None:
        log.info("job %s is not waiting to be run", job_id)
        return
    with _kept_alive(lease):
        try:
            message = runner_of(Job.objects.get(pk=job_id).kind)(lease)
        except LeaseLost:
            log.warning("job %s: the lease was lost, somebody else goes on", job_id)
        except Stopped:
            lease.end(Job.State.STOPPED, "Stopped. What was done until then stays.")
        except Asking as asking:
            lease.end(Job.State.ASKING, "", question=asking.question)
        except Exception as error:
            log.exception("job %s failed", job_id)
            lease.end(Job.State.FAILED, getattr(error, "sentence", None) or f"{type(error).__name__}: {error}")
        else:
            lease.end(Job.State.DONE, message)


@contextmanager
def _kept_alive(lease: Lease) -> Iterator[None]:
    """Renew the lease from a thread, since one slow answer may take longer than the lease lasts."""
    over = threading.Event()

    def keep() -> None:
        try:
            while not over.wait(_RENEWAL):
                lease.renew()
        finally:
            connections.close_all()

    thread = threading.Thread(target=keep, name=f"lease-{lease.job_id}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
