"""Rows of sweeps: how each registry may be swept, what a sweep found, and how far it is with each blob."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from catalog.models.content import DIGEST_LENGTH
from jobs.models import Job
from jobs.schedule import Schedule, When
from registries.encrypted import EncryptedTextField
from registries.models import Registry

DAY = 24 * 3600  # seconds
MINUTE = 60


class SweepTermsQuerySet(models.QuerySet["SweepTerms"]):
    def due(self, now: datetime) -> Self:
        return self.filter(next_at__lte=now, registry__retired_at=None)


class SweepTerms(models.Model):
    """What an admin says of a registry, so that it can be swept while it runs; without a row nothing was said."""

    class Processes(models.TextChoices):
        UNSAID = "", _("Not said")
        ONE = "one", _("One process")
        SEVERAL = "several", _("Several processes")

    class Cache(models.TextChoices):
        UNSAID = "", _("Not said")
        NONE = "none", _("None")
        INMEMORY = "inmemory", _("In memory")
        REDIS = "redis", _("Redis")

    NAMED_BY = "registry__name"

    registry = models.OneToOneField(Registry, models.CASCADE, primary_key=True, related_name="sweep_terms")
    processes = models.CharField(max_length=8, choices=Processes.choices, blank=True)
    cache = models.CharField(max_length=8, choices=Cache.choices, blank=True)
    redis_url = EncryptedTextField(blank=True)  # of that cache: it may hold a password
    grace_seconds = models.PositiveIntegerField(default=DAY)
    settle_seconds = models.PositiveIntegerField(default=MINUTE)
    hold_seconds = models.PositiveIntegerField(default=DAY)
    # Its schedule, as `jobs.schedule.Schedule` has it.
    when = models.CharField(max_length=8, choices=[(when.value, when.value) for when in When], default=When.BY_HAND)
    every = models.PositiveIntegerField(default=0)  # minutes
    cron = models.CharField(max_length=200, blank=True)
    zone = models.CharField(max_length=64, default="UTC")
    window = models.CharField(max_length=20, blank=True)
    next_at = models.DateTimeField(null=True, blank=True)  # when it is due; None: when somebody asks

    objects = SweepTermsQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["next_at"], condition=Q(next_at__isnull=False), name="sweep_terms_by_due"),
        ]

    def __str__(self) -> str:
        return f"sweep terms of {self.registry_id}"

    @property
    def schedule(self) -> Schedule:
        """Not checked yet: a row may have been changed by hand."""
        return Schedule(When(self.when), self.cron, self.zone, self.every, self.window)


class SweepQuerySet(models.QuerySet["Sweep"]):
    def newest_first(self) -> Self:
        return self.order_by("-id")

    def unfinished(self) -> Self:
        """Those that hold something aside, or may."""
        return self.filter(state__in=[Sweep.State.UNDER_WAY, Sweep.State.HOLDING, Sweep.State.BROKEN_OFF])


class Sweep(models.Model):
    """One sweep of a registry's storage folder while the registry runs."""

    class State(models.TextChoices):
        NEW = "new", _("Not planned yet")
        PLANNED = "planned", _("Planned")
        UNDER_WAY = "under-way", _("Under way")
        HOLDING = "holding", _("Holds what it moved aside")
        DONE = "done", _("Done")
        BROKEN_OFF = "broken-off", _("Broken off")

    registry = models.ForeignKey(Registry, models.CASCADE, related_name="sweeps", db_index=False)
    job = models.ForeignKey(Job, models.SET_NULL, null=True, blank=True, related_name="+")
    state = models.CharField(max_length=16, choices=State.choices, default=State.NEW)
    grace_seconds = models.PositiveIntegerField()  # how long nothing may have touched what goes
    settle_seconds = models.PositiveIntegerField()  # how long it waits before it looks again
    hold_seconds = models.PositiveIntegerField()  # how long what was moved aside can be put back
    found = models.PositiveIntegerField(default=0)  # blobs, and
    found_bytes = models.PositiveBigIntegerField(default=0)
    manifests = models.PositiveIntegerField(default=0)  # that were read to mark what is in use
    left_uploads = models.PositiveIntegerField(default=0)  # that nobody went on with, and
    upload_bytes = models.PositiveBigIntegerField(default=0)
    cache = models.CharField(max_length=8, blank=True)  # as its trial found it, `SweepTerms.Cache`
    message = models.TextField(blank=True)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    actor = models.CharField(max_length=255, blank=True)  # "": its schedule, or a command
    is_by_command = models.BooleanField(default=False)
    created_at = models.DateTimeField(db_default=Now())
    planned_at = models.DateTimeField(null=True, blank=True)
    began_at = models.DateTimeField(null=True, blank=True)
    resumes_at = models.DateTimeField(null=True, blank=True)  # when what it holds is deleted
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = SweepQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["registry", "-id"], name="sweeps_of_a_registry"),
            models.Index(fields=["resumes_at"], condition=Q(resumes_at__isnull=False), name="sweeps_that_hold"),
        ]

    def __str__(self) -> str:
        return f"sweep {self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("sweep", args=[self.pk])

    @property
    def grace(self) -> timedelta:
        return timedelta(seconds=self.grace_seconds)


