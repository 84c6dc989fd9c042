"""What is kept of runs: what they deleted for long, why the rest stayed only of the last in each registry."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db.models import Exists, OuterRef, QuerySet

from cleanup.models import RetentionRun, RunRepository
from jobs.models import Job

KEPT: Final = timedelta(days=180)  # runs
_PLANS: Final = timedelta(days=7)  # those that nobody carried out
_TOGETHER: Final = 200
_OVER: Final = (RetentionRun.State.DONE, RetentionRun.State.BROKEN_OFF)


def prune(now: datetime) -> None:
    """Few rows a statement, so that nobody waits for long."""
    old = RetentionRun.objects.filter(state__in=_OVER, created_at__lt=now - KEPT)
    plans = RetentionRun.objects.filter(state__in=[RetentionRun.State.NEW, RetentionRun.State.PLANNED], began_at=None)
    unwanted = plans.filter(created_at__lt=now - _PLANS).exclude(job__state__in=Job.UNFINISHED)
    for runs in (old, unwanted):
        for key in list(runs.values_list("pk", flat=True)):
            runs.filter(pk=key).delete()  # with all its tags; and not if somebody has set it going by now
    _forget_kept()


def _forget_kept() -> None:
    later = RetentionRun.objects.filter(
        registry=OuterRef("run__registry"), pk__gt=OuterRef("run"), state=RetentionRun.State.DONE
    )
    former = RunRepository.objects.filter(run__state__in=_OVER).filter(Exists(later))
    while some := _keys(former.filter(state=RunRepository.State.DONE, doomed=0)):
        RunRepository.objects.filter(pk__in=some).delete()
    while some := _keys(former.exclude(kept_tags=b"")):
        RunRepository.objects.filter(pk__in=some).update(kept_tags=b"")


def _keys(rows: QuerySet[RunRepository]) -> list[int]:
    return list(rows.values_list("pk", flat=True)[:_TOGETHER])
