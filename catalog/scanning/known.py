"""What the catalog already knows, in the form that a scan asks for: one query a batch."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from catalog.models import IndexEntry, Manifest, Presence, Tag


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


@dataclass(frozen=True, slots=True)
class KnownChild:
    """A manifest that some registry has shown us, and whether it is in this repository."""

    manifest_id: int
    here: bool


def known_tags(repository_id: int, names: Iterable[str]) -> dict[str, KnownTag]:
    """The live tags of `names`, by name."""
    rows = Tag.objects.live().filter(repository_id=repository_id, name__in=list(names))
    return {
        name: KnownTag(tag, presence, manifest, digest or "", state != Presence.State.INCOMPLETE, problem)
        for name, tag, presence, manifest, digest, state, problem in rows.values_list(
            "name",
            "id",
            "presence_id",
            "presence__manifest_id",
            "presence__manifest__digest",
            "presence__state",
            "problem",
        )
    }


def known_manifests(repository_id: int, digests: Iterable[str]) -> dict[str, KnownChild]:
    """Those of `digests` whose content is known, by digest."""
    digests = list(digests)
    manifests = dict(Manifest.objects.filter(digest__in=digests).values_list("digest", "id"))
    here = set(
        Presence.objects.present()
        .filter(repository_id=repository_id, manifest_id__in=manifests.values())
        .values_list("manifest_id", flat=True)
    )
    return {digest: KnownChild(pk, pk in here) for digest, pk in manifests.items()}


def children_of(manifest_ids: Iterable[int | None]) -> dict[str, list[str]]:
    """The digests that each index among `manifest_ids` lists, by the index's digest."""
    children: dict[str, list[str]] = {}
    entries = IndexEntry.objects.filter(index_id__in=[pk for pk in manifest_ids if pk is not None])
    for index, digest in entries.order_by("index_id", "position").values_list("index__digest", "digest"):
        children.setdefault(index, []).append(digest)
    return children
