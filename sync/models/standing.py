"""What stands at a target because it was copied there, and who is writing a tag just now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Self

from django.db import models
from django.db.models import Q

from catalog.models.content import DIGEST_LENGTH
from registries.models import Registry
from sync.models.rules import Rule
from sync.models.runs import Run


class SyncedQuerySet(models.QuerySet["Synced"]):
    def of_tags(self, registry: Registry, tags: Iterable[tuple[str, str]]) -> Self:
        """Those of `tags`, each a repository of `registry` and a tag; some hundreds, as a statement takes them."""
        by_repository: defaultdict[str, list[str]] = defaultdict(list)
        for repository, tag in tags:
            by_repository[repository].append(tag)
        named = Q(pk__in=[])
        for repository, some in by_repository.items():
            named |= Q(repository=repository, tag__in=some)
        return self.filter(named, registry=registry)

    def locked(self) -> Self:
        """In one order for all: or two runs that know the same tags would each wait for the other."""
        return self.select_for_update().order_by("pk")


class Synced(models.Model):
    """A tag that was copied in. `digest` is what was put, which differs from `upstream` where platforms were chosen."""

    registry = models.ForeignKey(Registry, models.CASCADE, related_name="+", db_index=False)
    repository = models.CharField(max_length=255)
    tag = models.CharField(max_length=128)
    digest = models.CharField(max_length=DIGEST_LENGTH)
    rule = models.ForeignKey(Rule, models.SET_NULL, null=True, blank=True, related_name="synced")
    source = models.ForeignKey(Registry, models.CASCADE, related_name="+")
    source_repository = models.CharField(max_length=255)
    source_tag = models.CharField(max_length=128)
    upstream = models.CharField(max_length=DIGEST_LENGTH)  # of the source, when it was copied
    form = models.CharField(max_length=64, blank=True)  # `oci.transfer.selection.Selection.key`: what was made of that
    attachments = models.CharField(max_length=64, blank=True)  # `sync.attachments`, when it was copied
    copied_at = models.DateTimeField()
    seen = models.CharField(max_length=DIGEST_LENGTH, blank=True)  # upstream when it was last looked at; "": gone
    seen_at = models.DateTimeField()

    objects = SyncedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["registry", "repository", "tag"], name="one_origin_of_a_tag"),
        ]
        indexes = [models.Index(fields=["registry", "repository", "-copied_at"], name="copies_of_a_repository")]

    def __str__(self) -> str:
        return f"{self.repository}:{self.tag}"


class DatedImage(models.Model):
    """When an image of a source was made, as its config says; to ask costs pulls, so it is asked once."""

    digest = models.CharField(max_length=DIGEST_LENGTH, unique=True)
    created = models.DateTimeField(null=True, blank=True)  # None: it does not say

    def __str__(self) -> str:
        return self.digest


class TagHold(models.Model):
    """A tag that a run is writing: two of them never write one at once."""

    registry = models.ForeignKey(Registry, models.CASCADE, related_name="+", db_index=False)
    repository = models.CharField(max_length=255)
    tag = models.CharField(max_length=128)
    run = models.ForeignKey(Run, models.CASCADE, related_name="holds")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["registry", "repository", "tag"], name="one_writer_of_a_tag"),
        ]

    def __str__(self) -> str:
        return f"{self.repository}:{self.tag}"
