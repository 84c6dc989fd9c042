"""Which finished jobs are kept: those of the last 90 days, and the newest 100 of each kind on each subject."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from jobs.models import Job

KEPT: Final = timedelta(days=90)
NEWEST: Final = 100
_BATCH: Final = 200  # rows a transaction


def prune(now: datetime) -> int:
    """Delete the others; how many they were."""
    old = Job.objects.finished_before(now - KEPT)
    deleted = 0
    for kind, subject in old.order_by().values_list("kind", "subject").distinct():
        newest = Job.objects.filter(kind=kind, subject=subject).newest_first().values_list("pk", flat=True)[:NEWEST]
        too_old = old.filter(kind=kind, subject=subject, pk__lt=min(newest)).values_list("pk", flat=True)
        while batch := list(too_old[:_BATCH]):
            Job.objects.filter(pk__in=batch).delete()
            deleted += len(batch)
    return deleted
