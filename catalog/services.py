"""The verbs of the catalog that others call: ask for a scan, now or when it is due."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.utils import timezone

from catalog.models import Scan
from catalog.policy import next_scan_at
from catalog.scan import KIND
from jobs import services as jobs
from jobs.models import Job
from registries.models import Registry

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser


def request_scan(registry: Registry, requested_by: AbstractBaseUser | None = None) -> tuple[Job, bool]:
    """The unfinished scan of this registry, and whether it is new: two never overlap."""
    return jobs.queue(KIND, registry.job_subject, f"Scan of {registry.name}", requested_by=requested_by)


def next_scan(registry: Registry) -> datetime:
    """When the next scan is due by itself: now, where there was none."""
    last = Scan.objects.filter(registry=registry).newest_first().first()
    if last is None:
        return timezone.now()
    longest = max(last.duration, _last_duration(registry))
    return next_scan_at(last.started_at, longest)


def _last_duration(registry: Registry) -> timedelta:
    """Of the last complete scan: one that failed at once says nothing of how long a scan takes."""
    last = Scan.objects.complete().filter(registry=registry).newest_first().first()
    return last.duration if last else timedelta(0)


def queue_due_scans() -> None:
    now = timezone.now()
    for registry in Registry.objects.active():
        if next_scan(registry) <= now:
            request_scan(registry)
