"""Repositories of a registry in the course of a scan: found, read, failed, missed, gone."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final

from django.db.models import F, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_noop

from catalog.models import Repository, Scan, Tag
from catalog.recording import presences, tags
from catalog.recording.chunks import by_number
from catalog.recording.refreshing import refresh
from catalog.rows import moment
from catalog.scanning.reading import BatchReading
from catalog.scanning.work import Work
from catalog.sort_keys import name_key
from jobs.running import Lease
from registries.models import Registry

_ROWS: Final = 500  # a transaction
_MISSES: Final = 2  # complete catalogs in a row that must lack a repository before it is gone
# By whether repositories could not be read, and whether names broke the grammar.
_OUTCOMES: Final = {
    (False, False): gettext_noop(
        "%(repositories)s repositories, %(tags)s tags: %(new)s new, %(moved)s moved, %(gone)s gone."
    ),
    (True, False): gettext_noop(
        "%(repositories)s repositories, %(tags)s tags: %(new)s new, %(moved)s moved, %(gone)s gone; %(failed)s"
        " repositories could not be read."
    ),
    (False, True): gettext_noop(
        "%(repositories)s repositories, %(tags)s tags: %(new)s new, %(moved)s moved, %(gone)s gone; %(names)s names"
        " break the grammar and were left out."
    ),
    (True, True): gettext_noop(
        "%(repositories)s repositories, %(tags)s tags: %(new)s new, %(moved)s moved, %(gone)s gone; %(failed)s"
        " repositories could not be read; %(names)s names break the grammar and were left out."
    ),
}
SENTENCES: Final = tuple(_OUTCOMES.values())


def ensure(lease: Lease, registry: Registry, names: Collection[str]) -> dict[str, Repository]:
    """A row for each name that the catalog lists, by name; the one that was missed, or had gone, is back."""
    rows = {row.name: row for row in Repository.objects.filter(registry=registry).only("name", "gone_at", "missed")}
    for piece in by_number((name for name in names if name not in rows), _ROWS):
        with lease.writing():
            Repository.objects.bulk_create(
                [
                    Repository(registry=registry, name=name, name_key=name_key(name), namespace=name.rpartition("/")[0])
                    for name in piece
                ],
                ignore_conflicts=True,
            )
    back = [rows[name].pk for name in names if name in rows and (rows[name].gone_at or rows[name].missed)]
    for ids in by_number(back, _ROWS):
        with lease.writing():
            Repository.objects.filter(pk__in=ids).update(gone_at=None, missed=0)
    is_first = not Scan.objects.complete().filter(registry=registry).exists()
    listed = set(names)
    found = {row.name: row for row in Repository.objects.filter(registry=registry) if row.name in listed}
    for row in found.values():
        row.is_of_first_scan = is_first
    return found


def record(lease: Lease, repository: Repository, batch: BatchReading, since: datetime) -> tags.Changes:
    """Write what one batch of a repository's tags answered, in transactions that are short; for `since` see `tags`."""
    return tags.record(lease, repository, batch, timezone.now(), since=since)


def fail(lease: Lease, repository: Repository, problem: str) -> bool:
    """Keep all that is known of the repository, and say why it could not be read; whether that is news."""
    if (repository.state, repository.problem) == (Repository.State.FAILED, problem):
        return False
    changes: dict[str, Any] = {"state": Repository.State.FAILED, "problem": problem}
    if repository.state in {Repository.State.WHOLE, Repository.State.EMPTY}:
        last = Scan.objects.complete().filter(registry_id=repository.registry_id).newest_first().first()
        if last is not None and last.finished_at and repository.scanned_at:
            changes["scanned_at"] = max(last.finished_at, repository.scanned_at)  # until then it was whole
    with lease.writing():
        Repository.objects.filter(pk=repository.pk).update(**changes)
    return True


def complete(lease: Lease, repository: Repository, work: Work, since: datetime) -> tags.Changes:
    """Every tag of a complete listing was tried: what it lacks is gone, and the repository was seen whole.

    Nothing is written of one that is as it was: that it was seen, the scan says. One in which a scan was killed is not.
    """
    changes = _drop(lease, repository, work.gone, since)
    state = Repository.State.WHOLE if work.count else Repository.State.EMPTY
    as_it_was = repository.scanned_at is not None and (repository.state, repository.problem) == (state, "")
    if as_it_was and repository.is_settled:
        return changes
    presences.leave(lease, repository, timezone.now())
    refresh(lease, repository.pk, state=state.value, problem="", scanned_at=moment(timezone.now()), is_settled=True)
    changes.other = True
    return changes


def _drop(lease: Lease, repository: Repository, tag_ids: list[int], since: datetime) -> tags.Changes:
    changes = tags.Changes()
    for piece in by_number(tag_ids, _ROWS // 2):
        with lease.writing():
            changes += tags.drop(repository, piece, timezone.now(), since=since)
    return changes


def let_go(lease: Lease, registry: Registry, listed: Collection[str], since: datetime) -> tags.Changes:
    """Mark as gone what this complete catalog lacks and the one before lacked too, with all its tags."""
    changes = tags.Changes()
    for repository in _absent(registry, listed).filter(missed__gte=_MISSES - 1):
        live = Tag.objects.live().filter(repository=repository)
        changes += _drop(lease, repository, list(live.values_list("id", flat=True)), since)
        presences.leave(lease, repository, timezone.now())
        with lease.writing():
            Repository.objects.filter(pk=repository.pk).update(
                gone_at=timezone.now(), newest=None, problem="", problem_count=0, missed=_MISSES
            )
    return changes


def count_missed(registry: Registry, listed: Collection[str]) -> None:
    """Remember what this complete catalog lacked."""
    absent = _absent(registry, listed).filter(missed__lt=_MISSES).values_list("id", flat=True)
    for piece in by_number(list(absent), _ROWS):
        Repository.objects.filter(pk__in=piece).update(missed=F("missed") + 1)


def _absent(registry: Registry, listed: Collection[str]) -> QuerySet[Repository]:
    rows = Repository.objects.live().filter(registry=registry)
    absent = [pk for pk, name in rows.values_list("id", "name") if name not in listed]
    return Repository.objects.filter(pk__in=absent)


def summary(scan: Scan) -> str:
    """How a scan ended, in a sentence."""
    return _OUTCOMES[bool(scan.failed_repositories), bool(scan.rejected_names)] % {
        "repositories": f"{scan.repositories:,}",
        "tags": f"{scan.tags:,}",
        "new": f"{scan.new_tags:,}",
        "moved": f"{scan.moved_tags:,}",
        "gone": f"{scan.gone_tags:,}",
        "failed": f"{scan.failed_repositories:,}",
        "names": f"{scan.rejected_names:,}",
    }
