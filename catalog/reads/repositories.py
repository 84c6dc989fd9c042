"""Lists of repositories: what they may be sorted by, which of them are wanted, and the platforms of each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import OuterRef, QuerySet

from catalog.models import Repository, Tag
from catalog.models.repositories import RepositoryQuerySet
from catalog.planning import CountOf
from catalog.reads.keyset import CAP, Column, Page
from catalog.reads.namespaces import levels_of
from catalog.reads.platforms import platforms_of

COLUMNS: Final = {
    "changed": Column("changed_at", datetime, largest_first=True),
    "name": Column("name_key", bytes),
    "tags": Column("tag_count", int, largest_first=True),
    "size": Column("size", int, largest_first=True),
}
STATES: Final = ("problems", "empty", "gone")


@dataclass(frozen=True, slots=True)
class Filters:
    """What of the list is wanted; without any it is all that is there. `state` is one of `STATES`, or nothing."""

    text: str = ""
    namespace: str = ""
    state: str = ""

    @property
    def any(self) -> bool:
        return bool(self.text or self.namespace or self.state)

    @property
    def levels(self) -> list[dict[str, str]]:
        """Of the namespace, `name` and whole `path`, from the outside."""
        return [{"name": path.rpartition("/")[2], "path": path} for path in levels_of(self.namespace)]

    def apply(self, repositories: RepositoryQuerySet) -> RepositoryQuerySet:
        rows = repositories.exclude(gone_at=None) if self.state == "gone" else repositories.live()
        if self.state == "problems":
            rows = rows.with_problems()
        if self.state == "empty":
            rows = rows.filter(state=Repository.State.EMPTY)
        if self.namespace:
            rows = rows.in_namespace(self.namespace)
        return rows.matching(self.text)


def with_gone_tags(repositories: QuerySet[Repository]) -> QuerySet[Repository]:
    """Each with `gone_tags`, how many of its tags went; above `CAP` they are not counted further."""
    gone = Tag.objects.gone().filter(repository=OuterRef("pk")).values("pk")[: CAP + 1]
    return repositories.annotate(gone_tags=CountOf(gone))


def add_platforms(page: Page[Repository], *, exact: bool = False) -> None:
    """Each row gets `platforms`, those of its newest image. One query at most."""
    newest = {row.pk: row.newest.manifest for row in page.rows if row.newest}
    platforms = platforms_of(newest.values(), exact=exact)
    for row in page.rows:
        row.platforms = platforms[newest[row.pk].pk] if row.pk in newest else []  # type: ignore[attr-defined]
