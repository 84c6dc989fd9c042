"""What the catalog already knows, in the form that a scan asks for: one query a batch, or one for a registry."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

from catalog.models import IndexEntry, Presence, Tag
from catalog.recording.content import known_ids
from catalog.rows import select

_ROWS: Final = 2_000  # fetched at a time
_COLUMNS: Final = (
    "name",
    "id",
    "presence_id",
    "presence__manifest_id",
    "presence__manifest__digest",
    "presence__state",
    "problem",
    "link_ns",
)


@dataclass(frozen=True, slots=True)
class KnownTag:
    """A live tag as its row has it; `digest` is "" while its manifest was never read.

    `whole`: nothing of what its manifest lists was missing when it was last looked at.
    """

    tag_id: int
    presence_id: int | None
    manifest_id: int | None
    digest: str
    whole: bool
    problem: str
    link_ns: int | None = None

    @classmethod
    def of(cls, row: tuple[Any, ...]) -> KnownTag:
        tag, presence, manifest, digest, state, problem, link = row
        return cls(tag, presence, manifest, digest or "", state != Presence.State.INCOMPLETE, problem, link)


@dataclass(frozen=True, slots=True)
class KnownChild:
    """A manifest that some registry has shown us, and whether it is in this repository."""

    manifest_id: int
    here: bool


def known_tags(repository_id: int, names: Iterable[str]) -> dict[str, KnownTag]:
    """The live tags of `names`, by name."""
    rows = Tag.objects.live().filter(repository_id=repository_id, name__in=list(names)).values_list(*_COLUMNS)
    return {name: KnownTag.of(row) for name, *row in rows}


def live_tags(registry_id: int) -> Iterator[tuple[int, list[tuple[Any, ...]]]]:
    """All live tags of a registry's live repositories, a repository at a time: its id, and its rows.

    A row is the name and what `KnownTag.of` takes. It costs one query; repositories without a tag are left out.
    """
    rows = (
        Tag.objects.live()
        .filter(repository__registry_id=registry_id, repository__gone_at=None)
        .order_by("repository_id")
        .values_list("repository_id", *_COLUMNS)
    )
    for repository, group in groupby(rows.iterator(chunk_size=_ROWS), key=itemgetter(0)):
        yield repository, [row[1:] for row in group]


def known_manifests(repository_id: int, digests: Iterable[str]) -> dict[str, KnownChild]:
    """Those of `digests` whose content is here whole, by digest."""
    manifests = known_ids(digests)
    there = f"gone_at IS NULL AND repository_id = {repository_id:d}"
    here = {pk for (pk,) in select(Presence, ("manifest_id",), "manifest_id", manifests.values(), there)}
    return {digest: KnownChild(pk, pk in here) for digest, pk in manifests.items()}


def children_of(manifest_ids: Iterable[int | None]) -> dict[str, list[str]]:
    """The digests that each index among `manifest_ids` lists, by the index's digest."""
    children: dict[str, list[str]] = {}
    ids = [pk for pk in manifest_ids if pk is not None]
    if not ids:
        return children
    entries = IndexEntry.objects.filter(index_id__in=ids).order_by("index_id", "position")
    for index, digest in entries.values_list("index__digest", "digest"):
        children.setdefault(index, []).append(digest)
    return children
