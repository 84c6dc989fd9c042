"""What was deleted and can still come back: the raw bytes of manifests, whatever the registry still has of them."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from catalog.models import Repository
from catalog.models.content import DIGEST_LENGTH
from registries.models import Registry, for_asking
from tagging.models.plans import Plan


class KeptManifest(models.Model):
    """The bytes of a manifest, once, however many entries of the trash have need of them."""

    digest = models.CharField(max_length=DIGEST_LENGTH, unique=True)
    media_type = models.CharField(max_length=255)
    document_size = models.PositiveIntegerField()  # bytes
    compressed = models.BinaryField()  # by zlib

    def __str__(self) -> str:
        return self.digest


class TrashEntryQuerySet(models.QuerySet["TrashEntry"]):
    def listed(self) -> Self:
        """What really went, and has not come back."""
        return self.filter(deleted_at__isnull=False, restored_at=None)

    def alive(self, now: datetime) -> Self:
        return self.listed().filter(until__gt=now)

    def in_registry(self, name: str) -> Self:
        """By the key of the registry, which an index has."""
        return self.filter(registry__in=list(Registry.objects.filter(name=name).values_list("pk", flat=True)))

    def with_places(self) -> Self:
        """With registry and repository. Of a page alone: SQLite would begin with the registries, and sort them all."""
        rows = self.select_related("registry", "repository__registry")
        return rows.defer(*for_asking("registry"), *for_asking("repository__registry"))

    def newest_first(self) -> Self:
        return self.order_by("-deleted_at", "-id")


class TrashEntry(models.Model):
    """A tag, or an image without one, as it was when it was deleted or overwritten.

    It is written before anything is asked of the registry, and has no `deleted_at` until that is done.
    """

    class How(models.TextChoices):
        UNTAGGED = "untagged", _("its tag was deleted")  # its manifest may lie there still, until a cleanup
        DIGEST = "digest", _("its manifest was deleted")  # the next garbage collection takes what nothing else uses
        REPLACED = "replaced", _("its tag was pointed elsewhere")
        OUTSIDE = "outside", _("it was changed from outside, though it is protected")

    class State(models.TextChoices):
        UNCHECKED = "unchecked", _("Not checked yet")
        RESTORABLE = "restorable", _("Restorable")
        AT_RISK = "at-risk", _("At risk")
        BLOBS_GONE = "blobs-gone", _("Blobs gone")

    registry = models.ForeignKey(Registry, models.CASCADE, related_name="trash", db_index=False)
    repository = models.ForeignKey(Repository, models.CASCADE, related_name="trash")
    tag = models.CharField(max_length=128, blank=True)
    digest = models.CharField(max_length=DIGEST_LENGTH)
    kind = models.CharField(max_length=16, blank=True)  # as `catalog.models.Manifest.Kind`
    size = models.PositiveBigIntegerField(default=0)  # bytes of its blobs
    how = models.CharField(max_length=16, choices=How.choices)
    who = models.CharField(max_length=255, blank=True)
    why = models.TextField(blank=True)
    plan = models.ForeignKey(Plan, models.SET_NULL, null=True, blank=True, related_name="trash")
    position = models.PositiveIntegerField(default=0)  # of the item of that plan
    deleted_at = models.DateTimeField(null=True, blank=True)
    until = models.DateTimeField()  # then it expires
    restored_at = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=16, choices=State.choices, default=State.UNCHECKED)
    problem = models.TextField(blank=True)  # which blobs are gone
    checked_at = models.DateTimeField(null=True, blank=True)

    objects = TrashEntryQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["plan", "position"], name="one_entry_of_an_item"),
        ]
        indexes = [
            models.Index(
                fields=["registry", "-deleted_at", "-id"], condition=Q(restored_at=None), name="trash_of_a_registry"
            ),
            models.Index(fields=["-deleted_at", "-id"], condition=Q(restored_at=None), name="trash_by_time"),
            models.Index(fields=["until"], name="trash_by_end"),
        ]

    def __str__(self) -> str:
        return f"{self.repository_id}:{self.tag}@{self.digest}"


class TrashPart(models.Model):
    """One manifest that an entry needs, in the order in which they are put back: what others list comes first."""

    class Role(models.TextChoices):
        ROOT = "root", _("Image")
        CHILD = "child", _("Part of it")
        REFERRER = "referrer", _("Attached to it")

    entry = models.ForeignKey(TrashEntry, models.CASCADE, related_name="parts", db_index=False)
    position = models.PositiveIntegerField()
    manifest = models.ForeignKey(KeptManifest, models.PROTECT, related_name="parts")
    role = models.CharField(max_length=8, choices=Role.choices)
    tag = models.CharField(max_length=128, blank=True)  # under which a referrer was found: "sha256-….sig"

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["entry", "position"], name="one_part_at_a_position"),
        ]

    def __str__(self) -> str:
        return f"{self.entry_id}[{self.position}]"