class SweptBlobQuerySet(models.QuerySet["SweptBlob"]):
    def open(self) -> Self:
        return self.filter(state__in=[SweptBlob.State.PLANNED, SweptBlob.State.BEGUN])

    def unsettled(self) -> Self:
        """What may be unlinked, or lie aside."""
        return self.filter(state__in=[SweptBlob.State.BEGUN, SweptBlob.State.ASIDE])

    def in_order(self) -> Self:
        return self.order_by("id")


class SweptBlob(models.Model):
    """One blob that nothing refers to. `begun` is the intent: it is committed before anything is unlinked."""

    class State(models.TextChoices):
        PLANNED = "planned", _("Planned")
        BEGUN = "begun", _("Begun")
        ASIDE = "aside", _("Moved aside")
        DELETED = "deleted", _("Deleted")
        KEPT = "kept", _("Kept: it is used again")
        PUT_BACK = "put-back", _("Put back")

    sweep = models.ForeignKey(Sweep, models.CASCADE, related_name="blobs", db_index=False)
    digest = models.CharField(max_length=DIGEST_LENGTH)
    size = models.PositiveBigIntegerField()
    links = models.JSONField(default=list)  # [repository, digest] of each link of it: what putting back writes again
    state = models.CharField(max_length=8, choices=State.choices, default=State.PLANNED)

    objects = SweptBlobQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["sweep", "digest"], name="swept_once_in_a_sweep"),
        ]
        indexes = [
            models.Index(fields=["sweep", "state", "id"], name="swept_by_state"),
            models.Index(fields=["sweep", "-size", "-id"], name="swept_by_size"),
            models.Index(fields=["digest"], name="swept_by_digest"),
        ]

    def __str__(self) -> str:
        return f"{self.sweep_id} {self.digest}"


class SweptUploadQuerySet(models.QuerySet["SweptUpload"]):
    def open(self) -> Self:
        return self.filter(removed_at=None)

    def in_order(self) -> Self:
        return self.order_by("id")


class SweptUpload(models.Model):
    """An upload that was begun and that nobody went on with; written before it is removed."""

    sweep = models.ForeignKey(Sweep, models.CASCADE, related_name="uploads", db_index=False)
    repository = models.CharField(max_length=255)
    uuid = models.CharField(max_length=36)
    size = models.PositiveBigIntegerField()
    removed_at = models.DateTimeField(null=True, blank=True)

    objects = SweptUploadQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["sweep", "repository", "uuid"], name="swept_upload_once"),
        ]

    def __str__(self) -> str:
        return f"{self.repository} {self.uuid}"
