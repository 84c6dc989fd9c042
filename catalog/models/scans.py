"""The row of a scan: what one reading of a registry found, and what it had to compare with."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Self

from django.db import models
from django.db.models import OuterRef, Q, Subquery
from django.utils.translation import gettext_lazy as _

from jobs.models import Job
from registries.models import Registry, for_asking


class ScanQuerySet(models.QuerySet["Scan"]):
    def complete(self) -> Self:
        return self.filter(complete=True)

    def for_list(self) -> Self:
        """With the job, and of the registry what is shown of it."""
        return self.select_related("registry", "job").defer(*for_asking("registry"))

    def newest_first(self) -> Self:
        return self.order_by("-id")

    def newest_complete_of(self, registries: Iterable[Registry]) -> Self:
        """Of each registry the last scan that came to its end, if there was one."""
        newest = Scan.objects.complete().filter(registry=OuterRef("pk")).newest_first().values("pk")[:1]
        active = Registry.objects.filter(pk__in=[registry.pk for registry in registries])
        return self.filter(pk__in=active.annotate(newest=Subquery(newest)).values("newest"))


class Scan(models.Model):
    """A scan is complete when the catalog was read to its end and every repository was tried."""

    class Source(models.TextChoices):
        API = "api", _("its API")
        FOLDER = "folder", _("its storage folder")

    registry = models.ForeignKey(Registry, models.CASCADE, related_name="scans")
    job = models.ForeignKey(Job, models.SET_NULL, null=True, blank=True, related_name="scans")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    complete = models.BooleanField(default=False)

    # How it was read:
    source = models.CharField(max_length=8, choices=Source.choices, default=Source.API)
    source_note = models.TextField(blank=True)  # what proved the folder, or why it was not read
    is_of_watched = models.BooleanField(default=False)  # the catalog was denied: the watched repositories were read
    catalog_refusal = models.TextField(blank=True)  # and with what words
    requests = models.PositiveIntegerField(default=0)
    at_once = models.PositiveSmallIntegerField(default=0)  # requests at once that the registry bore at the end
    busy_answers = models.PositiveIntegerField(default=0)  # 429 and 503

    # What it found: the catalog as it stood at its end.
    repositories = models.PositiveIntegerField(default=0)
    failed_repositories = models.PositiveIntegerField(default=0)
    rejected_names = models.PositiveIntegerField(default=0)  # against the grammar: counted, never shown
    broken = models.PositiveIntegerField(default=0)  # tags that cannot be read, and images with a part missing
    tags = models.PositiveIntegerField(default=0)
    images = models.PositiveIntegerField(default=0)
    pushed = models.PositiveBigIntegerField(default=0)  # bytes, as if no image shared a layer
    stored = models.PositiveBigIntegerField(default=0)  # bytes, each blob once
    shared = models.PositiveBigIntegerField(default=0)  # of those, what more than one top namespace uses
    # What it changed:
    new_tags = models.PositiveIntegerField(default=0)
    moved_tags = models.PositiveIntegerField(default=0)
    gone_tags = models.PositiveIntegerField(default=0)

    # What only the storage folder tells, where a scan looked:
    untagged_manifests = models.PositiveIntegerField(null=True, blank=True)  # that no tag reaches
    uploads = models.PositiveIntegerField(null=True, blank=True)  # begun and not ended
    upload_bytes = models.PositiveBigIntegerField(null=True, blank=True)
    disk_blobs = models.PositiveIntegerField(null=True, blank=True)
    disk_bytes = models.PositiveBigIntegerField(null=True, blank=True)  # of blobs, whether anything uses them or not

    objects = ScanQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["registry", "-id"], name="scans_of_a_registry"),
            models.Index(fields=["registry", "-id"], condition=Q(disk_bytes__gte=0), name="storage_scans_of_disk"),
        ]

    def __str__(self) -> str:
        return f"scan {self.pk} of {self.registry_id}"

    @property
    def took(self) -> timedelta:
        """How long it took; nothing while it is under way, or where it was killed and nobody knows."""
        return self.finished_at - self.started_at if self.finished_at else timedelta(0)

    @property
    def saved(self) -> int:
        """Bytes that shared layers save."""
        return max(0, self.pushed - self.stored)

    @property
    def unique(self) -> int:
        """Bytes that one top namespace alone uses; with `shared` and `saved` it makes up `pushed`."""
        return self.stored - self.shared


class NamespaceTotal(models.Model):
    """Sums of a namespace with all below it, as the last complete scan left them; "" is of repositories without one.

    `unique` are the bytes that nothing outside it uses: pushed = unique + shared + saved.
    """

    registry = models.ForeignKey(Registry, models.CASCADE, related_name="namespace_totals", db_index=False)
    namespace = models.CharField(max_length=255, blank=True)
    parent = models.CharField(max_length=255, blank=True)  # the namespace it lies in, "" at the top
    has_below = models.BooleanField(default=False)  # namespaces lie in it
    is_repository = models.BooleanField(default=False)  # a repository has this very name too
    repositories = models.PositiveIntegerField()
    tags = models.PositiveIntegerField()
    images = models.PositiveIntegerField()
    pushed = models.PositiveBigIntegerField()
    stored = models.PositiveBigIntegerField()
    unique = models.PositiveBigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["registry", "namespace"], name="one_total_of_a_namespace"),
        ]
        # With the registry, and without it, so that the trees of several are read in the order of names too.
        indexes = [
            models.Index(fields=["registry", "parent", "namespace"], name="namespaces_of_a_registry"),
            models.Index(fields=["parent", "namespace"], name="namespaces_in_a_namespace"),
        ]

    def __str__(self) -> str:
        return f"{self.registry_id}/{self.namespace}"

    @property
    def shared(self) -> int:
        """Bytes that something outside it uses too."""
        return self.stored - self.unique

    @property
    def saved(self) -> int:
        """Bytes that shared layers save in it."""
        return max(0, self.pushed - self.stored)
