"""The row of a job."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from jobs.kinds import RESIDENT

SKEW: Final = timedelta(seconds=15)  # by so much the clocks of two machines may differ


class JobQuerySet(models.QuerySet["Job"]):
    def unfinished(self) -> Self:
        return self.filter(state__in=Job.UNFINISHED)

    def finished_before(self, moment: datetime) -> Self:
        return self.exclude(state__in=Job.UNFINISHED).filter(finished_at__lt=moment)

    def for_people(self) -> Self:
        """Those that somebody may watch, stop and run again."""
        return self.exclude(kind__in=RESIDENT)

    def newest_first(self) -> Self:
        return self.order_by("-id")

    def abandoned(self, now: datetime, lease: timedelta) -> Self:
        """Running, by its row, but nobody has renewed the lease.

        One that ends later than any lease given now was written by a clock that was ahead. A worker that
        lives renews it; where the sweep comes first, that worker finds its lease lost.
        """
        ended, ahead = Q(leased_until__lt=now), Q(leased_until__gt=now + lease + SKEW)
        return self.for_people().filter(state=Job.State.RUNNING).filter(ended | ahead)

    def unheard(self, now: datetime, patience: timedelta) -> Self:
        """Queued, and no worker took it: its message is lost, or the workers are busy, or the clock went back."""
        overdue, ahead = Q(sent_at__lt=now - patience), Q(sent_at__gt=now + SKEW)
        return self.for_people().filter(state=Job.State.QUEUED).filter(Q(sent_at=None) | overdue | ahead)


class Job(models.Model):
    class State(models.TextChoices):
        QUEUED = "queued", _("Queued")
        RUNNING = "running", _("Running")
        ASKING = "asking", _("Waits for an answer")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")
        STOPPED = "stopped", _("Stopped")

    UNFINISHED = (State.QUEUED, State.RUNNING, State.ASKING)

    kind = models.CharField(max_length=32)
    subject = models.CharField(max_length=64)  # what it works on: "registry:3"
    title = models.CharField(max_length=200)  # what a person reads; the subject may be gone by then
    state = models.CharField(max_length=16, choices=State.choices, default=State.QUEUED)
    params = models.JSONField(default=dict)  # ids and answers; never a secret
    progress = models.JSONField(default=dict)
    question = models.JSONField(default=dict)  # what it asks, while it is asking
    message = models.TextField(default="", blank=True)  # how it ended, in a sentence
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")

    attempts = models.PositiveSmallIntegerField(default=0)
    fence = models.PositiveIntegerField(default=0)
    leased_until = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    stop_requested_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "subject"],
                condition=Q(state__in=["queued", "running", "asking"]),
                name="one_unfinished_job_of_a_kind_on_a_subject",
            ),
        ]
        indexes = [
            models.Index(fields=["state", "leased_until"], name="jobs_by_state"),
            models.Index(fields=["subject", "-id"], name="jobs_of_a_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject} ({self.state})"

    @property
    def is_unfinished(self) -> bool:
        return self.state in self.UNFINISHED

    @property
    def is_moving(self) -> bool:
        """It changes by itself; one that asks waits for a person."""
        return self.state in {self.State.QUEUED, self.State.RUNNING}

    @property
    def stop_requested(self) -> bool:
        return self.is_unfinished and self.stop_requested_at is not None

    @property
    def duration(self) -> timedelta | None:
        """How long it has run, or ran; None before it began."""
        if self.started_at is None:
            return None
        return (self.finished_at or timezone.now()) - self.started_at

    def figure(self, name: str) -> Any:
        """One figure of the progress, None while it is not known."""
        return self.progress.get(name)
