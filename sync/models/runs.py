"""One carrying out of a rule, or of a copy that somebody asked for: the plan with its reasons, and how far it is."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from catalog.models.content import DIGEST_LENGTH
from jobs.models import Job
from registries.models import Registry
from sync.models.rules import NAME_LENGTH, Rule

ATTACHED = "attached"  # why an image is copied that is there: what hangs on it is not


class RunQuerySet(models.QuerySet["Run"]):
    def newest_first(self) -> Self:
        return self.order_by("-id")

    def under_way(self) -> Self:
        """Those that are carried out or planned, are to be, ask, or wait to go on."""
        return self.filter(Q(job__state__in=Job.UNFINISHED) | Q(state=Run.State.WAITING))


class Run(models.Model):
    class State(models.TextChoices):
        NEW = "new", _("Not planned yet")
        PLANNED = "planned", _("Planned")
        UNDER_WAY = "under-way", _("Under way")
        WAITING = "waiting", _("Waits")
        DONE = "done", _("Done")
        BROKEN_OFF = "broken-off", _("Broken off")

    rule = models.ForeignKey(Rule, models.SET_NULL, null=True, blank=True, related_name="runs")
    name = models.CharField(max_length=NAME_LENGTH, blank=True)  # of the rule, when that is gone
    source = models.ForeignKey(Registry, models.CASCADE, related_name="+")
    target = models.ForeignKey(Registry, models.CASCADE, related_name="sync_runs")
    terms = models.JSONField()  # as they were when it was planned
    state = models.CharField(max_length=16, choices=State.choices, default=State.NEW)
    resumes_at = models.DateTimeField(null=True, blank=True)  # while it waits
    is_deep = models.BooleanField(default=False)  # what was there already is read, and its digest checked
    left_out = models.JSONField(default=dict)  # tags that it does not take: how many, and the first, by the reason
    problems = models.JSONField(default=list)  # repositories that could not be listed, and why
    new = models.PositiveIntegerField(default=0)
    moved = models.PositiveIntegerField(default=0)
    attached = models.PositiveIntegerField(default=0)  # unchanged but for what was attached since
    unchanged = models.PositiveIntegerField(default=0)
    left = models.PositiveIntegerField(default=0)
    gone = models.PositiveIntegerField(default=0)
    size = models.BigIntegerField(null=True, blank=True)  # bytes that travel at most; None: nobody has looked
    pulls = models.PositiveIntegerField(null=True, blank=True)  # manifests that are fetched, as a quota counts them
    pulls_spent = models.PositiveIntegerField(default=0)
    sent = models.PositiveBigIntegerField(default=0)  # bytes that travelled
    quota_left = models.PositiveIntegerField(null=True, blank=True)  # as the source said last; None: it says nothing
    quota_limit = models.PositiveIntegerField(null=True, blank=True)
    message = models.TextField(blank=True)
    job = models.ForeignKey(Job, models.SET_NULL, null=True, blank=True, related_name="+")
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    actor = models.CharField(max_length=255, blank=True)  # "": its schedule
    created_at = models.DateTimeField(db_default=Now())
    planned_at = models.DateTimeField(null=True, blank=True)  # None: whoever carries it out plans it first
    began_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = RunQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["rule", "-id"], name="runs_of_a_rule"),
            models.Index(fields=["resumes_at"], condition=Q(state="waiting"), name="runs_that_wait"),
        ]

    def __str__(self) -> str:
        return f"run {self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("sync-run", args=[self.pk])

    @property
    def job_subject(self) -> str:
        return f"sync:{self.pk}"


class ItemQuerySet(models.QuerySet["Item"]):
    def open(self) -> Self:
        return self.filter(state__in=[Item.State.PLANNED, Item.State.BEGUN])

    def in_order(self) -> Self:
        return self.order_by("position")

    def side_by_side(self) -> list[Item]:
        """In order, but each image with all its tags, where the first of them stands."""
        items = list(self.in_order())
        firsts: dict[tuple[str, str], int] = {}
        for item in items:
            firsts.setdefault((item.repository, item.digest), item.position)
        return sorted(items, key=lambda item: firsts[item.repository, item.digest])


class Item(models.Model):
    """One tag of the target, or one digest. `begun` is the intent: it is committed before anything is put."""

    class Act(models.TextChoices):
        COPY = "copy", _("copy")
        KEEP = "keep", _("unchanged")
        LEAVE = "leave", _("leave alone")
        DELETE = "delete", _("delete")

    class State(models.TextChoices):
        PLANNED = "planned", _("Planned")
        BEGUN = "begun", _("Begun")
        DONE = "done", _("Done")
        SKIPPED = "skipped", _("Left alone")
        FAILED = "failed", _("Failed")
        PARKED = "parked", _("Given up")

    run = models.ForeignKey(Run, models.CASCADE, related_name="items", db_index=False)
    position = models.PositiveIntegerField()
    act = models.CharField(max_length=8, choices=Act.choices)
    source_repository = models.CharField(max_length=255)
    source_tag = models.CharField(max_length=128, blank=True)
    digest = models.CharField(max_length=DIGEST_LENGTH)  # at the source, when this was planned
    repository = models.CharField(max_length=255)
    tag = models.CharField(max_length=128, blank=True)
    before = models.CharField(max_length=DIGEST_LENGTH, blank=True)  # where the tag pointed when this was planned
    after = models.CharField(max_length=DIGEST_LENGTH, blank=True)  # where it points since this was done
    backup = models.CharField(max_length=128, blank=True)  # the tag under which `before` stays
    why = models.CharField(max_length=16, blank=True)  # `sync.choosing.Why`
    detail = models.CharField(max_length=255, blank=True)  # the pattern or range that decided
    size = models.BigIntegerField(null=True, blank=True)  # bytes that travel at most
    state = models.CharField(max_length=8, choices=State.choices, default=State.PLANNED)
    note = models.TextField(blank=True)  # why it was left alone, or failed
    tries = models.PositiveSmallIntegerField(default=0)
    sent = models.PositiveBigIntegerField(default=0)  # bytes
    attached = models.PositiveSmallIntegerField(default=0)  # manifests that came with it
    attachments = models.CharField(max_length=64, blank=True)  # `sync.attachments`, when this was planned
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = ItemQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "position"], name="one_sync_item_at_a_position"),
        ]
        indexes = [models.Index(fields=["run", "state", "position"], name="sync_items_by_state")]

    def __str__(self) -> str:
        return f"{self.run_id}.{self.position}"

    @property
    def moves(self) -> bool:
        """Whether it was planned to point the tag elsewhere than it does: not where only what is attached comes."""
        return bool(self.before) and self.act == self.Act.COPY and self.why != ATTACHED

    @property
    def puts(self) -> list[tuple[str, str]]:
        """The tags that a copy of it writes, each with its repository: its own, and the one of what was there."""
        return [(self.repository, tag) for tag in (self.tag, self.backup) if tag]

    @property
    def key(self) -> str:
        """Of its entry in the audit."""
        return f"sync:{self.run_id}:{self.position}"


class PlannedManifest(models.Model):
    """A manifest that was read when a run was planned, which need not pull it again; gone when that is over."""

    run = models.ForeignKey(Run, models.CASCADE, related_name="manifests", db_index=False)
    digest = models.CharField(max_length=DIGEST_LENGTH)
    media_type = models.CharField(max_length=255)
    compressed = models.BinaryField()  # zlib

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "digest"], name="one_planned_manifest_of_a_digest"),
        ]

    def __str__(self) -> str:
        return self.digest
