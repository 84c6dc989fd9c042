"""Manifests that come to a repository and leave it, and the counts that hang on them.

Everything here runs inside the caller's transaction and touches no row that does not change.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from django.db.models import F

from catalog.models import Blob, IndexEntry, ManifestBlob, Presence, Repository, RepositoryBlob
from catalog.models.repositories import LONG_AGO


def arrive(repository: Repository, manifest_ids: Iterable[int], now: datetime) -> dict[int, int]:
    """Make these manifests present in the repository; the presence of each, by manifest id."""
    wanted = set(manifest_ids)
    rows = Presence.objects.filter(repository=repository, manifest_id__in=wanted)
    known = {presence.manifest_id: presence for presence in rows.only("id", "manifest_id", "gone_at")}
    came = [pk for pk in wanted if pk not in known or known[pk].gone_at is not None]
    if came:
        Presence.objects.filter(pk__in=[p.pk for p in known.values() if p.gone_at is not None]).update(
            gone_at=None, dated=now, dated_by=Presence.DatedBy.SEEN
        )
        # What is there at the first look came at a time that nobody knows.
        seen = repository.scanned_at is not None
        dated_by = Presence.DatedBy.SEEN if seen else Presence.DatedBy.FOUND
        dated = now if seen else LONG_AGO
        Presence.objects.bulk_create(
            Presence(repository=repository, manifest_id=pk, dated=dated, dated_by=dated_by, first_seen=now)
            for pk in came
            if pk not in known
        )
        _count_blobs(repository, came, +1)
    return dict(Presence.objects.filter(repository=repository, manifest_id__in=wanted).values_list("manifest_id", "id"))


def leave(repository: Repository, presence_ids: Iterable[int], now: datetime) -> None:
    """Let go of what no tag and no present index reaches any more, down through the indexes."""
    wanted = set(presence_ids)
    while wanted:
        candidates = dict(
            Presence.objects.present()
            .filter(repository=repository, pk__in=wanted, tag_count=0)
            .values_list("manifest_id", "id")
        )
        held = IndexEntry.objects.filter(
            child_id__in=candidates, index__presences__repository=repository, index__presences__gone_at=None
        ).values_list("child_id", flat=True)
        going = {manifest: presence for manifest, presence in candidates.items() if manifest not in set(held)}
        if not going:
            return
        Presence.objects.filter(pk__in=going.values()).update(gone_at=now)
        _count_blobs(repository, going, -1)
        below = IndexEntry.objects.filter(index_id__in=going, child__presences__repository=repository)
        wanted = set(below.values_list("child__presences__id", flat=True))


def _count_blobs(repository: Repository, manifest_ids: Iterable[int], step: int) -> None:
    """Add `step` for each of the manifests to the count of each blob it uses; keep the repository's size."""
    uses = ManifestBlob.objects.filter(manifest_id__in=list(manifest_ids)).values_list("manifest_id", "blob_id")
    change = Counter(blob for _, blob in set(uses))
    rows = RepositoryBlob.objects.filter(repository=repository, blob_id__in=change)
    known = {blob: (pk, references) for pk, blob, references in rows.values_list("id", "blob_id", "references")}
    new = [blob for blob in change if blob not in known]
    RepositoryBlob.objects.bulk_create(
        RepositoryBlob(repository=repository, blob_id=blob, references=change[blob]) for blob in new
    )
    ended = [pk for blob, (pk, references) in known.items() if references + step * change[blob] <= 0]
    ended_blobs = [blob for blob, (_, references) in known.items() if references + step * change[blob] <= 0]
    by_count: dict[int, list[int]] = {}
    for blob, (pk, _) in known.items():
        by_count.setdefault(change[blob], []).append(pk)
    for count, pks in by_count.items():
        RepositoryBlob.objects.filter(pk__in=set(pks) - set(ended)).update(references=F("references") + step * count)
    RepositoryBlob.objects.filter(pk__in=ended).delete()
    bytes_changed = _total(new) - _total(ended_blobs)
    if bytes_changed:
        Repository.objects.filter(pk=repository.pk).update(size=F("size") + bytes_changed)


def _total(blob_ids: list[int]) -> int:
    return sum(Blob.objects.filter(pk__in=blob_ids).values_list("size", flat=True))
