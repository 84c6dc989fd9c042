"""What a plan over many repositories would free: each blob once, if nothing that stays in the registry uses it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from catalog.freeing import Freed, all_is_known, any_unread, useless
from catalog.models import Blob, Manifest, ManifestBlob, Presence, Repository, RepositoryBlob
from catalog.policy import MOST_BYTES
from catalog.rows import select
from registries.models import Registry


class Freeing:
    """Repository by repository; only blobs that several repositories use are remembered."""

    def __init__(self, registry: Registry) -> None:
        self._is_exact = all_is_known(registry.pk)
        self._here = set(Repository.objects.filter(registry=registry).values_list("pk", flat=True))
        self._size = 0
        self._staying: dict[int, int] = {}  # by blob, how many repositories use it still

    def lose(self, repository: Repository, digests: Iterable[str]) -> int:
        """Its tags go that point to `digests`, one for each; the bytes of blobs that no other repository uses."""
        going = useless(repository, _losing(repository, Counter(digests)), ())
        self._is_exact = self._is_exact and not any_unread(going)
        uses = Counter(blob for _, blob in set(select(ManifestBlob, ("manifest_id", "blob_id"), "manifest_id", going)))
        counted: defaultdict[int, dict[int, int]] = defaultdict(dict)
        for blob, where, references in select(
            RepositoryBlob, ("blob_id", "repository_id", "references"), "blob_id", uses
        ):
            if where in self._here:
                counted[blob][where] = references
        mine: list[int] = []
        for blob, references in counted.items():
            if uses[blob] < references.get(repository.pk, 0):
                continue  # another image of this repository uses it
            if len(references) == 1:
                mine.append(blob)
            else:
                self._staying[blob] = self._staying.get(blob, len(references)) - 1
        size = _size(mine)
        self._size += size
        return min(MOST_BYTES, size)

    def total(self) -> Freed:
        shared = _size([blob for blob, staying in self._staying.items() if staying <= 0])
        return Freed(min(MOST_BYTES, self._size + shared), self._is_exact)


def _losing(repository: Repository, digests: Mapping[str, int]) -> dict[int, int]:
    """By presence, how many tags it loses."""
    there = f"gone_at IS NULL AND repository_id = {repository.pk:d}"
    manifests = dict(select(Manifest, ("id", "digest"), "digest", digests))
    places = select(Presence, ("manifest_id", "id"), "manifest_id", manifests, there)
    return {place: digests[manifests[manifest]] for manifest, place in places}


def _size(blobs: list[int]) -> int:
    return sum(size for (size,) in select(Blob, ("size",), "id", blobs))
