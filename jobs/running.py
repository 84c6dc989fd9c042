"""Running one job: claim its row, keep the lease, tell progress, end it in exactly one state."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final

from django.db import Error as DatabaseFault
from django.db import InterfaceError, OperationalError, connection, connections, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_noop

from jobs import closure, ending
from jobs.kinds import runner_of
from jobs.models import Job
from jobs.processor import given_up
from jobs.turns import Turn
from oci.errors import RegistryError, printable

LEASE: Final = timedelta(seconds=60)
ATTEMPTS: Final = 5  # then a job is parked as failed: it has killed its worker that often
_PROVEN: Final = 300.0  # seconds after which an attempt has shown that the job does not kill its worker at once
_MESSAGE_LENGTH: Final = 500
_STOPPED: Final = gettext_noop("Stopped. What was done until then stays.")
_DATABASE_FAILED: Final = gettext_noop(
    "The database could not be read or written, %(times)s times; the log has the details. It can be run again."
)
_MISTAKE: Final = gettext_noop("Berth itself made a mistake (%(fault)s); the log has the details.")
_NOBODY: Final = gettext_noop("No part of Berth knows how to do this any more.")
SENTENCES: Final = (_STOPPED, _DATABASE_FAILED, _MISTAKE, _NOBODY)
"""What a job may say; pages say it in the reader's language."""
_MAPPED: Final = 32 * 2**20  # bytes
_LOG_PAGES: Final = 10_000  # of four kilobytes: then a commit makes a checkpoint after all
_PATIENCE: Final = 300.0  # seconds that a worker waits for a database that it cannot write
_RENEWAL: Final = 15.0  # seconds between two renewals
_RETRY: Final = 1.0  # seconds from a renewal that failed to the next
_LOOK: Final = 0.25  # seconds between two looks at whether the worker was asked to end
# Asked a thousand times by a large scan, so by hand; SQLite locks the whole database when a transaction begins.
_STILL_MINE: Final = "SELECT 1 FROM jobs_job WHERE id = %s AND fence = %s AND state = 'running'"
_LOCKED: Final = {"sqlite": "", "postgresql": " FOR UPDATE"}
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


class JobFailed(Exception):  # noqa: N818  read by people: the job has failed
    """The job cannot do its work, for a reason that a person should read: `sentence`."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class Lease:
    """The right to run one job, and its pen for progress.

    `params` are the job's. `tell` may be called as often as one likes: it writes at most twice a
    second, raises `Stopped` when a person asked for that and `LeaseLost` when the row is no longer ours.
    `when_given_back`, the runner's, is called in another thread: it is committed with the job's return, or not at all.
    """

    def __init__(self, job: Job) -> None:
        self.job_id, self.fence, self.kind = job.pk, job.fence, job.kind
        self.subject, self.params, self.attempts = job.subject, dict(job.params), job.attempts
        self.caller = f"job-{job.pk}"  # as `registries.own_requests` names it
        self._claimed = time.monotonic()
        self._told = 0.0
        self._progress: dict[str, Any] = {}
        self._lost = False
        self._turn = Turn()
        self.when_given_back: Callable[[], object] = lambda: None

    def tell(self, *, now: bool = False, **progress: Any) -> None:
        if self._lost:
            raise LeaseLost
        self._progress = progress
        if not now and time.monotonic() - self._told < _TELL_EVERY:
            return
        self._told = time.monotonic()
        if not self._mine().update(progress=progress, leased_until=timezone.now() + LEASE):
            self._lost = True
            raise LeaseLost
        if self._mine().filter(stop_requested_at__isnull=False).exists():
            raise Stopped

    def look(self) -> None:
        """Raises as `tell`, and at most as often; what was told last stays."""
        self.tell(**self._progress)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """A transaction that commits only while the lease is ours: a frozen holder writes nothing late."""
        with self._turn.taken(), transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(_STILL_MINE + _LOCKED[connection.vendor], (self.job_id, self.fence))
                if cursor.fetchone() is None:
                    self._lost = True
                    raise LeaseLost
            yield

    def renew(self) -> None:
        """Hold the job for another while.

        An attempt that has held it for five minutes counts as the first again: whoever dies after
        that was not killed by the job at once, and a long job outlives any number of restarts. The price:
        a job that kills its worker later than that is tried until a person stops it.
        """
        proven = {"attempts": 1} if time.monotonic() - self._claimed > _PROVEN else {}
        if not self._mine().update(leased_until=timezone.now() + LEASE, **proven):
            self._lost = True

    def ask(self, question: Mapping[str, Any]) -> None:
        """Wait for a person's answer, unless a person has asked the job to stop."""
        if not self._unstopped().update(state=Job.State.ASKING, question=question, message="", leased_until=None):
            self.end(Job.State.STOPPED, _STOPPED)

    def give_back(self, *, again: bool = False) -> None:
        """Queue the job for the next worker; one asked to stop ends instead.

        As if this attempt had never begun, or `again`: it counts as one.
        """
        queued = {"state": Job.State.QUEUED, "leased_until": None, "sent_at": None}
        attempts = F("attempts") - (0 if again else 1)
        with transaction.atomic():
            if self._unstopped().update(**queued, attempts=attempts) or self.end(Job.State.STOPPED, _STOPPED):
                self.when_given_back()
        self._lost = True

    def end(self, state: Job.State, message: str) -> bool:
        """Finish the job, whatever the text is; False where the row is no longer ours."""
        text = printable(message, _MESSAGE_LENGTH)
        ended = {"state": state, "message": text, "finished_at": timezone.now(), "stop_requested_at": None}
        return bool(self._mine().update(**ended, leased_until=None))

    def _unstopped(self) -> Any:
        """As `_mine`; where it finds nothing, and the row is ours, a stop was requested, which nobody takes back."""
        return self._mine().filter(stop_requested_at=None)

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
    if ending.asked():
        Job.objects.filter(pk=job_id, state=Job.State.QUEUED).update(sent_at=None)  # the next worker's
        return
    _give_way()
    run_here(job_id)


