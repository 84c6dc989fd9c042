"""Jobs that a process of its own does for as long as it lives: no worker takes them, and no list shows them."""

from __future__ import annotations

import os
import socket
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from django.db.models import F, Q
from django.utils import timezone

from jobs import kinds, services
from jobs.models import SKEW, Job
from jobs.running import LEASE, Lease

_KEPT: Final = timedelta(days=1)  # what such a job has asked of a registry may be told of later


def take(kind: str) -> Lease | None:
    """The right to do the job of this kind, for as long as it is renewed; None while another process has it.

    Whoever had it on this machine and lives no more has lost it; of another machine nobody knows until the lease ends.
    """
    assert kind in kinds.RESIDENT  # noqa: S101  or a worker would take it too
    Job.objects.filter(kind=kind).finished_before(timezone.now() - _KEPT).delete()
    job, _ = services.queue(kind, kind, kind, here=True)
    now, me = timezone.now(), _me()
    free = Q(state=Job.State.QUEUED) | Q(leased_until__lt=now) | Q(leased_until__gt=now + LEASE + SKEW)
    if job.params == me or _is_dead(job.params):
        free |= Q(fence=job.fence)
    taken = Job.objects.unfinished().filter(free, pk=job.pk)
    if not taken.update(
        state=Job.State.RUNNING,
        fence=F("fence") + 1,
        attempts=1,
        leased_until=now + LEASE,
        started_at=now,
        params=me,
    ):
        return None
    job.refresh_from_db()
    return Lease(job) if job.params == me else None


def _me() -> dict[str, Any]:
    return {"machine": _machine(), "process": os.getpid(), "began": _began(os.getpid())}


def _is_dead(holder: dict[str, Any]) -> bool:
    """Whether the process that had the job is surely gone: it was on this machine, and no such one is there."""
    if not holder or holder.get("machine") != _machine():
        return False
    return _began(holder["process"]) != holder.get("began")


def _machine() -> str:
    """Where the number of a process means that process: two containers of one name count from one each."""
    try:
        return f"{socket.gethostname()} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return socket.gethostname()


_STARTED: Final = 19  # place of a process's start among the fields behind its name, proc(5)


def _began(process: int) -> str:
    """When a process began, in ticks since the machine did, so that a number given again is told; "": there is none."""
    try:
        with open(f"/proc/{process}/stat", encoding="utf-8", errors="replace") as file:  # noqa: PTH123  a fixed path
            return file.read().rpartition(")")[2].split()[_STARTED]
    except OSError:
        return ""
