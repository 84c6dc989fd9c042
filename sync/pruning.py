"""What is kept of runs: what they changed for long, that they found nothing to do only of the last."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db.models import OuterRef, Subquery

from jobs.models import Job
from sync.models import DatedImage, Item, Run

KEPT: Final = timedelta(days=180)  # runs
_PLANS: Final = timedelta(days=7)  # those that nobody carried out
_DATES: Final = 200_000  # images whose age is remembered
_TOGETHER: Final = 200
_OVER: Final = (Run.State.DONE, Run.State.BROKEN_OFF)


def prune(now: datetime) -> None:
    """Few rows a statement, so that nobody waits for long."""
    old = Run.objects.filter(state__in=_OVER, created_at__lt=now - KEPT)
    plans = Run.objects.filter(state__in=[Run.State.NEW, Run.State.PLANNED], began_at=None)
    unwanted = plans.filter(created_at__lt=now - _PLANS).exclude(job__state__in=Job.UNFINISHED)
    for runs in (old, unwanted):
        for key in list(runs.values_list("pk", flat=True)):
            runs.filter(pk=key).delete()  # with thousands of items; and not if somebody has set it going by now
    _forget_unchanged()
    newest = DatedImage.objects.order_by("-pk").values_list("pk", flat=True)[_DATES : _DATES + 1].first()
    if newest is not None:
        DatedImage.objects.filter(pk__lte=newest).delete()


def _forget_unchanged() -> None:
    """That a tag was unchanged is of interest in the newest run of its rule; how many there were is kept."""
    newest = Run.objects.filter(rule=OuterRef("run__rule")).newest_first().values("pk")[:1]
    items = Item.objects.filter(act=Item.Act.KEEP, run__state__in=_OVER, run__rule__isnull=False)
    older = items.exclude(run_id=Subquery(newest))
    while Item.objects.filter(pk__in=list(older.values_list("pk", flat=True)[:_TOGETHER])).delete()[0]:
        pass
