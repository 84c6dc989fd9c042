"""What the catalog knows of the blobs that a garbage collection would remove: how large, and whose."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django.db.models import QuerySet
from django.utils import timezone

from catalog.models import Blob, Manifest, ManifestBlob, Presence, RepositoryBlob
from catalog.rows import select
from registries.models import Registry
from tagging.models import TrashPart

_NAMED: Final = 5  # of those that are in use


class Weighing:
    """Takes digests in. `since` is when the dry run began: what came later it may not have seen."""

    def __init__(self, registry: Registry, since: datetime) -> None:
        self._registry, self._since = registry, since
        self.size = 0  # bytes
        self.unknown = 0
        self.in_use: list[list[str]] = []  # [digest, repository]
        self.samples: list[list[str]] = []  # [digest, repository]: where each was, as the catalog had it
        self._trash: set[int] = set()
        self._kept = self._needed_by_trash()

    @property
    def in_trash(self) -> int:
        """Images in the trash that need one of them."""
        return len(self._trash)

    def take(self, digests: Sequence[str]) -> None:
        rows = select(Blob, ("digest", "id", "size"), "digest", digests)
        blobs = {digest: (pk, size) for digest, pk, size in rows}
        rows = select(Manifest, ("digest", "id", "document_size"), "digest", digests)
        manifests = {digest: (pk, size) for digest, pk, size in rows}
        self.size += sum(size for _, size in {**blobs, **manifests}.values())
        self.unknown += sum(digest not in blobs and digest not in manifests for digest in digests)
        self._trash.update(*(self._kept[pk] for pk, _ in blobs.values() if pk in self._kept))
        self._note_manifests_in_use({pk: digest for digest, (pk, _) in manifests.items()})
        self._note_blobs_in_use({pk: digest for digest, (pk, _) in blobs.items()})
        self._note_samples({pk: digest for digest, (pk, _) in blobs.items()})

    def _note_manifests_in_use(self, digests: dict[int, str]) -> None:
        here = self._present().filter(manifest_id__in=digests)
        self._note([(digests[pk], name) for pk, name in here.values_list("manifest_id", "repository__name")[:_NAMED]])

    def _note_blobs_in_use(self, digests: dict[int, str]) -> None:
        """By the counts of the repositories first, which are few; then by the manifests that use one."""
        counted = RepositoryBlob.objects.filter(
            blob_id__in=digests, repository__registry=self._registry, repository__gone_at=None
        )
        for blob_id, repository_id, name in counted.values_list("blob_id", "repository_id", "repository__name"):
            if len(self.in_use) >= _NAMED:
                return
            users = ManifestBlob.objects.filter(blob_id=blob_id).values("manifest_id")
            if self._present().filter(repository_id=repository_id, manifest_id__in=users).exists():
                self._note([(digests[blob_id], name)])

    def _note_samples(self, digests: dict[int, str]) -> None:
        if not digests or len(self.samples) >= _NAMED:
            return
        gone = Presence.objects.filter(repository__registry=self._registry, gone_at__isnull=False)
        used = gone.filter(manifest__manifest_blobs__blob_id__in=digests)
        found = used.values_list("manifest__manifest_blobs__blob_id", "repository__name").distinct()[:_NAMED]
        self.samples += [[digests[pk], name] for pk, name in found if pk in digests]

    def _note(self, found: list[tuple[str, str]]) -> None:
        self.in_use = [*self.in_use, *map(list, found)][:_NAMED]

    def _present(self) -> QuerySet[Presence]:
        return Presence.objects.present().filter(
            repository__registry=self._registry, repository__gone_at=None, first_seen__lt=self._since
        )

    def _needed_by_trash(self) -> dict[int, set[int]]:
        """The entries that need each blob, by the keys of both."""
        parts = TrashPart.objects.filter(
            entry__registry=self._registry,
            entry__deleted_at__isnull=False,
            entry__restored_at=None,
            entry__until__gt=timezone.now(),
        )
        entries: dict[str, set[int]] = {}
        for digest, entry_id in parts.values_list("manifest__digest", "entry_id").iterator():
            entries.setdefault(digest, set()).add(entry_id)
        needed: dict[int, set[int]] = {}
        names = list(entries)
        for first in range(0, len(names), 500):
            used = ManifestBlob.objects.filter(manifest__digest__in=names[first : first + 500])
            for digest, blob_id in used.values_list("manifest__digest", "blob_id"):
                needed.setdefault(blob_id, set()).update(entries[digest])
        return needed
