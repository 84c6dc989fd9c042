"""What is true in one repository: its tags, the manifests that are present, and the blobs they keep alive.

A key that stands first in an index of its table has none of its own: a scan writes millions of these rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Self

from django.db import models
from django.db.models import F, Q, Window
from django.db.models.functions import Now, RowNumber
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from catalog.facets import ATTACHED
from catalog.models.content import Blob, Manifest
from catalog.planning import unindexed
from catalog.sort_keys import name_key
from registries.models import Registry

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
        """With what a row of a list shows of its newest image."""
        return self.select_related("registry", "newest__manifest")

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

    def with_tag_like(self, repository: Repository, text: str) -> Self:
        """Those of `repository` that have a tag with `text` in its name."""
        if not text.strip():
            return self
        # That its name is not empty goes without saying, and leads to an index that holds the names.
        tags = Tag.objects.live().filter(repository=repository, name__gt="").matching(text)
        return self.filter(pk__in=tags.values("presence"))


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
        ]

    def __str__(self) -> str:
        return f"{self.repository_id}@{self.manifest_id}"

    @property
    def date(self) -> datetime | None:
        """The best date that is known; `dated_by` says what it rests on."""
        return None if self.dated_by == self.DatedBy.FOUND else self.dated


class TagQuerySet(models.QuerySet["Tag"]):
    def live(self) -> Self:
        return self.filter(gone_at=None)

    def gone(self) -> Self:
        return self.filter(gone_at__isnull=False)

    def matching(self, text: str) -> Self:
        return self.filter(name__icontains=text.strip()) if text.strip() else self

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
            models.Index(fields=["began"], name="spans_by_beginning"),
            models.Index(fields=["repository", "began", "id"], name="spans_of_a_repository"),
            models.Index(
                fields=["repository", "ended", "id"],
                condition=Q(ended__isnull=False),
                name="ended_spans_of_a_repository",
            ),
            models.Index(fields=["ended"], condition=Q(ended__isnull=False), name="spans_by_end"),
        ]

    def __str__(self) -> str:
        return f"{self.tag_id} → {self.manifest_id}"


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
