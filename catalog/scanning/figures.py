"""The totals of a registry, its namespaces and repositories as a scan found them at its end: they add up exactly.

What is pushed is unique to a place, shared with what is outside it, or saved by layers that its own images share.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from typing import Final, TypeAlias

from django.db.models import Count, Q, Sum

from catalog.models import LargeImage, NamespaceTotal, Repository, RepositoryBlob, Scan
from catalog.policy import MOST_BYTES
from catalog.recording.chunks import by_number
from catalog.rows import insert, update
from catalog.sums import total_bytes
from jobs.running import Lease

Path: TypeAlias = tuple[str, ...]  # ("team", "tools"); ("",) of a repository without a namespace

_ROWS: Final = 2_000
_COUNTS: Final = ("repositories", "tags", "images", "pushed")
_COLUMNS: Final = ("repositories", "tags", "images", "pushed", "stored", "unique", "has_below", "is_repository")


@dataclass(slots=True)
class _Total:
    """The order of `_COLUMNS`."""

    repositories: int = 0
    tags: int = 0
    images: int = 0
    pushed: int = 0
    stored: int = 0
    unique: int = 0
    has_below: bool = False
    is_repository: bool = False

    @property
    def values(self) -> tuple[int, ...]:
        return tuple(min(MOST_BYTES, value) for value in astuple(self))


def count(scan: Scan) -> None:
    """Fill in what stands in the catalog now, but the bytes of blobs; saves nothing."""
    live = Repository.objects.live().filter(registry_id=scan.registry_id)
    totals = live.aggregate(
        repositories=Count("id"),
        failed=Count("id", filter=Q(state=Repository.State.FAILED)),
        tags=Sum("tag_count", default=0),
        images=Sum("image_count", default=0),
        broken=Sum("problem_count", default=0),
    )
    scan.repositories, scan.failed_repositories = totals["repositories"], totals["failed"]
    scan.tags, scan.images, scan.broken = totals["tags"], totals["images"], totals["broken"]
    scan.pushed = total_bytes(live, "pushed")


def are_as_before(scan: Scan, before: Scan) -> bool:
    """Whether `before` counted all that is there now: since it ended nothing has come, moved or gone.

    What events told, and what Berth itself did, a scan finds done. Asked once `count` has filled in `scan`.
    """
    if before.finished_at is None or any(getattr(scan, name) != getattr(before, name) for name in _COUNTS):
        return False
    live = Repository.objects.live().filter(registry_id=scan.registry_id)
    is_counted = LargeImage.objects.filter(registry_id=scan.registry_id).exists() or not scan.images
    return is_counted and not live.filter(changed_at__gte=before.finished_at).exists()


def count_blobs(lease: Lease, scan: Scan) -> None:
    """Count each blob once, fill in what is stored and shared; write what changed of namespaces and repositories."""
    totals = _of_repositories(scan.registry_id)
    stored = shared = 0
    unique: dict[int, int] = {}
    for size, repository, paths in _uses(scan.registry_id):
        stored += size
        if repository is not None:
            unique[repository] = unique.get(repository, 0) + size
        common = paths[0]
        for path in paths[1:]:
            common = _common(common, path)
        shared += 0 if common else size
        for namespace in _levels(common):
            totals[namespace].unique += size
        for namespace in {level for path in paths for level in _levels(path)}:
            totals[namespace].stored += size
    scan.stored, scan.shared = min(MOST_BYTES, stored), min(MOST_BYTES, shared)
    _write(lease, scan.registry_id, {name: total.values for name, total in totals.items()})
    _write_unique(lease, scan.registry_id, unique)


def _of_repositories(registry_id: int) -> dict[str, _Total]:
    """By namespace what its live repositories, and those below it, count themselves."""
    totals: dict[str, _Total] = {}
    names = set()
    live = Repository.objects.live().filter(registry_id=registry_id)
    for name, namespace, tags, images, pushed in live.values_list(
        "name", "namespace", "tag_count", "image_count", "pushed"
    ):
        names.add(name)
        for level in _levels(_path(namespace)):
            total = totals.setdefault(level, _Total())
            total.repositories += 1
            total.tags += tags
            total.images += images
            total.pushed += pushed
    for namespace, total in totals.items():
        total.is_repository = namespace in names
        if parent := parent_of(namespace):
            totals[parent].has_below = True
    return totals


def _uses(registry_id: int) -> Iterator[tuple[int, int | None, list[Path]]]:
    """Of each blob its size, the repository that uses it where it is the only one, and their namespaces, each once."""
    rows = (
        RepositoryBlob.objects.filter(repository__registry_id=registry_id, repository__gone_at=None)
        .order_by("blob_id")
        .values_list("blob_id", "blob__size", "repository__namespace", "repository_id")
    )
    for _, group in groupby(rows.iterator(chunk_size=_ROWS), key=itemgetter(0)):
        uses = list(group)
        only = uses[0][3] if len(uses) == 1 else None
        yield uses[0][1], only, [_path(namespace) for namespace in dict.fromkeys(use[2] for use in uses)]


@lru_cache(10_000)
def _path(namespace: str) -> Path:
    return tuple(namespace.split("/"))


@lru_cache(10_000)
def _levels(path: Path) -> tuple[str, ...]:
    """The names of a namespace and of those above it."""
    return tuple("/".join(path[:depth]) for depth in range(1, len(path) + 1))


def parent_of(namespace: str) -> str:
    """The namespace that it lies in, "" at the top."""
    return namespace.rpartition("/")[0]


def _common(one: Path, other: Path) -> Path:
    length = 0
    for mine, theirs in zip(one, other, strict=False):
        if mine != theirs:
            break
        length += 1
    return one[:length]


def _write(lease: Lease, registry_id: int, totals: dict[str, tuple[int, ...]]) -> None:
    before = {
        namespace: (pk, tuple(values))
        for pk, namespace, *values in NamespaceTotal.objects.filter(registry_id=registry_id).values_list(
            "id", "namespace", *_COLUMNS
        )
    }
    fresh = [(registry_id, name, parent_of(name), *total) for name, total in totals.items() if name not in before]
    changed = [(*totals[n], pk) for n, (pk, values) in before.items() if n in totals and totals[n] != values]
    for rows in by_number(fresh):
        with lease.writing():
            insert(NamespaceTotal, ("registry_id", "namespace", "parent", *_COLUMNS), rows)
    for rows in by_number(changed):
        with lease.writing():
            update(NamespaceTotal, _COLUMNS, rows)
    _forget(lease, [pk for name, (pk, _) in before.items() if name not in totals])


def _write_unique(lease: Lease, registry_id: int, unique: dict[int, int]) -> None:
    live = Repository.objects.live().filter(registry_id=registry_id)
    sizes = ((min(MOST_BYTES, unique.get(pk, 0)), before, pk) for pk, before in live.values_list("id", "unique"))
    changed = [(size, pk) for size, before, pk in sizes if size != before]
    for rows in by_number(changed):
        with lease.writing():
            update(Repository, ("unique",), rows)


def _forget(lease: Lease, ids: Iterable[int]) -> None:
    for piece in by_number(ids):
        with lease.writing():
            NamespaceTotal.objects.filter(pk__in=piece).delete()
