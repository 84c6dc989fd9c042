"""How long runs are kept."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from cleanup.models import Run
from jobs.models import Job

KEPT: Final = timedelta(days=180)  # runs
_PLANS: Final = timedelta(days=7)  # those that nobody carried out
_OVER: Final = (Run.State.DONE, Run.State.BROKEN_OFF)


def prune(now: datetime) -> None:
    old = Run.objects.filter(state__in=_OVER, created_at__lt=now - KEPT)
    plans = Run.objects.filter(state__in=[Run.State.NEW, Run.State.PLANNED], began_at=None)
    unwanted = plans.filter(created_at__lt=now - _PLANS).exclude(job__state__in=Job.UNFINISHED)
    for runs in (old, unwanted):
        for key in list(runs.values_list("pk", flat=True)):
            runs.filter(pk=key).delete()  # with all its tags; and not if somebody has set it going by now
