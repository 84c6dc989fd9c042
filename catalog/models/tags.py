"""The tags of repositories, and what each has pointed to.

A key that stands first in an index of its table has none of its own: a scan writes millions of these rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

from django.db import models
from django.db.models import Q, Window
from django.db.models.functions import Now, RowNumber
from django.urls import reverse

from catalog.models.content import DIGEST_LENGTH, Manifest
from catalog.models.presences import Presence
from catalog.models.repositories import Repository
from catalog.planning import read_through


class TagQuerySet(models.QuerySet["Tag"]):
    def live(self) -> Self:
        return self.filter(gone_at=None)

    def gone(self) -> Self:
        return self.filter(gone_at__isnull=False)

    def matching(self, text: str) -> Self:
        return self.filter(name__icontains=text.strip()) if text.strip() else self

    def matching_here(self, text: str) -> Self:
        """The same, of the tags of one repository."""
        return self.filter(read_through("name", text.strip())) if text.strip() else self

    def in_order(self) -> Self:
        return self.order_by("key")

    def unreadable(self) -> Self:
        """Those whose manifest could never be read, or not by the last scan."""
        return self.filter(~Q(problem="") | Q(presence=None))

    def first_of_each(self, presences: Iterable[Presence], most: int) -> Self:
        """The first `most` tags of each of `presences`, in order: one digest may have thousands."""
        place = Window(RowNumber(), partition_by="presence_id", order_by="key")
        mine = self.filter(presence__in=[presence.pk for presence in presences])
        return mine.annotate(place=place).filter(place__lte=most).order_by("presence_id", "key")


class Tag(models.Model):
    """A name in a repository. `presence` is None while its manifest could never be read; `problem` says why."""

    repository = models.ForeignKey(Repository, models.CASCADE, related_name="tags", db_index=False)
    name = models.CharField(max_length=128)
    key = models.BinaryField(max_length=600)  # 1.9 before 1.10, the same on every database
    presence = models.ForeignKey(Presence, models.SET_NULL, null=True, blank=True, related_name="tags", db_index=False)
    problem = models.TextField(blank=True)  # why its manifest cannot be read now, if so
    first_seen = models.DateTimeField(db_default=Now())
    moved_at = models.DateTimeField(db_default=Now())  # when we saw it point elsewhere
    link_ns = models.BigIntegerField(null=True, blank=True)  # when the storage folder last linked it, ns since 1970
    gone_at = models.DateTimeField(null=True, blank=True)
    acted_at = models.DateTimeField(null=True, blank=True)  # when Berth itself last set out to change it

    objects = TagQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["repository", "name"], name="one_tag_of_a_name"),
        ]
        indexes = [
            models.Index(fields=["repository", "key"], name="tags_by_name"),
            models.Index(fields=["presence", "key"], name="tags_of_an_image"),
            models.Index(fields=["name", "id"], name="tags_of_a_name"),
            models.Index(fields=["repository"], condition=Q(gone_at__isnull=False), name="gone_tags"),
            models.Index(fields=["repository", "acted_at"], condition=Q(acted_at__isnull=False), name="tags_acted_on"),
        ]

    def __str__(self) -> str:
        return f"{self.repository_id}:{self.name}"

    def get_absolute_url(self) -> str:
        return reverse("tag", args=[self.repository.registry.name, self.repository.name, self.name])


class TagSpan(models.Model):
    """From when to when a tag pointed to a manifest, as scans saw it."""

    tag = models.ForeignKey(Tag, models.CASCADE, related_name="spans", db_index=False)
    repository = models.ForeignKey(Repository, models.CASCADE, related_name="+", db_index=False)  # that of the tag
    manifest = models.ForeignKey(Manifest, models.PROTECT, related_name="+")
    began = models.DateTimeField()
    ended = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tag"], condition=Q(ended=None), name="one_open_span_of_a_tag"),
        ]
        indexes = [
            models.Index(fields=["tag", "began"], name="spans_of_a_tag"),
            models.Index(fields=["began", "id"], name="spans_by_beginning"),
            models.Index(fields=["repository", "began", "id"], name="spans_of_a_repository"),
            models.Index(
                fields=["repository", "ended", "id"],
                condition=Q(ended__isnull=False),
                name="ended_spans_of_a_repository",
            ),
            models.Index(fields=["ended", "id"], condition=Q(ended__isnull=False), name="spans_by_end"),
        ]

    def __str__(self) -> str:
        return f"{self.tag_id} → {self.manifest_id}"


class Throwaway(models.Model):
    """The digest of a manifest that tags are overwritten with so that they can be deleted; open until that is over.

    What a scan sees of it in between is no image, and no tag moved there.
    """

    repository = models.ForeignKey(Repository, models.CASCADE, related_name="+")
    digest = models.CharField(max_length=DIGEST_LENGTH, unique=True)
    name = models.CharField(max_length=64)  # what its bytes are made of
    opened_at = models.DateTimeField(db_default=Now())
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["repository"], condition=Q(closed_at=None), name="open_throwaways"),
        ]

    def __str__(self) -> str:
        return self.digest
