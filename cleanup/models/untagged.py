"""Runs that delete what nothing reaches any more: what each found, would delete and why, and what came of it."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from catalog.models import Manifest, Repository
from catalog.models.content import DIGEST_LENGTH
from jobs.models import Job
from registries.models import Registry
from tagging.models import Plan


class UntaggedRunQuerySet(models.QuerySet["UntaggedRun"]):
    def newest_first(self) -> Self:
        return self.order_by("-id")

    def under_way(self) -> Self:
        """With a job that is not over."""
        return self.filter(job__state__in=Job.UNFINISHED)


class UntaggedRun(models.Model):
    class State(models.TextChoices):
        NEW = "new", _("Not planned yet")
        PLANNED = "planned", _("Planned")
        UNDER_WAY = "under-way", _("Under way")
        DONE = "done", _("Carried out")
        BROKEN_OFF = "broken-off", _("Broken off")

    class Source(models.TextChoices):
        FOLDER = "folder", _("all that lies in the storage folder")
        CATALOG = "catalog", _("what scans have seen")

    registry = models.ForeignKey(Registry, models.CASCADE, related_name="untagged_runs", db_index=False)
    state = models.CharField(max_length=16, choices=State.choices, default=State.NEW)
    grace_hours = models.PositiveIntegerField(default=24)  # what is younger stays
    before = models.DateTimeField(null=True, blank=True)  # what came later was within the grace when this was planned
    source = models.CharField(max_length=8, choices=Source.choices, blank=True)
    source_note = models.TextField(blank=True)  # why the storage folder was not read
    found = models.PositiveBigIntegerField(default=0)  # manifests in all repositories that were judged
    stays = models.JSONField(default=dict)  # how many of them for each reason, `cleanup.untagged.judging.Stay`
    frees = models.PositiveBigIntegerField(default=0)  # bytes of blobs that nothing else is known to use
    left_alone = models.JSONField(default=list)  # the first repositories that were not judged, each with why
    left_alone_count = models.PositiveIntegerField(default=0)
    message = models.TextField(blank=True)  # how it ended, in a sentence

    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    actor = models.CharField(max_length=255, blank=True)  # who that was, when they may be gone
    job = models.ForeignKey(Job, models.SET_NULL, null=True, blank=True, related_name="untagged_runs")
    created_at = models.DateTimeField(db_default=Now())
    planned_at = models.DateTimeField(null=True, blank=True)
    began_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = UntaggedRunQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["registry", "-id"], name="untagged_runs_of_a_registry"),
        ]

    def __str__(self) -> str:
        return f"untagged run {self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("cleanup-untagged-run", args=[self.pk])


class UntaggedItemQuerySet(models.QuerySet["UntaggedItem"]):
    def open(self) -> Self:
        return self.filter(state=UntaggedItem.State.PLANNED)

    def in_order(self) -> Self:
        return self.order_by("position")


class UntaggedItem(models.Model):
    """One manifest in one repository. `plan`: the plan of tagging that deletes it, or did."""

    class State(models.TextChoices):
        PLANNED = "planned", _("Planned")
        DONE = "done", _("Done")
        SKIPPED = "skipped", _("Left alone")
        FAILED = "failed", _("Failed")

    run = models.ForeignKey(UntaggedRun, models.CASCADE, related_name="items", db_index=False)
    position = models.PositiveIntegerField()
    repository = models.ForeignKey(Repository, models.CASCADE, related_name="+")
    digest = models.CharField(max_length=DIGEST_LENGTH)
    kind = models.CharField(max_length=16, choices=Manifest.Kind.choices, blank=True)
    size = models.PositiveBigIntegerField(default=0)  # bytes of its blobs
    since = models.DateTimeField(null=True, blank=True)  # when it was pushed, or lost its last tag
    why = models.TextField(blank=True)  # it goes
    state = models.CharField(max_length=8, choices=State.choices, default=State.PLANNED)
    note = models.TextField(blank=True)  # why it was left alone, or failed
    plan = models.ForeignKey(Plan, models.SET_NULL, null=True, blank=True, related_name="+")

    objects = UntaggedItemQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "position"], name="untagged_item_at_a_position"),
        ]
        indexes = [
            models.Index(fields=["run", "state", "position"], name="untagged_items_by_state"),
        ]

    def __str__(self) -> str:
        return f"{self.run_id}[{self.position}] {self.digest}"
