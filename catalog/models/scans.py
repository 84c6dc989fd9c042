"""The row of a scan: what one reading of a registry found, and what it had to compare with."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Self

from django.db import models
from django.db.models import OuterRef, Subquery

from jobs.models import Job
from registries.models import Registry


class ScanQuerySet(models.QuerySet["Scan"]):
    def complete(self) -> Self:
        return self.filter(complete=True)

    def newest_first(self) -> Self:
        return self.order_by("-id")

    def newest_complete_of(self, registries: Iterable[Registry]) -> Self:
        """Of each registry the last scan that came to its end, if there was one."""
        newest = Scan.objects.complete().filter(registry=OuterRef("pk")).newest_first().values("pk")[:1]
        active = Registry.objects.filter(pk__in=[registry.pk for registry in registries])
        return self.filter(pk__in=active.annotate(newest=Subquery(newest)).values("newest"))


class Scan(models.Model):
    """A scan is complete when the catalog was read to its end and every repository was tried."""

    registry = models.ForeignKey(Registry, models.CASCADE, related_name="scans")
    job = models.ForeignKey(Job, models.SET_NULL, null=True, blank=True, related_name="scans")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    complete = models.BooleanField(default=False)
    requests = models.PositiveIntegerField(default=0)

    # What it found: the catalog as it stood at its end.
    repositories = models.PositiveIntegerField(default=0)
    failed_repositories = models.PositiveIntegerField(default=0)
    rejected_names = models.PositiveIntegerField(default=0)  # against the grammar: counted, never shown
    tags = models.PositiveIntegerField(default=0)
    images = models.PositiveIntegerField(default=0)
    pushed = models.PositiveBigIntegerField(default=0)  # bytes, as if no image shared a layer
    stored = models.PositiveBigIntegerField(default=0)  # bytes, each blob once
    # What it changed:
    new_tags = models.PositiveIntegerField(default=0)
    moved_tags = models.PositiveIntegerField(default=0)
    gone_tags = models.PositiveIntegerField(default=0)

    objects = ScanQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["registry", "-id"], name="scans_of_a_registry")]

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
