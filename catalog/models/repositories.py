"""Repositories: what a registry keeps under one name."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from catalog.planning import unindexed
from catalog.sort_keys import name_key
from registries.models import Registry, for_asking

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class RepositoryQuerySet(models.QuerySet["Repository"]):
    def live(self) -> Self:
        return self.filter(gone_at=None)

    def of(self, registries: Iterable[Registry], *, nearly_all: bool = False) -> Self:
        """Those of `registries`; `nearly_all`: few are of others, so the index to read is that of the list's order."""
        among = [registry.pk for registry in registries]
        if nearly_all:  # else the database would take the index of registries, and sort what it finds
            return self.alias(of=unindexed("registry_id")).filter(of__in=among)
        return self.filter(registry__in=among)

    def matching(self, text: str) -> Self:
        """Those whose name contains `text`, as a person types it."""
        return self.filter(name__contains=text.strip().lower()) if text.strip() else self

    def in_namespace(self, namespace: str) -> Self:
        """The repositories of a namespace and of those below it: in the order of names they stand together."""
        first = name_key(f"{namespace}/")
        return self.filter(name_key__gte=first, name_key__lt=first + b"\xff")

    def with_problems(self) -> Self:
        """Those that could not be read, or that hold something that could not."""
        return self.filter(Q(state=Repository.State.FAILED) | Q(problem_count__gt=0))

    def for_list(self) -> Self:
        """With what a row of a list shows of its newest image; of its registry without how it is asked."""
        return self.select_related("registry", "newest__manifest").defer(*for_asking("registry"))

    def with_card(self) -> Self:
        """With the owner, and `has_readme`; the README itself may be long."""
        return self.select_related("card").defer("card__readme").annotate(has_readme=Q(card__readme__gt=""))


class Repository(models.Model):
    """A repository of a registry. It was last seen whole when its last complete scan ended."""

    class State(models.TextChoices):
        NEW = "new", _("Not scanned yet")
        WHOLE = "whole", _("Whole")
        EMPTY = "empty", _("Empty")  # listed, and without a tag
        FAILED = "failed", _("Could not be read")

    registry = models.ForeignKey(Registry, models.CASCADE, related_name="repositories")
    name = models.CharField(max_length=255)
    name_key = models.BinaryField(max_length=600)  # sorts the same everywhere
    namespace = models.CharField(max_length=255, blank=True)  # what stands before the last slash
    state = models.CharField(max_length=16, choices=State.choices, default=State.NEW)
    problem = models.TextField(blank=True)  # why its last scan failed, if it did

    tag_count = models.PositiveIntegerField(default=0)
    image_count = models.PositiveIntegerField(default=0)  # digests that have a tag
    problem_count = models.PositiveIntegerField(default=0)  # tags that cannot be read, and images with a part missing
    size = models.PositiveBigIntegerField(default=0)  # bytes of the blobs that its images use, each once
    pushed = models.PositiveBigIntegerField(default=0)  # bytes of its tagged images, as if none shared a blob
    # Bytes that no other repository of the registry uses, as the last complete scan counted them.
    unique = models.PositiveBigIntegerField(default=0, db_default=0)
    facets = models.BigIntegerField(default=0)  # of all its tagged images together, `catalog.facets`
    newest = models.ForeignKey("Presence", models.SET_NULL, null=True, blank=True, related_name="+")

    first_seen = models.DateTimeField(db_default=Now())
    changed_at = models.DateTimeField(default=LONG_AGO)  # the newest date of an image in it, or when a tag went
    # When a scan last saw it whole; while it is whole, that is the registry's last complete scan, and this is older.
    scanned_at = models.DateTimeField(null=True, blank=True)
    missed = models.PositiveSmallIntegerField(default=0)  # complete catalogs in a row that lacked it
    gone_at = models.DateTimeField(null=True, blank=True)

    is_settled = models.BooleanField(default=True)  # False: a scan has written in it and not come to its end since

    # Only while a scan holds the row, no column: the registry has no complete scan yet, so what is there came at a
    # time nobody knows.
    is_of_first_scan = False

    objects = RepositoryQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["registry", "name"], name="one_repository_of_a_name"),
        ]
        # Without the registry in front, so that a list of several registries is read in its order too.
        indexes = [
            models.Index(fields=["name_key", "id"], condition=Q(gone_at=None), name="repositories_by_name"),
            models.Index(fields=["tag_count", "id"], condition=Q(gone_at=None), name="repositories_by_tags"),
            models.Index(fields=["size", "id"], condition=Q(gone_at=None), name="repositories_by_size"),
            models.Index(fields=["changed_at", "id"], condition=Q(gone_at=None), name="repositories_by_change"),
            models.Index(fields=["unique", "id"], condition=Q(gone_at=None), name="storage_by_unique"),
            # What lies right in a namespace, however many others lie below it.
            models.Index(
                fields=["registry", "namespace", "unique", "id"],
                condition=Q(gone_at=None),
                name="storage_of_a_level",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("repository", args=[self.registry.name, self.name])

    @property
    def last_change(self) -> datetime | None:
        """When it last changed; None while that is not known."""
        return None if self.changed_at == LONG_AGO else self.changed_at

    @property
    def base_name(self) -> str:
        """The part after the last slash."""
        return self.name.rpartition("/")[2]

    @property
    def levels(self) -> list[dict[str, str]]:
        """Each level of the namespace, `name` and whole `path`, from the outside."""
        parts = self.namespace.split("/") if self.namespace else []
        return [{"name": part, "path": "/".join(parts[: depth + 1])} for depth, part in enumerate(parts)]


class WatchedRepository(models.Model):
    """A repository to scan where the catalog may not be read: a person named it, or we learnt of it."""

    registry = models.ForeignKey(Registry, models.CASCADE, related_name="watched_repositories")
    name = models.CharField(max_length=255)
    learnt = models.BooleanField(default=False)  # seen in a catalog that could be read, or in the storage folder
    added_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["registry", "name"], name="one_watch_of_a_repository"),
        ]

    def __str__(self) -> str:
        return self.name
