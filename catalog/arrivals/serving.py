"""The process that handles what registries tell, for as long as it lives: it looks at the inbox all the time."""

from __future__ import annotations

import logging
import time
from typing import Final

from django.db import Error as DatabaseFault
from django.db import connections
from django.utils import timezone

from audit import inbox, seen
from catalog.arrivals import counting, rereading, waiting
from catalog.arrivals.handling import MOST, Handling
from jobs import ending, resident
from jobs.models import Job
from jobs.running import Lease, LeaseLost

KIND: Final = "arrivals"
_LOOK: Final = 0.03  # seconds between two looks at the inbox, while there is little in it
_RENEWAL: Final = 10.0
_SHORTLY: Final = 0.5  # seconds between two looks at what waits
_FOLDING: Final = 3.0
_PRUNING: Final = 5.0  # a thousand at a time, and a registry may tell a hundred things a second
_PAUSE: Final = 1.0  # after a fault of the database, and before another look at who has the lease

log = logging.getLogger(__name__)


def serve() -> None:
    """Until this process is asked to end. Of several, on however many machines, one at a time does it."""
    while not ending.asked():
        try:
            lease = resident.take(KIND)
            if lease is None:
                time.sleep(_PAUSE)
                continue
            _Serving(lease).run()
            lease.end(Job.State.DONE, "")
        except LeaseLost:
            log.warning("another process handles events now")
        except DatabaseFault:
            log.exception("events wait: the database failed")
            connections.close_all()
            time.sleep(_PAUSE)


class _Serving:
    def __init__(self, lease: Lease) -> None:
        self._lease, self._handling = lease, Handling(lease)
        self._due: dict[float, float] = {}

    def run(self) -> None:
        inbox.hurry()
        try:
            while not ending.asked():
                handled = self._handling.some()
                self._now_and_then()
                if handled < MOST:  # the more come together, the less each costs, and the less the inbox is busy
                    time.sleep(_LOOK)
        finally:
            self._handling.close()

    def _now_and_then(self) -> None:
        if self._is_due(_RENEWAL):
            self._lease.renew()
        if self._is_due(_SHORTLY):
            self._end_waiting()
            rereading.read_due(self._handling)
            self._handling.writer.refresh_due()
        if self._is_due(_FOLDING) and counting.are_due():
            with self._lease.writing():
                counting.fold()
        if self._is_due(_PRUNING):
            with self._lease.writing():
                seen.prune(timezone.now())
                counting.prune(timezone.now())

    def _end_waiting(self) -> None:
        now = timezone.now()
        if waiting.are_due(now):
            with self._lease.writing():
                waiting.end_due(now)

    def _is_due(self, every: float) -> bool:
        now = time.monotonic()
        if now < self._due.get(every, 0.0):
            return False
        self._due[every] = now + every
        return True
