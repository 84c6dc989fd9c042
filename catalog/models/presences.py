"""The manifests that are present in a repository, and the blobs that they keep alive there.

A key that stands first in an index of its table has none of its own: a scan writes millions of these rows.
"""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from catalog.facets import ATTACHED
from catalog.models.content import Blob, Manifest
from catalog.models.repositories import LONG_AGO, Repository


class PresenceQuerySet(models.QuerySet["Presence"]):
    def tagged(self) -> Self:
        return self.filter(tag_count__gt=0)

    def present(self) -> Self:
        return self.filter(gone_at=None)

    def with_any(self, facets: int) -> Self:
        """Those that have one of these facets at least."""
        return self.alias(**{f"among_{facets}": F("facets").bitand(facets)}).exclude(**{f"among_{facets}": 0})

    def attached(self) -> Self:
        """Signatures and the like, under the tags that tools make of a digest."""
        return self.with_any(ATTACHED)

    def for_people(self) -> Self:
        """Not attached to something else: what a person would pull."""
        # Less than one, not equal to 0: who cannot know guesses that few rows are equal, and many less.
        return self.alias(attachment=F("facets").bitand(ATTACHED)).filter(attachment__lt=1)

    def with_manifest(self) -> Self:
        return self.select_related("manifest")


class Presence(models.Model):
    """A manifest in a repository: what its tags are called there, and whether it is whole there."""

    class State(models.TextChoices):
        WHOLE = "whole", _("Whole")
        NO_CONFIG = "no-config", _("Its config is missing")
        INCOMPLETE = "incomplete", _("A part is missing")  # a child is not in this repository
        UNREADABLE = "unreadable", _("Cannot be read")

    class DatedBy(models.TextChoices):
        """Where the date comes from, since the API tells no push time."""

        FOUND = "found", _("was there when Berth first looked")  # dated `LONG_AGO`: it sorts last
        CREATED = "created", _("created, says the image")
        PUSHED = "pushed", _("pushed, says the storage folder")
        SEEN = "seen", _("seen to arrive by a scan")
        TOLD = "told", _("pushed, says an event of the registry")

    repository = models.ForeignKey(Repository, models.CASCADE, related_name="presences", db_index=False)
    manifest = models.ForeignKey(Manifest, models.PROTECT, related_name="presences")
    state = models.CharField(max_length=16, choices=State.choices, default=State.WHOLE)
    problem = models.TextField(blank=True)

    tag_count = models.PositiveIntegerField(default=0)
    lead_tag = models.CharField(max_length=128, blank=True)  # the alias that says most
    lead_key = models.BinaryField(max_length=600, default=b"")
    facets = models.BigIntegerField(default=0)  # what lists can be narrowed to, `catalog.facets`
    size = models.PositiveBigIntegerField(default=0)  # bytes of all its platforms that are here, each blob once
    dated = models.DateTimeField()  # the best date that is known, and
    dated_by = models.CharField(max_length=16, choices=DatedBy.choices)  # what it rests on
    first_seen = models.DateTimeField(db_default=Now())
    gone_at = models.DateTimeField(null=True, blank=True)  # no tag and no index reaches it any more
    pushed_by = models.CharField(max_length=255, blank=True, db_default="")  # whom the registry last named
    pulled = models.DateTimeField(db_default=LONG_AGO)  # the last time, `LONG_AGO` where no event told of one
    pulls = models.PositiveBigIntegerField(db_default=0)

    objects = PresenceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["repository", "manifest"], name="one_presence_of_a_manifest"),
        ]
        indexes = [
            models.Index(
                fields=["repository", "dated", "id", "facets"], condition=Q(tag_count__gt=0), name="images_by_date"
            ),
            models.Index(
                fields=["repository", "size", "id", "facets"], condition=Q(tag_count__gt=0), name="images_by_size"
            ),
            models.Index(
                fields=["repository", "lead_key", "id", "facets"], condition=Q(tag_count__gt=0), name="images_by_tag"
            ),
            models.Index(
                fields=["repository", "pulled", "id", "facets"], condition=Q(tag_count__gt=0), name="images_by_pull"
            ),
            models.Index(
                fields=["repository", "pulls", "id", "facets"], condition=Q(tag_count__gt=0), name="images_by_pulls"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.repository_id}@{self.manifest_id}"

    @property
    def pulled_at(self) -> datetime | None:
        return None if self.pulled == LONG_AGO else self.pulled

    @property
    def date(self) -> datetime | None:
        """The best date that is known; `dated_by` says what it rests on."""
        return None if self.dated_by == self.DatedBy.FOUND else self.dated


class RepositoryBlob(models.Model):
    """How many present manifests of a repository use a blob; the row goes when none does."""

    repository = models.ForeignKey(Repository, models.CASCADE, related_name="repository_blobs", db_index=False)
    blob = models.ForeignKey(Blob, models.PROTECT, related_name="repository_blobs")
    references = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["repository", "blob"], name="one_count_of_a_blob"),
        ]

    def __str__(self) -> str:
        return f"{self.repository_id}/{self.blob_id}"
