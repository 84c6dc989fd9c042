"""One carrying out of retention in a registry: the plan with the reason of each tag, and how far it is.

What is kept may be a million tags, and is no rows: each repository holds its own, compressed, by their reason.
"""

from __future__ import annotations

import json
import zlib
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from catalog.models import Repository
from catalog.models.content import DIGEST_LENGTH
from cleanup.models.policies import NAME_LENGTH
from jobs.models import Job
from registries.models import Registry
from tagging.models import Plan


class RetentionRunQuerySet(models.QuerySet["RetentionRun"]):
    def newest_first(self) -> Self:
        return self.order_by("-id")

    def under_way(self) -> Self:
        """Those that are carried out or planned, are to be, ask, or wait to go on."""
        return self.filter(Q(job__state__in=Job.UNFINISHED) | Q(state=RetentionRun.State.WAITING))


class RetentionRun(models.Model):
    class State(models.TextChoices):
        NEW = "new", _("Not planned yet")
        PLANNED = "planned", _("Planned")
        UNDER_WAY = "under-way", _("Under way")
        WAITING = "waiting", _("Waits")
        ASKING = "asking", _("Asks")
        DONE = "done", _("Done")
        BROKEN_OFF = "broken-off", _("Broken off")

    registry = models.ForeignKey(Registry, models.CASCADE, related_name="retention_runs", db_index=False)
    policies = models.JSONField(default=list)  # keys of those that it is about; none: of all that are on
    state = models.CharField(max_length=16, choices=State.choices, default=State.NEW)
    resumes_at = models.DateTimeField(null=True, blank=True)  # while it waits
    repositories = models.PositiveIntegerField(default=0)  # that were judged
    left_out = models.PositiveIntegerField(default=0)  # repositories that could not be, each with a note
    kept = models.PositiveIntegerField(default=0)  # tags
    doomed = models.PositiveIntegerField(default=0)
    frees = models.PositiveBigIntegerField(default=0)  # bytes of blobs that nothing else in the registry uses
    frees_is_exact = models.BooleanField(default=False)  # every repository was read; else it is at most that
    message = models.TextField(blank=True)
    job = models.ForeignKey(Job, models.SET_NULL, null=True, blank=True, related_name="+")
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    actor = models.CharField(max_length=255, blank=True)  # "": its schedule
    created_at = models.DateTimeField(db_default=Now())
    planned_at = models.DateTimeField(null=True, blank=True)  # None: whoever carries it out plans it first
    began_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = RetentionRunQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["registry", "-id"], name="retention_runs_of_a_registry"),
            models.Index(fields=["resumes_at"], condition=Q(state="waiting"), name="retention_runs_that_wait"),
        ]

    def __str__(self) -> str:
        return f"run {self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("cleanup-run", args=[self.pk])


class RunRepositoryQuerySet(models.QuerySet["RunRepository"]):
    def in_order(self) -> Self:
        return self.order_by("name", "pk")

    def open(self) -> Self:
        return self.filter(state=RunRepository.State.PLANNED)


class RunRepository(models.Model):
    """A repository that a policy decides on."""

    class State(models.TextChoices):
        PLANNED = "planned", _("Planned")
        LEFT_OUT = "left-out", _("Left out")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")

    run = models.ForeignKey(RetentionRun, models.CASCADE, related_name="places", db_index=False)
    repository = models.ForeignKey(Repository, models.CASCADE, related_name="+")
    name = models.CharField(max_length=255)
    policy = models.CharField(max_length=NAME_LENGTH)  # its name, when it is gone
    kept = models.PositiveIntegerField(default=0)  # tags
    doomed = models.PositiveIntegerField(default=0)
    kept_tags = models.BinaryField(default=b"")  # see `reasons`
    needs_yes = models.BooleanField(default=False)  # so much goes that a person has to agree
    frees = models.PositiveBigIntegerField(default=0)  # bytes of blobs that no other repository uses
    state = models.CharField(max_length=16, choices=State.choices, default=State.PLANNED)
    note = models.TextField(blank=True)  # why it was left out, or failed

    objects = RunRepositoryQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "repository"], name="retention_one_place_of_a_run"),
        ]
        indexes = [models.Index(fields=["run", "name"], name="retention_places_by_name")]

    def __str__(self) -> str:
        return self.name

    @property
    def reasons(self) -> list[dict[str, Any]]:
        """What is kept, by why: each has `why`, `detail`, `rule` and `tags`."""
        if not self.kept_tags:
            return []
        groups: list[dict[str, Any]] = json.loads(zlib.decompress(bytes(self.kept_tags)))
        return groups


class RunTagQuerySet(models.QuerySet["RunTag"]):
    def open(self) -> Self:
        return self.filter(state__in=[RunTag.State.PLANNED, RunTag.State.BEGUN])

    def in_order(self) -> Self:
        return self.order_by("pk")


class RunTag(models.Model):
    """A tag that is doomed. `begun`: a plan of tagging holds it, which is committed before anything is deleted."""

    class State(models.TextChoices):
        PLANNED = "planned", _("Planned")
        BEGUN = "begun", _("Begun")
        DONE = "done", _("Done")
        SKIPPED = "skipped", _("Left alone")
        FAILED = "failed", _("Failed")

    run = models.ForeignKey(RetentionRun, models.CASCADE, related_name="tags", db_index=False)
    place = models.ForeignKey(RunRepository, models.CASCADE, related_name="tags", db_index=False)
    tag = models.CharField(max_length=128)
    digest = models.CharField(max_length=DIGEST_LENGTH)  # where it pointed when this was planned
    rule = models.SmallIntegerField(default=-1)  # of its policy, from 0; -1: none, what it is attached to goes
    state = models.CharField(max_length=8, choices=State.choices, default=State.PLANNED)
    note = models.TextField(blank=True)  # why it was left alone, or failed
    plan = models.ForeignKey(Plan, models.SET_NULL, null=True, blank=True, related_name="+")  # that deletes it

    objects = RunTagQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["place", "tag"], name="retention_one_tag_of_a_place"),
        ]
        indexes = [
            models.Index(fields=["run", "state"], name="retention_tags_by_state"),
            models.Index(fields=["digest"], condition=Q(state="done"), name="retention_digests_untagged"),
        ]

    def __str__(self) -> str:
        return f"{self.place_id}:{self.tag}"
