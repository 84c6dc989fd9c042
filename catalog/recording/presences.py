"""Manifests that come to a repository and leave it, and the counts of blobs that hang on them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from django.db.models import Exists, OuterRef, QuerySet

from catalog.models import Blob, IndexEntry, Manifest, ManifestBlob, Presence, Repository, RepositoryBlob
from catalog.models.repositories import LONG_AGO
from catalog.policy import MOST_BYTES
from catalog.recording.chunks import by_weight
from jobs.running import Lease


def arrive(lease: Lease, repository: Repository, manifest_ids: Iterable[int], now: datetime) -> dict[int, int]:
    """Make these manifests present in the repository; the presence of each, by manifest id.

    In transactions of their own: what has no tag yet shows nowhere.
    """
    wanted = set(manifest_ids)
    rows = Presence.objects.filter(repository=repository, manifest_id__in=wanted)
    known = {presence.manifest_id: presence for presence in rows.only("id", "manifest_id", "gone_at")}
    came = Manifest.objects.filter(pk__in=[pk for pk in wanted if pk not in known or known[pk].gone_at is not None])
    for piece in by_weight(came.order_by("pk"), lambda manifest: manifest.layer_count + 2):
        back = [known[manifest.pk].pk for manifest in piece if manifest.pk in known]
        with lease.writing():
            Presence.objects.filter(pk__in=back).update(gone_at=None, dated=now, dated_by=Presence.DatedBy.SEEN)
            Presence.objects.bulk_create(
                _presence(repository, manifest, now) for manifest in piece if manifest.pk not in known
            )
            _count_blobs(repository, [manifest.pk for manifest in piece], +1)
    return dict(rows.values_list("manifest_id", "id"))


def _presence(repository: Repository, manifest: Manifest, now: datetime) -> Presence:
    """An index is settled later, when it is known what is there of it."""
    # What is there when the registry is looked at for the first time came at a time that nobody knows.
    seen = repository.scanned_at is not None or not repository.is_of_first_scan
    malformed = manifest.kind == Manifest.Kind.MALFORMED
    return Presence(
        repository=repository,
        manifest=manifest,
        size=manifest.size,
        state=Presence.State.UNREADABLE if malformed else Presence.State.WHOLE,
        problem=manifest.problem if malformed else "",
        dated=now if seen else LONG_AGO,
        dated_by=Presence.DatedBy.SEEN if seen else Presence.DatedBy.FOUND,
        first_seen=now,
    )


def lose(lease: Lease, repository: Repository, digests: Iterable[str], now: datetime) -> bool:
    """Mark as gone what the registry says is not in the repository, and no tag points to; whether there was any."""
    here = Presence.objects.present().filter(repository=repository, manifest__digest__in=list(digests), tag_count=0)
    return _let_go(lease, repository, list(here.select_related("manifest")), now)


def leave(lease: Lease, repository: Repository, now: datetime) -> None:
    """Let go of what no tag and no present index reaches any more, from the top down."""
    while _let_go(lease, repository, list(_unreached(repository).select_related("manifest")[:1000]), now):
        pass  # the children of an index are unreached once it is gone


def _let_go(lease: Lease, repository: Repository, going: list[Presence], now: datetime) -> bool:
    for piece in by_weight(going, lambda presence: presence.manifest.layer_count + 2):
        with lease.writing():
            Presence.objects.filter(pk__in=[presence.pk for presence in piece]).update(gone_at=now)
            _count_blobs(repository, [presence.manifest_id for presence in piece], -1)
    return bool(going)


def _unreached(repository: Repository) -> QuerySet[Presence]:
    holding = IndexEntry.objects.filter(
        child=OuterRef("manifest"), index__presences__repository=repository, index__presences__gone_at=None
    )
    untagged = Presence.objects.present().filter(repository=repository, tag_count=0)
    return untagged.exclude(Exists(holding))


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
    by_count: dict[int, list[int]] = {}
    for blob, (pk, references) in known.items():
        by_count.setdefault(max(0, references + step * change[blob]), []).append(pk)
    ended = by_count.pop(0, [])
    for count, pks in by_count.items():
        RepositoryBlob.objects.filter(pk__in=pks).update(references=count)
    RepositoryBlob.objects.filter(pk__in=ended).delete()
    let_go = set(ended)
    _resize(repository, _total(new) - _total([blob for blob, (pk, _) in known.items() if pk in let_go]))


def _resize(repository: Repository, change: int) -> None:
    if change:
        rows = Repository.objects.filter(pk=repository.pk)
        rows.update(size=min(MOST_BYTES, max(0, rows.values_list("size", flat=True).get() + change)))


def _total(blob_ids: list[int]) -> int:
    return sum(Blob.objects.filter(pk__in=blob_ids).values_list("size", flat=True))
