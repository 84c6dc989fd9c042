"""The watched repositories: what a scan reads of a registry whose catalog may not be read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from catalog.models import Repository, Scan, WatchedRepository
from oci.errors import InvalidName, printable
from oci.names import parse_repository
from registries.models import Registry

MOST: Final = 10_000  # of a registry: each costs a scan a request at least
_LONGEST_SHOWN: Final = 100
_ROWS: Final = 500


@dataclass(slots=True)
class Watched:
    """What became of the names that were given; a refused one is printable here, with a sentence that says why."""

    added: list[str] = field(default_factory=list)
    already: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)


class Reading(StrEnum):
    """What the last scan had to say of a watched repository."""

    READ = "read"
    EMPTY = "empty"  # it is there, without a tag
    FAILED = "failed"
    MISSING = "missing"  # the registry knows no repository of that name, or shows it to others only
    UNREAD = "unread"  # no scan has tried it yet


@dataclass(frozen=True, slots=True)
class WatchedRow:
    """`problem` says why a failed one failed; `repository` is None while the catalog has none of that name."""

    watched: WatchedRepository
    reading: Reading
    problem: str = ""
    repository: Repository | None = None


def watch(registry: Registry, names: Iterable[str]) -> Watched:
    """Watch the repositories of these names from the next scan on. One that was learnt is a person's from now on."""
    found, wanted = Watched(), list(dict.fromkeys(name.strip() for name in names))
    with transaction.atomic():
        Registry.objects.select_for_update().get(pk=registry.pk)  # two at once would go past the limit together
        known = dict(WatchedRepository.objects.filter(registry=registry).values_list("name", "learnt"))
        for name in filter(None, wanted):
            if name in known:
                found.already.append(name)
            elif why := _why_not(name):
                found.refused[printable(name, _LONGEST_SHOWN)] = why
            elif len(known) + len(found.added) >= MOST:
                found.refused[name] = _("No more than %(most)s can be watched.") % {"most": f"{MOST:,}"}
            else:
                found.added.append(name)
        rows = [WatchedRepository(registry=registry, name=name) for name in found.added]
        WatchedRepository.objects.bulk_create(rows, _ROWS, ignore_conflicts=True)
        for piece in _pieces([name for name in found.already if known[name]]):
            WatchedRepository.objects.filter(registry=registry, name__in=piece).update(learnt=False)
    return found


def unwatch(registry: Registry, names: Iterable[str]) -> int:
    """How many of these are watched no more; what was read of them stays in the catalog."""
    gone = 0
    for piece in _pieces(list(dict.fromkeys(names))):
        gone += WatchedRepository.objects.filter(registry=registry, name__in=piece).delete()[0]
    return gone


def watched(registry: Registry) -> list[WatchedRow]:
    """All that are watched, by name."""
    return with_readings(registry, list(WatchedRepository.objects.filter(registry=registry).order_by("name")))


def with_readings(registry: Registry, rows: Sequence[WatchedRepository]) -> list[WatchedRow]:
    """Each of `rows` with what the last scan had to say of it."""
    found: dict[str, Repository] = {}
    for piece in _pieces([row.name for row in rows]):
        repositories = Repository.objects.live().filter(registry=registry, name__in=piece)
        found |= {repository.name: repository for repository in repositories.select_related("registry")}
    tried = Scan.objects.complete().filter(registry=registry, is_of_watched=True).newest_first().first()
    return [_row(row, found.get(row.name), tried.started_at if tried else None) for row in rows]


def _row(row: WatchedRepository, repository: Repository | None, tried: datetime | None) -> WatchedRow:
    if repository is None:
        return WatchedRow(row, Reading.MISSING if tried and tried >= row.added_at else Reading.UNREAD)
    readings = {
        Repository.State.NEW: Reading.UNREAD,
        Repository.State.WHOLE: Reading.READ,
        Repository.State.EMPTY: Reading.EMPTY,
        Repository.State.FAILED: Reading.FAILED,
    }
    return WatchedRow(row, readings[Repository.State(repository.state)], repository.problem, repository)


def _why_not(name: str) -> str:
    """Why no registry can hold a repository of that name; nothing when one can."""
    try:
        parse_repository(name)
    except InvalidName:
        if "://" in name or ":" in name or "@" in name:
            return _("Only the name is wanted: no address before it, no tag or digest after it.")
        if name != name.lower():
            return _("The names of repositories have no capital letters.")
        return _("This is no name of a repository: small letters and digits, with . _ - between them and / as levels.")
    return ""


def _pieces(names: Sequence[str]) -> Iterable[Sequence[str]]:
    return (names[start : start + _ROWS] for start in range(0, len(names), _ROWS))
