"""Who wants to be told what, what they are to be told, and how each attempt to tell them went."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final, Self

from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from notices.kinds import Kind
from oci.errors import InvalidName
from oci.urls import Url
from registries.encrypted import EncryptedTextField
from registries.models import Registry

NAME_LENGTH: Final = 80
ANSWER_LENGTH: Final = 500
LEASE: Final = timedelta(seconds=60)  # longer than one turn of a worker at one recipient
_SKEW: Final = timedelta(seconds=15)  # by so much the clocks of two machines may differ


class SubscriptionQuerySet(models.QuerySet["Subscription"]):
    def due(self, now: datetime) -> Self:
        """Those that wait for something and may be told it, who was served longest ago first."""
        waiting = Notice.objects.due(now).filter(subscription=OuterRef("pk"))
        ready = Q(resume_at=None) | Q(resume_at__lte=now)
        longest_ago = F("busy_until").asc(nulls_first=True)
        return self.filter(ready, Exists(waiting), enabled=True).unclaimed(now).order_by(longest_ago, "pk")

    def unclaimed(self, now: datetime) -> Self:
        """No worker is at it. A claim that ends later than any given now was written by a clock that was ahead."""
        ahead = Q(busy_until__gt=now + LEASE + _SKEW)
        return self.filter(Q(busy_until=None) | Q(busy_until__lte=now) | ahead)


class Subscription(models.Model):
    """A recipient of notices, and what it wants to be told."""

    class Way(models.TextChoices):
        WEBHOOK = "webhook", _("Webhook")
        EMAIL = "email", _("E-mail")

    name = models.CharField(max_length=NAME_LENGTH)
    way = models.CharField(max_length=8, choices=Way.choices)
    target = EncryptedTextField()  # an address of the web, which often holds a secret, or those of mail, a line each
    secret = EncryptedTextField(blank=True)  # what a webhook is signed with
    ca = models.TextField(blank=True)  # PEM
    wishes = models.JSONField(default=list)  # values of Kind
    registry = models.ForeignKey(Registry, models.CASCADE, null=True, blank=True, related_name="+")
    repositories = models.CharField(max_length=255, default="*")
    created_by = models.CharField(max_length=255, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    enabled = models.BooleanField(default=True)
    why_disabled = models.TextField(blank=True)
    after_entry = models.BigIntegerField(default=0)  # what the audit had recorded before is not told
    since = models.DateTimeField(default=timezone.now)  # nor are jobs that failed before

    failures = models.PositiveIntegerField(default=0)  # one after the other
    failing_since = models.DateTimeField(null=True, blank=True)
    resume_at = models.DateTimeField(null=True, blank=True)  # it is left alone until then
    busy_until = models.DateTimeField(null=True, blank=True)  # a worker is at it, or was last
    delivered_at = models.DateTimeField(null=True, blank=True)  # the last that it took

    objects = SubscriptionQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name

    @property
    def is_webhook(self) -> bool:
        return self.way == self.Way.WEBHOOK

    @property
    def place(self) -> str:
        """Where it is, as far as that may be shown: path and query of a webhook are often its password."""
        if not self.is_webhook:
            return ", ".join(self.target.split())
        try:
            return str(Url.parse(self.target).origin)
        except InvalidName:
            return ""

    @property
    def wanted(self) -> list[str]:
        """Its wishes in words."""
        return [str(kind.label) for kind in Kind if kind.value in self.wishes]


class NoticeQuerySet(models.QuerySet["Notice"]):
    def due(self, now: datetime) -> Self:
        return self.filter(state=Notice.State.WAITING, next_at__lte=now)

    def finished(self) -> Self:
        return self.exclude(state=Notice.State.WAITING)


class Notice(models.Model):
    """One thing that one recipient is to be told."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waits")
        DELIVERED = "delivered", _("Delivered")
        PARKED = "parked", _("Given up")

    subscription = models.ForeignKey(Subscription, models.CASCADE, related_name="notices")
    source = models.CharField(max_length=40)  # "entry-12", "job-3": the id that the recipient is shown
    payload = models.JSONField()  # type, time, subject and data of its CloudEvent
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveIntegerField(default=0)  # counted before each, so it tells who is at it from who was
    next_at = models.DateTimeField(default=timezone.now)
    created_at = models.DateTimeField(default=timezone.now)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["subscription", "source"], name="a_thing_is_one_notice")]
        indexes = [
            models.Index(fields=["subscription", "next_at"], condition=Q(state="waiting"), name="notices_that_wait"),
        ]

    def __str__(self) -> str:
        return f"{self.source} to {self.subscription_id} ({self.state})"

    @property
    def event_type(self) -> str:
        return str(self.payload.get("type", ""))

    @property
    def subject(self) -> str:
        return str(self.payload.get("subject", ""))

    @property
    def data(self) -> dict[str, Any]:
        return dict(self.payload.get("data", {}))


class Attempt(models.Model):
    """How it went to tell a notice; those of one mail have one moment."""

    subscription = models.ForeignKey(Subscription, models.CASCADE, related_name="attempts")
    notice = models.ForeignKey(Notice, models.CASCADE, related_name="+")
    at = models.DateTimeField()
    status = models.PositiveSmallIntegerField(null=True, blank=True)  # of HTTP; None where nothing answered
    fault = models.TextField(blank=True)  # "": it was taken
    milliseconds = models.PositiveIntegerField(default=0)
    answer = models.CharField(max_length=ANSWER_LENGTH, blank=True)

    class Meta:
        indexes = [models.Index(fields=["subscription", "-id"], name="attempts_newest_first")]

    def __str__(self) -> str:
        return f"{self.notice_id} at {self.at}: {self.fault or 'taken'}"


class Mark(models.Model):
    """How far the audit and the jobs were looked through: a single row.

    An id may become visible after a higher one. So all above `floor` is looked at again as soon as anything changed
    there, and the floor follows minutes later.
    """

    floor = models.BigIntegerField()  # of the ids of entries
    floor_at = models.DateTimeField()  # when that was the highest of all
    top = models.BigIntegerField()  # the highest that was seen above it
    seen = models.BigIntegerField(default=0)  # and how many
    next_floor = models.BigIntegerField()
    next_floor_at = models.DateTimeField()
    jobs_until = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.floor} to {self.top}"
