"""What a deletion would free: blobs that nothing else in the registry uses, as far as the catalog knows it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from catalog.models import Blob, IndexEntry, Manifest, ManifestBlob, Presence, Repository, RepositoryBlob, Scan
from catalog.policy import MOST_BYTES
from catalog.rows import select


@dataclass(frozen=True, slots=True)
class Freed:
    """Bytes, and whether that is certain: every repository was read to its end, and every manifest understood."""

    size: int
    is_exact: bool


def freed_by(repository: Repository, losing: Mapping[int, int], also: Collection[int]) -> Freed:
    """What goes when presences lose tags (`losing`: how many each, by its key) and the manifests `also` are deleted.

    A manifest is of no use any more when no tag reaches it, and no index that is.
    """
    gone = useless(repository, losing, also)
    mine = _uses(gone)
    everywhere = _everywhere(repository.registry_id, mine)
    freed = [blob for blob, count in mine.items() if everywhere[blob] <= count]
    return Freed(_bytes_of(freed), all_is_known(repository.registry_id) and not any_unread(gone))


def freed_by_each(registry_id: int, images: Iterable[Presence]) -> dict[int, int]:
    """By the key of each of `images`, with its repository, the bytes that would be free if it alone were deleted."""
    uses = {image.pk: _uses(useless(image.repository, {image.pk: image.tag_count}, ())) for image in images}
    blobs = {blob for mine in uses.values() for blob in mine}
    everywhere = _everywhere(registry_id, blobs)
    sizes = dict(select(Blob, ("id", "size"), "id", blobs))
    return {
        pk: min(MOST_BYTES, sum(sizes[blob] for blob, count in mine.items() if everywhere[blob] <= count))
        for pk, mine in uses.items()
    }


def useless(repository: Repository, losing: Mapping[int, int], also: Collection[int]) -> set[int]:
    """Manifests that are of no use any more, by id: the children of what is of no use may be of none either."""
    there = f"gone_at IS NULL AND repository_id = {repository.pk:d}"
    rows = select(Presence, ("manifest_id", "id", "tag_count"), "id", losing, there)
    going = set(also) | {manifest for manifest, pk, count in rows if count <= losing[pk]}
    gone = set(also)
    while level := _unlisted(there, going - gone, gone):
        gone |= level
        entries = select(IndexEntry, ("child_id",), "index_id", level, "child_id IS NOT NULL")
        below = {child for (child,) in entries}
        untagged = select(Presence, ("manifest_id",), "manifest_id", below, f"{there} AND tag_count = 0")
        going |= {manifest for (manifest,) in untagged}
    return gone


def all_is_known(registry_id: int) -> bool:
    """Whether the last complete scan could read every repository."""
    scan = Scan.objects.complete().filter(registry=registry_id).newest_first().first()
    return scan is not None and not scan.failed_repositories and not scan.is_of_watched


def any_unread(manifests: Collection[int]) -> bool:
    """Whether there is one among them of which nobody knows what it needs."""
    unread = f"kind IN ('{Manifest.Kind.SCHEMA1.value}', '{Manifest.Kind.MALFORMED.value}')"
    return bool(select(Manifest, ("id",), "id", manifests, unread))


def _uses(manifests: Collection[int]) -> Counter[int]:
    """Of each blob how many of these manifests use it."""
    return Counter(blob for _, blob in set(select(ManifestBlob, ("manifest_id", "blob_id"), "manifest_id", manifests)))


def _everywhere(registry_id: int, blobs: Collection[int]) -> Counter[int]:
    """Of each blob how often it is used in the registry."""
    uses = select(RepositoryBlob, ("blob_id", "repository_id", "references"), "blob_id", blobs)
    here = f"registry_id = {registry_id:d}"
    known = {pk for (pk,) in select(Repository, ("id",), "id", {where for _, where, _ in uses}, here)}
    everywhere: Counter[int] = Counter()
    for blob, where, references in uses:
        if where in known:
            everywhere[blob] += references
    return everywhere


def _bytes_of(blobs: Collection[int]) -> int:
    total: int = sum(size for (size,) in select(Blob, ("size",), "id", blobs))
    return min(MOST_BYTES, total)


def _unlisted(there: str, manifests: Collection[int], gone: Collection[int]) -> set[int]:
    """Those that no present index lists, but for indexes that are of no use themselves."""
    listed = select(IndexEntry, ("index_id", "child_id"), "child_id", manifests)
    above = {index for index, _ in listed if index not in gone}
    holding = {pk for (pk,) in select(Presence, ("manifest_id",), "manifest_id", above, there)}
    return set(manifests) - {child for index, child in listed if index in holding}
