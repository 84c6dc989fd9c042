"""The tags that a query finds in the catalog, the newest first, at a cost that does not grow with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from django.db import connection
from django.db.models import Exists, F, OuterRef, QuerySet, Value
from django.db.models.functions import Coalesce

from catalog.models import Repository, Tag
from catalog.models.tags import TagQuerySet
from catalog.reads.keyset import Column, Order, Page, paged
from catalog.search_index import is_too_short, looked_up
from catalog.searching.finding import fitting
from catalog.searching.patterns import Pattern
from catalog.searching.query import Query
from registries.models import Registry, for_asking

NEWEST_FIRST: Final = Order("found", Column("place", int, largest_first=True, is_unique=True), descending=True)
_OF_TAGS: Final = ("repository__registry", "presence__manifest")
_MOST_REPOSITORIES: Final = 200  # in which a pattern's tags are looked for
_MOST_SORTED: Final = 20_000  # of a pattern's tags
_FEW_REPOSITORIES: Final = 500
_FEW_TAGS: Final = 60_000  # whose names are read through in no more time than the index of all takes


@dataclass(frozen=True)
class TagSearch:
    """Live tags by `tag:`, by a pattern, or by the last word; all else that is said is of their repositories."""

    query: Query
    registries: Sequence[Registry]

    def best(self, most: int) -> list[Tag]:
        """At most `most` tags: those whose whole name was typed, then others, each the newest first."""
        exact = self.exact(most)
        others = self.newest(most) if len(exact) < most else []
        return [*exact, *(tag for tag in others if tag not in exact)][:most]

    def newest(self, most: int) -> list[Tag]:
        newest = self._found.order_by(F("place").desc()).values("pk")[:most]
        return list(_whole(Tag.objects.filter(pk__in=newest)).order_by("-pk"))

    def page(self, token: str | None, size: int) -> Page[Tag]:
        return paged(self._found, NEWEST_FIRST, token, size=size, begins_anew=False, whole=_whole)

    def exact(self, most: int) -> list[Tag]:
        """Tags whose whole name was typed, the newest first."""
        if not self._is_by_name:
            return []
        found = self._inside(Tag.objects.live().filter(name=self._text)).order_by("-pk")[:most]
        return list(_whole(Tag.objects.filter(pk__in=found.values("pk"))).order_by("-pk"))

    @property
    def wants_more(self) -> bool:
        """Whether so little was typed that only tags of just this name are found."""
        return self._is_by_name and is_too_short(self._text) and self._few is None

    @property
    def _text(self) -> str:
        """What the names of tags are to have in them."""
        return (self.query.tag or "".join(self.query.words[-1:])).strip()

    @property
    def _is_by_name(self) -> bool:
        return bool(self._text) and not self.query.pattern and not self.query.pasted

    @property
    def _found(self) -> QuerySet[Tag]:
        """Each with its `place`, the larger the newer."""
        rows = Tag.objects.live()
        if self.query.pattern and self.query.pattern.tag:
            return _matching(self.query.pattern, fitting(self.query, self.registries))
        if not self._is_by_name:
            return rows.none().annotate(place=F("id"))
        if self._few is None:
            return self._inside(looked_up(rows, self._text))
        return _live_in(self._few).matching_here(self._text).annotate(place=F("id") + 0)  # no index has the sum

    def _inside(self, rows: QuerySet[Tag]) -> QuerySet[Tag]:
        """Those in the repositories that are asked for."""
        if self._few is not None:
            return rows.filter(repository__in=self._few)
        inside = Exists(self._repositories.filter(pk=OuterRef("repository")))
        if self._is_narrowed:  # PostgreSQL knows badly how many are left, so it is kept from beginning with them
            return rows.alias(inside=Coalesce(inside, Value(value=False))).filter(inside=True)
        return rows.filter(inside)

    @cached_property
    def _few(self) -> list[int] | None:
        """The repositories that are asked for, by their keys; None where they are all, or many."""
        if not self._is_narrowed:
            return None
        tag_counts = dict(self._repositories.values_list("pk", "tag_count")[: _FEW_REPOSITORIES + 1])
        are_few = len(tag_counts) <= _FEW_REPOSITORIES and sum(tag_counts.values()) <= _FEW_TAGS
        return list(tag_counts) if are_few else None

    @property
    def _is_narrowed(self) -> bool:
        of = self._of_repositories
        return any((of.words, of.repository, of.namespace, of.registry, of.facets))

    @property
    def _repositories(self) -> QuerySet[Repository]:
        return fitting(self._of_repositories, self.registries)

    @property
    def _of_repositories(self) -> Query:
        words = self.query.words if self.query.tag else self.query.words[:-1]
        return replace(self.query, words=words, pattern=None)


def _whole(tags: TagQuerySet) -> QuerySet[Tag]:
    return tags.annotate(place=F("id")).select_related(*_OF_TAGS).defer(*for_asking("repository__registry"))


def _live_in(repositories: Sequence[int]) -> TagQuerySet:
    rows = Tag.objects.filter(repository__in=repositories)
    if connection.vendor == "sqlite":  # which else reads each tag, and not its index alone, to see that it lives
        return rows.exclude(pk__in=Tag.objects.gone().filter(repository__in=repositories).values("pk"))
    return rows.live()


def _matching(pattern: Pattern, repositories: QuerySet[Repository]) -> QuerySet[Tag]:
    """In the first of `repositories`; of few tags the newest are found by sorting, of many by looking from the end."""
    places = dict(repositories.order_by("name_key").values_list("pk", "tag_count")[:_MOST_REPOSITORIES])
    are_few = sum(places.values()) < _MOST_SORTED
    place = F("id") + 0 if are_few else F("id")  # no index has the sum
    return pattern.tags(Tag.objects.live().filter(repository__in=list(places))).annotate(place=place)
