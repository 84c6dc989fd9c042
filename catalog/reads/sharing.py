"""Which layers of an image others use too."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from django.db.models import OuterRef, Subquery, TextField

from catalog.models import Blob, Repository, RepositoryBlob
from catalog.planning import CountOf

MOST: Final = 20  # repositories that are named
CAP: Final = 100  # other repositories that are counted; a base layer may be in all of them


@dataclass(frozen=True, slots=True)
class Sharing:
    """Who else uses a blob: other images of this repository, and other repositories, of which one is named."""

    images_here: int = 0
    elsewhere: int = 0  # stops at CAP
    example: str = ""

    @property
    def is_shared(self) -> bool:
        return bool(self.images_here or self.elsewhere)

    @property
    def elsewhere_is_capped(self) -> bool:
        return self.elsewhere >= CAP

    @property
    def more(self) -> int:
        """Other repositories besides the example."""
        return max(0, self.elsewhere - 1)


NOBODY: Final = Sharing()


@dataclass(frozen=True, slots=True)
class Sharers:
    """Other repositories of the registry that use a blob, by name; `count` stops above CAP."""

    shown: tuple[str, ...] = ()
    count: int = 0
    images_here: int = 0

    @property
    def is_capped(self) -> bool:
        return self.count > CAP

    @property
    def more(self) -> int:
        return min(self.count, CAP) - len(self.shown)


def sharers_of(digest: str, repository: Repository, *, gone: bool = False) -> Sharers:
    """Two queries, whose cost is bounded. Who asks is not among them; see `sharing_of`."""
    uses = RepositoryBlob.objects.filter(blob__digest=digest)
    others = uses.filter(repository__registry=repository.registry_id, repository__gone_at=None)
    names = list(
        others.exclude(repository=repository).order_by("pk").values_list("repository__name", flat=True)[: CAP + 1]
    )
    here = uses.filter(repository=repository).values_list("references", flat=True).first() or 0
    return Sharers(tuple(sorted(names[:MOST])), len(names), max(0, here - (0 if gone else 1)))


def sharing_of(digests: Iterable[str], repository: Repository, *, gone: bool = False) -> dict[str, Sharing]:
    """By digest; one query, whose cost is bounded for each blob.

    The image that is asked about is not among the others; one that is `gone` is not counted at all any more.
    """
    itself = 0 if gone else 1
    uses = RepositoryBlob.objects.filter(blob=OuterRef("pk"))
    others = uses.filter(repository__registry=repository.registry_id, repository__gone_at=None)
    others = others.exclude(repository=repository)
    blobs = Blob.objects.filter(digest__in=list(digests)).annotate(
        here=Subquery(uses.filter(repository=repository).values("references")[:1]),
        elsewhere=CountOf(others.values("pk")[:CAP]),
        example=Subquery(others.values("repository__name")[:1], output_field=TextField()),
    )
    return {
        digest: Sharing(images_here=max(0, (here or 0) - itself), elsewhere=elsewhere, example=example or "")
        for digest, here, elsewhere, example in blobs.values_list("digest", "here", "elsewhere", "example")
    }
