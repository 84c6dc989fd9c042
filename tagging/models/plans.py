"""What would be done, with its reasons, and how far it has been done: the intent of every act is its item here."""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from catalog.models import Repository, Throwaway
from catalog.models.content import DIGEST_LENGTH
from jobs.models import Job
from registries.models import Registry


class Plan(models.Model):
    class Act(models.TextChoices):
        DELETE_TAGS = "delete-tags", _("Delete tags")
        DELETE_IMAGES = "delete-images", _("Delete images with all their tags")
        DELETE_REPOSITORY = "delete-repository", _("Delete a repository")
        REMOVE_REPOSITORY = "remove-repository", _("Remove a repository for good")
        RESTORE = "restore", _("Restore")
        COPY = "copy", _("Tag or copy")

    class State(models.TextChoices):
        PLANNED = "planned", _("Planned")
        UNDER_WAY = "under-way", _("Under way")
        DONE = "done", _("Carried out")
        BROKEN_OFF = "broken-off", _("Broken off")

    registry = models.ForeignKey(Registry, models.CASCADE, related_name="plans")
    repository = models.ForeignKey(Repository, models.CASCADE, null=True, blank=True, related_name="+")  # if it is one
    act = models.CharField(max_length=24, choices=Act.choices)
    state = models.CharField(max_length=16, choices=State.choices, default=State.PLANNED)
    name = models.CharField(max_length=32, unique=True)  # random: what its throwaways are named after
    why = models.TextField(blank=True)  # as the person says it
    params = models.JSONField(default=dict)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    actor = models.CharField(max_length=255, blank=True)  # who that was, when they may be gone
    idempotency_key = models.CharField(max_length=128, null=True, blank=True, unique=True)

    frees = models.PositiveBigIntegerField(default=0)  # bytes of blobs that nothing else in the registry uses
    frees_is_exact = models.BooleanField(default=False)  # every repository was read; else it is at most that
    message = models.TextField(blank=True)  # how it ended, in a sentence
    job = models.ForeignKey(Job, models.SET_NULL, null=True, blank=True, related_name="plans")
    created_at = models.DateTimeField(db_default=Now())
    began_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["id"], condition=Q(state="under-way"), name="plans_under_way"),
        ]

    def __str__(self) -> str:
        return f"plan {self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("plan", args=[self.pk])

    @property
    def job_subject(self) -> str:
        return f"plan:{self.pk}"

    def param(self, name: str) -> Any:
        return self.params.get(name)


class PlanItemQuerySet(models.QuerySet["PlanItem"]):
    def open(self) -> Self:
        return self.filter(state__in=[PlanItem.State.PLANNED, PlanItem.State.BEGUN])

    def begun(self) -> Self:
        return self.filter(state=PlanItem.State.BEGUN)

    def in_order(self) -> Self:
        return self.order_by("position")


class PlanItem(models.Model):
    """One thing to do to one tag or digest. `begun` is the intent: it is committed before anything is asked for."""

    class Step(models.TextChoices):
        DELETE_TAG = "delete-tag", _("delete the tag")
        DELETE_MANIFEST = "delete-manifest", _("delete the digest")
        REMOVE_REPOSITORY = "remove-repo", _("remove the repository")
        PUT_TAG = "put-tag", _("set the tag")
        PUT_MANIFEST = "put-manifest", _("put the manifest")

    class State(models.TextChoices):
        PLANNED = "planned", _("Planned")
        BEGUN = "begun", _("Begun")
        DONE = "done", _("Done")
        SKIPPED = "skipped", _("Left alone")
        FAILED = "failed", _("Failed")

    plan = models.ForeignKey(Plan, models.CASCADE, related_name="items", db_index=False)
    position = models.PositiveIntegerField()
    step = models.CharField(max_length=16, choices=Step.choices)
    repository = models.ForeignKey(Repository, models.CASCADE, related_name="+")
    tag = models.CharField(max_length=128, blank=True)
    digest = models.CharField(max_length=DIGEST_LENGTH, blank=True)  # where the tag pointed when this was planned
    target = models.CharField(max_length=DIGEST_LENGTH, blank=True)  # where it is to point
    state = models.CharField(max_length=8, choices=State.choices, default=State.PLANNED)
    note = models.TextField(blank=True)  # why it was left alone, or failed
    throwaway = models.ForeignKey(Throwaway, models.SET_NULL, null=True, blank=True, related_name="+")
    entry = models.ForeignKey(
        "tagging.TrashEntry", models.SET_NULL, null=True, blank=True, related_name="+"
    )  # what it takes out of the trash

    objects = PlanItemQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["plan", "position"], name="one_item_at_a_position"),
        ]
        indexes = [
            models.Index(fields=["plan", "state", "position"], name="items_by_state"),
            models.Index(fields=["repository"], condition=Q(state="begun"), name="begun_items"),
        ]

    def __str__(self) -> str:
        return f"{self.plan_id}.{self.position}"

    @property
    def key(self) -> str:
        """Of its entry in the audit."""
        return f"plan:{self.plan_id}:{self.position}"


class PlannedImage(models.Model):
    """What a plan means for one image: how many of its tags go and stay, what holds it, and what hangs on it."""

    plan = models.ForeignKey(Plan, models.CASCADE, related_name="images", db_index=False)
    repository = models.ForeignKey(Repository, models.CASCADE, related_name="+")
    digest = models.CharField(max_length=DIGEST_LENGTH, blank=True)  # "": tags whose manifest nobody has read
    going = models.PositiveIntegerField(default=0)
    staying = models.PositiveIntegerField(default=0)
    stays = models.JSONField(default=list)  # the first of their names
    held_by = models.JSONField(default=list)  # digest and lead tag of the first indexes that list it, and stay
    referrers = models.PositiveIntegerField(default=0)  # what is attached to it, and would hang on nothing
    children = models.PositiveIntegerField(default=0)  # what it lists, and what stays behind without a tag

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["plan", "repository", "digest"], name="one_image_of_a_plan"),
        ]

    def __str__(self) -> str:
        return f"{self.plan_id} {self.digest}"
