"""Which indexes list a manifest: it is no image of its own to delete while one of them stays."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from catalog.models import IndexEntry, Manifest, Presence
from catalog.policy import MAX_DEPTH
from catalog.rows import select


@dataclass(frozen=True, slots=True)
class Holder:
    """An index, and the first of its tags ("" for none)."""

    digest: str
    tag: str


def holders(repository_id: int, digests: Collection[str], going: Collection[str]) -> dict[str, list[Holder]]:
    """The indexes in the repository that list each of `digests` and stay.

    Those that are `going` do not, but for those that are held themselves: then what they list is held too.
    """
    found: dict[str, list[Holder]] = {}
    while held := _listed_by(repository_id, set(digests) - set(found), set(going) - set(found)):
        found |= held
    return found


def held_below(staying: Collection[str], among: Collection[str]) -> dict[str, str]:
    """Those of `among` that the manifests `staying` list, at any depth, each with an index that does.

    By content alone: what no tag reaches is not present in the catalog's eyes, and may lie in the registry still.
    """
    found: dict[str, str] = {}
    level = set(staying)
    for _ in range(MAX_DEPTH):
        indexes = dict(select(Manifest, ("id", "digest"), "digest", level))
        entries = select(IndexEntry, ("index_id", "digest"), "index_id", indexes)
        below = {child: indexes[index] for index, child in sorted(entries)}
        found = {child: index for child, index in below.items() if child in among and child not in staying} | found
        level = set(below)
    return found


def _listed_by(repository_id: int, digests: set[str], going: set[str]) -> dict[str, list[Holder]]:
    by_id = {pk: digest for digest, pk in select(Manifest, ("digest", "id"), "digest", digests)}
    entries = set(select(IndexEntry, ("index_id", "child_id"), "child_id", by_id))
    above = {index for index, _ in entries}
    tags = dict(select(Presence, ("manifest_id", "lead_tag"), "manifest_id", above, present_in(repository_id)))
    names = select(Manifest, ("digest", "id"), "id", tags)
    staying = {pk: Holder(digest, tags[pk]) for digest, pk in names if digest not in going}
    found: dict[str, list[Holder]] = {}
    for index, child in sorted(entries):
        if index in staying:
            found.setdefault(by_id[child], []).append(staying[index])
    return found


def present_in(repository_id: int) -> str:
    """The condition, for `select`, of what is there."""
    return f"gone_at IS NULL AND repository_id = {repository_id:d}"
