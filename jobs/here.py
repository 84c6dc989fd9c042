"""A job that is seen through by whoever waits at a terminal: carried out in this process, and stopped by Ctrl-C."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

from django.db import connections
from django.utils import timezone

from jobs import services as jobs
from jobs.models import Job
from jobs.running import LEASE, run_here

_LOOK: Final = 0.2  # seconds between two looks at the job
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class Asked:
    """Whether somebody has asked us to stop. A handler of signals does no more than set this."""

    def __init__(self) -> None:
        self.is_set = False

    def set(self, _number: int, _frame: FrameType | None) -> None:
        self.is_set = True


def see_through(job: Job, tell: Callable[[Job], None]) -> bool:
    """Whether nobody asked us to stop. `job` is as it ended, or asks, or goes on elsewhere without us.

    It is carried out here, unless somebody does that already: then it is only watched, for as long as they live. `tell`
    is called often. SIGINT and SIGTERM stop what is carried out here, as its page would: it ends between two pieces.
    """
    with _heard() as asked:
        thread, has_stopped = _begun(job), False
        while thread.is_alive() or job.is_moving:
            if asked.is_set and not has_stopped:
                if not thread.is_alive():
                    break  # it is somebody else's
                has_stopped = jobs.stop(job)
            tell(job)
            time.sleep(_LOOK)
            job.refresh_from_db()
            if not thread.is_alive() and _is_nobodys(job):
                thread = _begun(job)
    job.refresh_from_db()
    return not asked.is_set


def _begun(job: Job) -> threading.Thread:
    thread = threading.Thread(target=_carry_out, args=(job.pk,), name=f"job-{job.pk}")
    thread.start()
    return thread


def _is_nobodys(job: Job) -> bool:
    """Whoever had it gave it back, or died: where Berth is not running, nobody else would find that out."""
    if Job.objects.filter(pk=job.pk).abandoned(timezone.now(), LEASE).exists():
        jobs.sweep()
        job.refresh_from_db()
    return job.state == Job.State.QUEUED


def _carry_out(job_id: int) -> None:
    try:
        run_here(job_id)
    finally:
        connections.close_all()


@contextmanager
def _heard() -> Iterator[Asked]:
    asked = Asked()
    before = {number: signal.signal(number, asked.set) for number in _SIGNALS}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
