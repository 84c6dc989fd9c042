"""What of a registry is broken now: repositories and tags that cannot be read, images with a part missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeVar

from django.db.models import Model, QuerySet

from catalog.models import Presence, Repository, Tag
from registries.models import Registry, for_asking

RowT = TypeVar("RowT", bound=Model)

MOST: Final = 20  # of each kind; the list of repositories with problems leads to the others


@dataclass(frozen=True, slots=True)
class Problems:
    """The first of each kind; `more` where one has more than these."""

    repositories: list[Repository]
    tags: list[Tag]
    images: list[Presence]
    more: bool

    def __bool__(self) -> bool:
        return bool(self.repositories or self.tags or self.images)


def problems_of(registry: Registry) -> Problems:
    """Three queries, each of which looks only into repositories that were counted as having problems."""
    live = Repository.objects.live().filter(registry=registry).select_related("registry").defer(*for_asking("registry"))
    failed, more_failed = _first(live.filter(state=Repository.State.FAILED).order_by("name_key"))
    broken = live.filter(problem_count__gt=0).order_by().values("pk")
    inside = for_asking("repository__registry")
    tags = Tag.objects.live().unreadable().filter(repository__in=broken).select_related("repository__registry")
    unreadable, more_tags = _first(tags.defer(*inside).order_by("repository__name_key", "key"))
    images = Presence.objects.tagged().filter(repository__in=broken).exclude(state=Presence.State.WHOLE)
    images = images.select_related("repository__registry", "manifest").defer(*inside)
    hollow, more_images = _first(images.order_by("repository__name_key", "lead_key"))
    return Problems(failed, unreadable, hollow, more_failed or more_tags or more_images)


def _first(rows: QuerySet[RowT]) -> tuple[list[RowT], bool]:
    found = list(rows[: MOST + 1])
    return found[:MOST], len(found) > MOST
