"""A sweep by commands, and each command that was run for it: what was meant to be done stands here before it is."""

from __future__ import annotations

from datetime import timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from jobs.models import Job
from registries.models import Registry


class ClassicRunQuerySet(models.QuerySet["ClassicRun"]):
    def newest_first(self) -> Self:
        return self.order_by("-id")

    def closed(self) -> Self:
        """Those whose registry Berth has made read-only, or is about to, and has not opened since."""
        return self.filter(closed_at__isnull=False, opened_at=None)

    def unclosed(self) -> Self:
        return self.exclude(closed_at__isnull=False, opened_at=None)

    def unowned(self) -> Self:
        """Those that nobody carries out, or is about to."""
        return self.exclude(job__state__in=Job.UNFINISHED)


class ClassicRun(models.Model):
    class State(models.TextChoices):
        NEW = "new", _("Not planned yet")
        PLANNED = "planned", _("Planned")  # its dry run is done
        UNDER_WAY = "under-way", _("Under way")
        DONE = "done", _("Done")
        BROKEN_OFF = "broken-off", _("Broken off")  # the registry is as it was before, or with less that is unused
        STUCK = "stuck", _("Needs a person")  # the registry may still be read-only

    registry = models.ForeignKey(Registry, models.CASCADE, related_name="classic_runs", db_index=False)
    state = models.CharField(max_length=16, choices=State.choices, default=State.NEW)
    only_plan = models.BooleanField(default=False)
    job = models.ForeignKey(Job, models.SET_NULL, null=True, blank=True, related_name="+")
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    actor = models.CharField(max_length=255, blank=True)  # "": its schedule
    # What the last dry run said, and the catalog knows of it; None before.
    marked = models.PositiveBigIntegerField(null=True, blank=True)  # blobs that stay
    doomed = models.PositiveBigIntegerField(null=True, blank=True)  # blobs that go, manifests among them
    doomed_size = models.PositiveBigIntegerField(default=0)  # bytes of those whose size is known
    of_unknown_size = models.PositiveBigIntegerField(default=0)
    in_use = models.JSONField(default=list)  # some that a present manifest uses, [digest, repository]
    in_trash = models.PositiveIntegerField(default=0)  # images in the trash that cannot come back without them
    removed_from = models.JSONField(default=list)  # some that go, [digest, repository]: to ask for them afterwards
    message = models.TextField(blank=True)
    by_hand = models.JSONField(default=list)  # while it is stuck, the commands that open the registry: words of each
    created_at = models.DateTimeField(db_default=Now())
    planned_at = models.DateTimeField(null=True, blank=True)
    began_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)  # before the first command that makes it read-only
    collected_at = models.DateTimeField(null=True, blank=True)
    opened_at = models.DateTimeField(null=True, blank=True)  # it was seen to take an upload again
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = ClassicRunQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["registry", "-id"], name="classic_runs_of_a_registry"),
            models.Index(
                fields=["id"], condition=Q(closed_at__isnull=False, opened_at=None), name="classic_runs_that_are_closed"
            ),
        ]

    def __str__(self) -> str:
        return f"garbage collection {self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("cleanup-commands-run", args=[self.pk])

    @property
    def is_closed(self) -> bool:
        return self.closed_at is not None and self.opened_at is None

    @property
    def closed_for(self) -> timedelta | None:
        """How long nobody could push; None where it never was read-only, or is still."""
        return self.opened_at - self.closed_at if self.closed_at and self.opened_at else None

    @property
    def blobs(self) -> int:
        """All that the registry has, by the last dry run."""
        return (self.marked or 0) + (self.doomed or 0)


class ClassicStepQuerySet(models.QuerySet["ClassicStep"]):
    def in_order(self) -> Self:
        return self.order_by("id")


class ClassicStep(models.Model):
    """One command. What it printed is a stranger's text, without control characters and cut in the middle."""

    class Kind(models.TextChoices):
        DRY_RUN = "dry-run", _("Dry run")
        READ_ONLY_ON = "read-only-on", _("Read-only on")
        COMPARE = "compare", _("Dry run once more, while nobody can push")
        COLLECT = "collect", _("Garbage collection")
        READ_ONLY_OFF = "read-only-off", _("Read-only off")
        RESTART = "restart", _("Restart")

    class State(models.TextChoices):
        BEGUN = "begun", _("Under way")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")
        TOO_LONG = "too-long", _("Took too long, and was ended")
        CUT_OFF = "cut-off", _("Cut off")  # it was stopped, or whoever ran it died: nobody knows how far it came

    run = models.ForeignKey(ClassicRun, models.CASCADE, related_name="steps", db_index=False)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    state = models.CharField(max_length=16, choices=State.choices, default=State.BEGUN)
    argv = models.JSONField()
    exit_code = models.IntegerField(null=True, blank=True)  # negative: the signal that killed it
    output = models.TextField(blank=True)
    figures = models.JSONField(default=dict)  # of what garbage-collect said: marked, doomed, manifests
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = ClassicStepQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["run", "id"], name="classic_steps_of_a_run")]

    def __str__(self) -> str:
        return f"{self.kind} ({self.state})"

    @property
    def took(self) -> timedelta | None:
        return self.ended_at - self.began_at if self.ended_at else None
