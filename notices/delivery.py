"""Telling what is due: at least once, by one worker at a time for each recipient, and again later where it failed.

A worker claims a recipient, then each notice, by an update that only one can win. One that dies in between leaves a
claim that ends by itself, and then the notice is told again, with the same id.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_noop

from notices import mailing, webhook
from notices.models import LEASE, Attempt, Notice, Subscription
from notices.policy import MOST_ATTEMPTS, PATIENCE, pause, rest, wait
from notices.webhook import Told

BUDGET: Final = 10.0  # seconds that the process for short work gives to this at a time
_TURN: Final = 3.0  # of them to one recipient, while others wait
_AT_ONCE: Final = 50
_GONE: Final = gettext_noop("It answered 410: it wants no notices any more.")
_FAILED_FOR_DAYS: Final = gettext_noop("It has failed for %(n)s days: %(why)s")
SENTENCES: Final = (_GONE, _FAILED_FOR_DAYS)

log = logging.getLogger(__name__)


def deliver() -> None:
    """Tell what is due, for some seconds. What is left is due again at once."""
    until = time.monotonic() + BUDGET
    for subscription in Subscription.objects.due(timezone.now()):
        if time.monotonic() >= until:
            return
        _turn(subscription, min(until, time.monotonic() + _TURN))


def tell(
    subscription: Subscription, notices: Sequence[Notice], *, is_asked_for: bool = False, once: bool = False
) -> Told | None:
    """Tell these now; None where another is at them.

    `is_asked_for`: a person waits, and that it fails is not held against the recipient; `once`: nor is it tried again.
    """
    mine = [notice for notice in notices if _claimed(notice)]
    if not mine:
        return None
    at, began = timezone.now(), time.monotonic()
    told = webhook.post(subscription, mine[0]) if subscription.is_webhook else mailing.send(subscription, mine)
    milliseconds = round(1_000 * (time.monotonic() - began))
    attempts = [
        Attempt(
            subscription=subscription,
            notice=notice,
            at=at,
            status=told.status,
            fault=told.fault,
            milliseconds=milliseconds,
            answer=told.answer,
        )
        for notice in mine
    ]
    with transaction.atomic():
        Attempt.objects.bulk_create(attempts, batch_size=50)
        if told.fault:
            _failed(subscription, mine, told, is_asked_for=is_asked_for, once=once)
        else:
            _taken(subscription, mine, milliseconds / 1_000)
    if told.fault:
        log.warning("notices for %s: %s", subscription.pk, told.fault)
    return told


def _turn(subscription: Subscription, until: float) -> None:
    now = timezone.now()
    ends = now + LEASE
    if not Subscription.objects.unclaimed(now).filter(pk=subscription.pk).update(busy_until=ends):
        return
    try:
        exhausted = subscription.notices.due(now).filter(attempts__gte=MOST_ATTEMPTS)
        exhausted.update(state=Notice.State.PARKED)
        while time.monotonic() < until and (batch := _next(subscription)):
            began = time.monotonic()
            told = tell(subscription, batch)
            if told is None or told.fault or pause(time.monotonic() - began):
                return
    finally:
        Subscription.objects.filter(pk=subscription.pk, busy_until=ends).update(busy_until=timezone.now())


def _next(subscription: Subscription) -> Sequence[Notice]:
    now = timezone.now()
    due = subscription.notices.due(now).order_by("pk")
    if subscription.is_webhook:
        return list(due[:1])
    return mailing.next_mail(subscription, list(due[: mailing.TOGETHER]), now)


def _claimed(notice: Notice) -> bool:
    """Count the attempt before it is made, so that one which kills its worker is counted too."""
    claimed = Notice.objects.filter(
        pk=notice.pk, state=Notice.State.WAITING, attempts=notice.attempts, next_at=notice.next_at
    ).update(attempts=F("attempts") + 1, next_at=timezone.now() + LEASE)
    notice.attempts += claimed
    return bool(claimed)


def _taken(subscription: Subscription, notices: Sequence[Notice], seconds: float) -> None:
    now, rests = timezone.now(), pause(seconds)
    Notice.objects.filter(pk__in=[notice.pk for notice in notices]).update(state=Notice.State.DELIVERED)
    Subscription.objects.filter(pk=subscription.pk).update(
        failures=0, failing_since=None, resume_at=now + rests if rests else None, delivered_at=now
    )


def _failed(
    subscription: Subscription, notices: Sequence[Notice], told: Told, *, is_asked_for: bool, once: bool
) -> None:
    now = timezone.now()
    for notice in notices:
        later = None if once else wait(notice.attempts, told.asked)
        values = {"next_at": now + later} if later else {"state": Notice.State.PARKED}
        # Where somebody else has taken it meanwhile, how it goes there is what counts.
        Notice.objects.filter(pk=notice.pk, attempts=notice.attempts).exclude(state=Notice.State.DELIVERED).update(
            **values
        )
    if not is_asked_for:
        _note_failure(subscription, told, now)


def _note_failure(subscription: Subscription, told: Told, now: datetime) -> None:
    row = Subscription.objects.select_for_update().get(pk=subscription.pk)
    row.failures += 1
    row.failing_since = row.failing_since or now
    row.resume_at = now + rest(row.failures, told.asked)
    failing = now - row.failing_since
    if told.is_gone:
        row.enabled, row.why_disabled = False, _GONE
    elif failing >= PATIENCE:
        days = failing // timedelta(days=1)
        row.enabled, row.why_disabled = False, _FAILED_FOR_DAYS % {"n": days, "why": told.fault}
    row.save(update_fields=["failures", "failing_since", "resume_at", "enabled", "why_disabled"])
