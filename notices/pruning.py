"""What is kept of the log: the newest attempts of each recipient, and the notices that they are about."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db.models import Exists, OuterRef, QuerySet

from notices.models import Attempt, Mark, Notice, Subscription

KEPT: Final = 200  # attempts of a recipient
LONGEST: Final = timedelta(days=4)  # that a notice waits: longer than all its attempts take
_FRESH: Final = timedelta(days=1)
_BEFORE: Final = timedelta(hours=1)  # the floor: what is looked at again must find that it was queued
_BATCH: Final = 500  # rows a transaction


def prune(now: datetime) -> None:
    mark = Mark.objects.first()
    old_enough = min(now - _FRESH, mark.floor_at - _BEFORE) if mark else now - _FRESH
    for pk in Subscription.objects.values_list("pk", flat=True):
        attempts = Attempt.objects.filter(subscription=pk)
        first_old = attempts.order_by("-pk").values_list("pk", flat=True)[KEPT : KEPT + 1]
        for old in first_old:
            _delete(attempts.filter(pk__lte=old))
        notices = Notice.objects.filter(subscription=pk)
        notices.filter(state=Notice.State.WAITING, created_at__lt=now - LONGEST).update(state=Notice.State.PARKED)
        tried = Exists(Attempt.objects.filter(notice=OuterRef("pk")))
        _delete(notices.finished().filter(~tried, created_at__lt=old_enough))


def _delete(rows: QuerySet[Attempt] | QuerySet[Notice]) -> None:
    while batch := list(rows.values_list("pk", flat=True)[:_BATCH]):
        rows.model.objects.filter(pk__in=batch).delete()
