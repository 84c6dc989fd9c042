"""Rows of checks: what each looked at, what it found broken, and whether sweeps of a registry are stopped for it."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog.models.content import DIGEST_LENGTH
from jobs.models import Job
from registries.models import Registry


class CheckQuerySet(models.QuerySet["Check"]):
    def newest_first(self) -> Self:
        return self.order_by("-id")

    def done(self) -> Self:
        return self.filter(state=Check.State.DONE)


class Check(models.Model):
    """One look at whether the images of a registry are all there. `reached` is the repository that it is past."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waits")  # for another check of its registry to end
        UNDER_WAY = "under-way", _("Under way")
        DONE = "done", _("Done")
        BROKEN_OFF = "broken-off", _("Broken off")

    class Way(models.TextChoices):
        API = "api", _("its API")
        FOLDER = "folder", _("its storage folder")

    registry = models.ForeignKey(Registry, models.CASCADE, related_name="checks", db_index=False)
    job = models.ForeignKey(Job, models.SET_NULL, null=True, blank=True, related_name="+")
    state = models.CharField(max_length=16, choices=State.choices, default=State.WAITING)
    sample = models.PositiveIntegerField(null=True, blank=True)  # tags of each repository; None: all
    repository = models.CharField(max_length=255, blank=True)  # "": all
    is_deep = models.BooleanField(default=False)  # every byte is read, and hashed
    after_job = models.BigIntegerField(null=True, blank=True)  # the sweep that it proves
    way = models.CharField(max_length=8, choices=Way.choices, blank=True)
    way_note = models.TextField(blank=True)  # why the storage folder was not read
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    actor = models.CharField(max_length=255, blank=True)  # "": Berth itself

    reached = models.CharField(max_length=255, blank=True)
    repositories = models.PositiveIntegerField(default=0)
    tags = models.PositiveIntegerField(default=0)
    manifests = models.PositiveIntegerField(default=0)
    blobs = models.PositiveIntegerField(default=0)
    size = models.PositiveBigIntegerField(default=0)  # bytes that were read of blobs, where it is deep
    broken = models.PositiveIntegerField(default=0)  # tags
    new = models.PositiveIntegerField(default=0)  # of those the ones that nobody knew of
    unasked = models.PositiveIntegerField(default=0)  # tags that could not be asked for: not broken, nor whole
    message = models.TextField(blank=True)
    created_at = models.DateTimeField(db_default=Now())
    began_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = CheckQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["registry", "-id"], name="checks_of_a_registry"),
        ]

    def __str__(self) -> str:
        return f"check {self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("check", args=[self.pk])

    @property
    def took(self) -> float | None:
        """Seconds."""
        return (self.ended_at - self.began_at).total_seconds() if self.began_at and self.ended_at else None


class CheckFindingQuerySet(models.QuerySet["CheckFinding"]):
    def broken(self) -> Self:
        return self.exclude(code=CheckFinding.Code.UNASKED)

    def open(self) -> Self:
        """What the last look at each tag found."""
        return self.filter(is_open=True)

    def in_order(self) -> Self:
        return self.order_by("id")


class CheckFinding(models.Model):
    """What a check found wrong with a tag. Open until another check looks at that tag again."""

    class Code(models.TextChoices):
        UNREADABLE = "unreadable", _("The tag cannot be read")
        NO_MANIFEST = "no-manifest", _("Its manifest is missing")
        NO_CHILD = "no-child", _("A manifest that its index lists is missing")
        NO_CONFIG = "no-config", _("Its config is missing")
        NO_LAYER = "no-layer", _("A layer is missing")
        DIFFERS = "differs", _("Other bytes than its digest says")
        UNASKED = "unasked", _("Could not be asked for")

    found_by = models.ForeignKey(Check, models.CASCADE, related_name="findings", db_index=False)
    registry = models.ForeignKey(Registry, models.CASCADE, related_name="+", db_index=False)  # that of the check
    repository = models.CharField(max_length=255)
    tag = models.CharField(max_length=128, blank=True)  # "": the repository could not be asked for its tags
    digest = models.CharField(max_length=DIGEST_LENGTH, blank=True)  # of the tag
    part = models.CharField(max_length=DIGEST_LENGTH, blank=True)  # what is missing, or differs
    code = models.CharField(max_length=16, choices=Code.choices)
    sentence = models.TextField()
    is_new = models.BooleanField(default=False)  # nobody knew of it before the last sweep
    is_open = models.BooleanField(default=True)
    first_seen = models.DateTimeField(default=timezone.now)

    objects = CheckFindingQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["found_by", "id"], name="findings_of_a_check"),
            models.Index(fields=["registry", "id"], condition=Q(is_open=True), name="findings_that_are_open"),
            models.Index(
                fields=["registry", "repository", "tag"], condition=Q(is_open=True), name="findings_open_of_a_tag"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.repository}:{self.tag} {self.code}"


class HaltQuerySet(models.QuerySet["Halt"]):
    def open(self) -> Self:
        return self.filter(lifted_at=None)


class Halt(models.Model):
    """Sweeps of a registry are stopped, until a person lifts it: what was kept may not be whole any more."""

    registry = models.ForeignKey(Registry, models.CASCADE, related_name="halts")
    why = models.TextField()
    since = models.DateTimeField(default=timezone.now)
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_by = models.CharField(max_length=255, blank=True)

    objects = HaltQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["registry"], condition=Q(lifted_at=None), name="halt_open_once_of_a_registry"
            ),
        ]

    def __str__(self) -> str:
        return f"halt {self.pk}"
