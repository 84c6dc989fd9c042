"""Repositories of a registry in the course of a scan: found, read, failed, missed, gone."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from django.db.models import F, QuerySet
from django.utils import timezone

from catalog import tags
from catalog.dating import refresh_newest
from catalog.listing import TagListing
from catalog.models import Presence, Repository, Scan, Tag
from catalog.reading import BatchReading
from catalog.sort_keys import name_key
from jobs.running import Lease
from registries.models import Registry

_ROWS: Final = 500  # a transaction
_MISSES: Final = 2  # complete catalogs in a row that must lack a repository before it is gone


def ensure(lease: Lease, registry: Registry, names: Collection[str]) -> dict[str, Repository]:
    """A row for each name that the catalog lists, by name; the one that had gone comes back."""
    rows = {row.name: row for row in Repository.objects.filter(registry=registry).defer("problem")}
    new = [name for name in names if name not in rows]
    for start in range(0, len(new), _ROWS):
        with lease.writing():
            Repository.objects.bulk_create(
                [
                    Repository(
                        registry=registry,
                        name=name,
                        name_key=name_key(name),
                        namespace=name.rpartition("/")[0],
                    )
                    for name in new[start : start + _ROWS]
                ],
                ignore_conflicts=True,
            )
    back = [rows[name].pk for name in names if name in rows and rows[name].gone_at is not None]
    if back:
        with lease.writing():
            Repository.objects.filter(pk__in=back).update(gone_at=None, missed=0)
    listed = set(names)
    return {row.name: row for row in Repository.objects.filter(registry=registry) if row.name in listed}


def record(lease: Lease, repository: Repository, batch: BatchReading) -> tags.Changes:
    """Write one batch in one transaction."""
    with lease.writing():
        return tags.record(repository, batch, timezone.now())


def fail(lease: Lease, repository: Repository, problem: str) -> None:
    """Keep all that is known of the repository, and say why it could not be read."""
    with lease.writing():
        same = Repository.objects.filter(pk=repository.pk, state=Repository.State.FAILED, problem=problem)
        if not same.exists():
            Repository.objects.filter(pk=repository.pk).update(state=Repository.State.FAILED, problem=problem)


def complete(lease: Lease, repository: Repository, listing: TagListing) -> tags.Changes:
    """Every tag of a complete listing was tried: what it lacks is gone, and the repository was seen whole."""
    live = Tag.objects.live().filter(repository=repository)
    listed = set(listing.tags)
    gone = [pk for pk, name in live.values_list("id", "name") if name not in listed]
    changes = tags.Changes()
    for start in range(0, len(gone), _ROWS // 2):
        with lease.writing():
            changes += tags.drop(repository, gone[start : start + _ROWS // 2], timezone.now())
    with lease.writing():
        _settle(repository, empty=not listing.tags)
    return changes


def _settle(repository: Repository, *, empty: bool) -> None:
    refresh_newest(repository.pk)
    broken_tags = Tag.objects.live().filter(repository=repository).exclude(problem="").count()
    broken = Presence.objects.tagged().filter(repository=repository).exclude(state=Presence.State.WHOLE).count()
    Repository.objects.filter(pk=repository.pk).update(
        state=Repository.State.EMPTY if empty else Repository.State.WHOLE,
        problem="",
        problem_count=broken_tags + broken,
        scanned_at=timezone.now(),
    )


def let_go(lease: Lease, registry: Registry, listed: Collection[str]) -> tags.Changes:
    """Mark as gone what this complete catalog lacks and the one before lacked too, with all its tags."""
    changes = tags.Changes()
    for repository in _absent(registry, listed).filter(missed__gte=_MISSES - 1):
        while ids := list(Tag.objects.live().filter(repository=repository).values_list("id", flat=True)[: _ROWS // 2]):
            with lease.writing():
                changes += tags.drop(repository, ids, timezone.now())
        with lease.writing():
            Repository.objects.filter(pk=repository.pk).update(
                gone_at=timezone.now(), newest=None, problem="", problem_count=0, missed=_MISSES
            )
    return changes


def count_missed(registry: Registry, listed: Collection[str]) -> None:
    """Remember what this complete catalog lacked, and what it has again."""
    absent = list(_absent(registry, listed).filter(missed__lt=_MISSES).values_list("id", flat=True))
    _update(absent, missed=F("missed") + 1)
    seen = Repository.objects.live().filter(registry=registry, missed__gt=0)
    _update([pk for pk, name in seen.values_list("id", "name") if name in listed], missed=0)


def _absent(registry: Registry, listed: Collection[str]) -> QuerySet[Repository]:
    rows = Repository.objects.live().filter(registry=registry)
    absent = [pk for pk, name in rows.values_list("id", "name") if name not in listed]
    return Repository.objects.filter(pk__in=absent)


def _update(ids: list[int], **values: object) -> None:
    for start in range(0, len(ids), _ROWS):
        Repository.objects.filter(pk__in=ids[start : start + _ROWS]).update(**values)


def summary(scan: Scan) -> str:
    """How a scan ended, in a sentence."""
    parts = [
        f"{scan.repositories:,} repositories, {scan.tags:,} tags",
        f"{scan.new_tags:,} new, {scan.moved_tags:,} moved, {scan.gone_tags:,} gone",
    ]
    if scan.failed_repositories:
        parts.append(f"{scan.failed_repositories:,} repositories could not be read")
    if scan.rejected_names:
        parts.append(f"{scan.rejected_names:,} names break the grammar and were left out")
    return ": ".join(parts[:2]) + "".join(f"; {part}" for part in parts[2:]) + "."
