"""Scanning in a test, in the process of the test."""

from __future__ import annotations

from catalog.models import Scan
from catalog.services import request_scan
from jobs import running
from jobs.models import Job
from registries.models import Registry


def scan(registry: Registry, *, thorough: bool = False) -> Job:
    """Scan to the end of the job, as a worker would."""
    job, new = request_scan(registry, thorough=thorough)
    assert new
    running.run(job.pk)
    job.refresh_from_db()
    return job


def last_scan() -> Scan:
    scan = Scan.objects.newest_first().first()
    assert scan is not None
    return scan
