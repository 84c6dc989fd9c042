"""A registry that is closed for a while: jobs that would write to it wait, and those that write end first.

Whoever closes it says so in its row and then looks for jobs that write; a job is claimed in its row first, and then
looks whether its registry is closed. So of the two one sees the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from jobs.kinds import writing
from jobs.models import Job
from registries.models import Registry


def close(registry: Registry, now: datetime, by: str) -> None:
    """From now on no job that writes to it goes on after it was claimed."""
    Registry.objects.filter(pk=registry.pk).update(closed_since=now, closed_by=by)


def open_again(registry: Registry) -> None:
    """What waited goes on with the next sweep of jobs."""
    Registry.objects.filter(pk=registry.pk).update(closed_since=None, closed_by="")


def writers(registry: Registry) -> QuerySet[Job]:
    """Jobs that may be writing to it at this moment."""
    about = Q(subject=registry.job_subject) | Q(params__registry=registry.pk)
    return Job.objects.filter(about, state=Job.State.RUNNING, kind__in=writing())


def is_closed_to(kind: str, subject: str, params: Mapping[str, Any]) -> bool:
    """Whether a job of this kind has to wait."""
    if kind not in writing():
        return False
    named = subject.removeprefix("registry:") if subject.startswith("registry:") else params.get("registry", "")
    if not str(named).isdecimal():
        return False
    return Registry.objects.filter(pk=named, closed_since__isnull=False).exists()