def run_here(job_id: int) -> None:
    """The same for a short job, in the thread of whoever asks for it: a person waits for the answer.

    Most of the time it waits for a registry, so other requests of this process are worked on meanwhile.
    """
    lease = claim(job_id)
    if lease is None:
        log.info("job %s is not waiting to be run", job_id)
        return
    with given_up(), _kept_alive(lease):
        try:
            if closure.is_closed_to(lease.kind, lease.subject, lease.params):
                lease.give_back()  # the sweep sends it again
                return
            _work(lease)
        except LeaseLost:
            log.warning("job %s: the lease is no longer ours, somebody else goes on", job_id)
        except Stopped:
            lease.end(Job.State.STOPPED, _STOPPED)
        except (OperationalError, InterfaceError):
            log.exception("job %s: the database failed it", job_id)
            _return(lease)
        except Exception as error:
            log.exception("job %s failed", job_id)
            lease.end(Job.State.FAILED, reason_of(error))


def _work(lease: Lease) -> None:
    try:
        runner = runner_of(lease.kind)
    except KeyError:
        raise JobFailed(_NOBODY) from None
    try:
        message = runner(lease)
    except Asking as asking:
        lease.ask(asking.question)
    else:
        lease.end(Job.State.DONE, message)


def _give_way() -> None:
    """Leave memory to others, and the pen.

    A job goes through whole tables, and what SQLite maps of its file counts as the worker's own memory; it writes so
    much that a checkpoint would be due at every tenth commit, so `Turn` makes them in its gaps. A lower priority
    would not help: a registry on the same machine has the usual one, and both would wait for each other.
    """
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA mmap_size = {_MAPPED}")
            cursor.execute(f"PRAGMA wal_autocheckpoint = {_LOG_PAGES}")


def _return(lease: Lease) -> None:
    """Queue the job for another attempt as soon as the database can be written again: it was locked, full or away.

    It counts as an attempt, so that what a database will never do ends as failed. Where it stays closed for
    minutes, the lease runs out and the sweep finds the job.
    """
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            connections.close_all()  # it may be the connection that is broken
            if lease.attempts >= ATTEMPTS:
                lease.end(Job.State.FAILED, _DATABASE_FAILED % {"times": ATTEMPTS})
            else:
                lease.give_back(again=True)
        except DatabaseFault as error:
            log.warning("job %s: it cannot be given back yet: %s", lease.job_id, error)
            if time.monotonic() > until:
                return
            time.sleep(_RETRY)
        else:
            return


def reason_of(error: Exception) -> str:
    """What people read; the text of an error that was not written for them may hold a secret."""
    sentence = getattr(error, "sentence", None)
    if sentence or isinstance(error, RegistryError):
        return str(sentence or error)
    return _MISTAKE % {"fault": type(error).__name__}


@contextmanager
def _kept_alive(lease: Lease) -> Iterator[None]:
    """Renew the lease from a thread, since one slow answer may take longer than the lease lasts.

    When the worker is asked to end, the thread gives the job back at once: the worker has few seconds,
    and the job may be waiting for an answer. The job finds its lease lost when it next looks.
    """
    over = threading.Event()
    thread = threading.Thread(target=_keep, args=(lease, over), name=f"lease-{lease.job_id}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _keep(lease: Lease, over: threading.Event) -> None:
    due = time.monotonic() + _RENEWAL
    try:
        while not over.wait(_LOOK):
            asked = ending.asked()
            if not asked and time.monotonic() < due:
                continue
            try:
                if asked:
                    lease.give_back()
                    return
                lease.renew()
                due = time.monotonic() + _RENEWAL
            except DatabaseFault as error:
                log.warning("job %s: its lease could not be written: %s", lease.job_id, error)
                connections.close_all()  # it may be the connection that is broken
                due = time.monotonic() + _RETRY
    finally:
        connections.close_all()
