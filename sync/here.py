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

from jobs import services as jobs
from jobs.models import Job
from jobs.running import run_here

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

    It is carried out here, unless somebody does that already: then it is only watched. `tell` is called often. SIGINT
    and SIGTERM stop what is carried out here, as its page would: it ends between two pieces.
    """
    thread = threading.Thread(target=_carry_out, args=(job.pk,), name=f"job-{job.pk}")
    with _heard() as asked:
        thread.start()
        has_stopped = False
        while _is_moving(job) or thread.is_alive():
            if asked.is_set and not has_stopped:
                if not thread.is_alive():
                    break  # it is somebody else's
                has_stopped = jobs.stop(job)
            tell(job)
            time.sleep(_LOOK)
        thread.join()
    job.refresh_from_db()
    return not asked.is_set


def _is_moving(job: Job) -> bool:
    job.refresh_from_db()
    return job.is_moving


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
