"""Manifests that come to a repository and leave it, and the counts of blobs that hang on them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from catalog.models import Blob, IndexEntry, Manifest, ManifestBlob, Presence, Repository, RepositoryBlob
from catalog.models.repositories import LONG_AGO
from catalog.policy import MOST_BYTES
from catalog.recording.chunks import by_weight
from catalog.recording.refreshing import unsettle
from catalog.rows import hold, insert, moment, select, update
from jobs.running import Lease

PRESENCE_COLUMNS: Final = (
    "repository_id",
    "manifest_id",
    "size",
    "state",
    "problem",
    "tag_count",
    "lead_tag",
    "lead_key",
    "facets",
    "dated",
    "dated_by",
    "first_seen",
)


_LEAVING: Final = "gone_at IS NULL AND tag_count = 0"


class _Manifest(NamedTuple):
    id: int
    kind: str
    size: int
    problem: str
    layer_count: int
    facets: int


def arrive(
    lease: Lease, repository: Repository, manifest_ids: Iterable[int], now: datetime, *, restores: bool = False
) -> dict[int, int]:
    """Make these manifests present in the repository; the presence of each, by manifest id.

    In transactions of their own: what has no tag yet shows nowhere. What `restores` keeps the date that it had.
    """
    wanted = set(manifest_ids)
    here = f"repository_id = {repository.pk:d}"
    known = _known(repository, wanted)
    coming = sorted(pk for pk in wanted if pk not in known or known[pk].is_gone)
    if not coming:
        return {manifest: place.id for manifest, place in known.items()}
    manifests = map(_Manifest._make, sorted(select(Manifest, _Manifest._fields, "id", coming)))
    for piece in by_weight(manifests, lambda manifest: manifest.layer_count + 2):
        with lease.writing():
            hold(Repository, repository.pk)
            _come(repository, piece, now, restores=restores)
    return dict(select(Presence, ("manifest_id", "id"), "manifest_id", wanted, here))


class _Known(NamedTuple):
    id: int
    is_gone: bool


def _known(repository: Repository, manifest_ids: Iterable[int]) -> dict[int, _Known]:
    here = f"repository_id = {repository.pk:d}"
    rows = select(Presence, ("manifest_id", "id", "gone_at"), "manifest_id", set(manifest_ids), here)
    return {manifest: _Known(pk, gone is not None) for manifest, pk, gone in rows}


def _come(repository: Repository, manifests: Sequence[_Manifest], now: datetime, *, restores: bool) -> None:
    """Those that are not there yet; looked at once more, since a scan and an act may write in one repository."""
    known = _known(repository, (manifest.id for manifest in manifests))
    coming = [manifest for manifest in manifests if manifest.id not in known or known[manifest.id].is_gone]
    back = [known[manifest.id].id for manifest in coming if manifest.id in known]
    if back:
        dates: dict[str, Any] = {} if restores else {"dated": now, "dated_by": Presence.DatedBy.SEEN}
        Presence.objects.filter(pk__in=back).update(gone_at=None, **dates)
    insert(Presence, PRESENCE_COLUMNS, [_row(repository, m, now) for m in coming if m.id not in known])
    unsettle(repository)
    _count_blobs(repository, [manifest.id for manifest in coming], +1)


def _row(repository: Repository, manifest: _Manifest, now: datetime) -> tuple[Any, ...]:
    """The values of `PRESENCE_COLUMNS`. An index is settled later, when it is known what is there of it."""
    # What is there when the registry is looked at for the first time came at a time that nobody knows.
    seen = repository.scanned_at is not None or not repository.is_of_first_scan
    malformed = manifest.kind == Manifest.Kind.MALFORMED
    return (
        repository.pk,
        manifest.id,
        manifest.size,
        (Presence.State.UNREADABLE if malformed else Presence.State.WHOLE).value,
        manifest.problem if malformed else "",
        0,
        "",
        b"",
        manifest.facets,
        moment(now if seen else LONG_AGO),
        (Presence.DatedBy.SEEN if seen else Presence.DatedBy.FOUND).value,
        moment(now),
    )


def lose(lease: Lease, repository: Repository, digests: Iterable[str], now: datetime) -> bool:
    """Mark as gone what the registry says is not in the repository, and no tag points to; whether there was any."""
    there = f"repository_id = {repository.pk:d} AND {_LEAVING}"
    manifests = {manifest for (manifest,) in select(Manifest, ("id",), "digest", set(digests))}
    return _let_go(lease, repository, select(Presence, _Place._fields, "manifest_id", manifests, there), now)


def leave(lease: Lease, repository: Repository, now: datetime) -> None:
    """Let go of what no tag and no present index reaches any more, from the top down."""
    while _let_go(lease, repository, _unreached(repository), now):
        pass  # the children of an index are unreached once it is gone


class _Place(NamedTuple):
    id: int
    manifest_id: int


def _let_go(lease: Lease, repository: Repository, going: Sequence[tuple[Any, ...]], now: datetime) -> bool:
    """Each of `going` is a `_Place`."""
    layers = dict(select(Manifest, ("id", "layer_count"), "id", {manifest for _, manifest in going}))
    for piece in by_weight(going, lambda place: layers[place[1]] + 2):
        with lease.writing():
            hold(Repository, repository.pk)
            still = set(select(Presence, _Place._fields, "id", [pk for pk, _ in piece], _LEAVING))
            update(Presence, ("gone_at",), [(moment(now), pk) for pk, _ in still])
            unsettle(repository)
            _count_blobs(repository, [manifest for _, manifest in still], -1)
    return bool(going)


def _unreached(repository: Repository) -> list[tuple[Any, ...]]:
    """Those that have no tag and that no present index lists; each is a `_Place`."""
    present = "gone_at IS NULL"
    untagged = select(Presence, _Place._fields, "repository_id", [repository.pk], f"{present} AND tag_count = 0")
    entries = select(IndexEntry, ("index_id", "child_id"), "child_id", {manifest for _, manifest in untagged})
    there = f"{present} AND repository_id = {repository.pk:d}"
    holding = {pk for (pk,) in select(Presence, ("manifest_id",), "manifest_id", {pk for pk, _ in entries}, there)}
    held = {child for index, child in entries if index in holding}
    return [place for place in untagged if place[1] not in held]


def _count_blobs(repository: Repository, manifest_ids: Iterable[int], step: int) -> None:
    """Add `step` for each of the manifests to the count of each blob it uses; keep the repository's size."""
    uses = select(ManifestBlob, ("manifest_id", "blob_id"), "manifest_id", set(manifest_ids))
    change = Counter(blob for _, blob in set(uses))
    here = f"repository_id = {repository.pk:d}"
    rows = select(RepositoryBlob, ("id", "blob_id", "references"), "blob_id", change, here)
    known = {blob: (pk, references) for pk, blob, references in rows}
    new = [blob for blob in change if blob not in known]
    insert(
        RepositoryBlob,
        ("repository_id", "blob_id", "references"),
        [(repository.pk, blob, change[blob]) for blob in new] if step > 0 else (),
    )
    left = {blob: max(0, references + step * change[blob]) for blob, (_, references) in known.items()}
    update(RepositoryBlob, ("references",), [(count, known[blob][0]) for blob, count in left.items() if count])
    ended = [blob for blob, count in left.items() if not count]
    if ended:
        RepositoryBlob.objects.filter(pk__in=[known[blob][0] for blob in ended]).delete()
    _resize(repository, (_total(new) if step > 0 else 0) - _total(ended))


def _resize(repository: Repository, change: int) -> None:
    if change:
        ((size,),) = select(Repository, ("size",), "id", [repository.pk])
        update(Repository, ("size",), [(min(MOST_BYTES, max(0, size + change)), repository.pk)])


def _total(blob_ids: list[int]) -> int:
    return sum(size for (size,) in select(Blob, ("size",), "id", blob_ids))
