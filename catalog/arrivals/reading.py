"""Reading what events have told of, at the registry, before anything is written: its word is the only one that counts.

A registry that does not answer is asked again later (`catalog.models.Unread`), and meanwhile not waited for.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from catalog.arrivals.contents import ArrivingContents
from catalog.models import Presence, Repository, Scan, WatchedRepository
from catalog.recording.acts import database_time
from catalog.recording.content import Content, store
from catalog.scanning.ahead import Crew
from catalog.scanning.below import BatchReader
from catalog.scanning.known import KnownTag, known_tags
from catalog.scanning.listing import TagListing
from catalog.scanning.patience import Patience, is_silent
from catalog.scanning.reading import BatchReading, TagReading
from catalog.scanning.work import Batch, Work
from catalog.sort_keys import name_key
from jobs.running import Lease
from oci.client import RegistryClient
from oci.errors import BadAnswer, NotFound, RegistryError, Unreachable
from oci.names import Digest, RepositoryName, TagName
from registries.clients import hasty_client_for
from registries.models import Registry
from registries.own_requests import today

THREADS: Final = 4
_TICK: Final = timedelta(milliseconds=1)  # of SQLite's clock: what the last batch wrote came before this one
_PATIENCE: Final = 5.0  # seconds for an answer
TURN: Final = 5.0  # seconds for what is read at once: other registries wait. The rest is read later,
_BELOW: Final = 20.0  # but what lies below tags that were read, or lists them, has so much more
_REACHED_BY: Final = (
    *("url", "username", "password", "realm", "ca", "client_certificate", "client_key", "plain_http", "proxy"),
    *("at_once", "requests_per_second"),
)
_AWAY: Final = (5.0, 60.0)  # seconds for which a registry that does not answer is left alone, doubled each time up to


@dataclass(slots=True)
class Wanted:
    """What is to be read of one repository."""

    tags: set[TagName] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)  # digests of manifests of which it is told that they are gone


@dataclass(slots=True)
class Found:
    """What was read of one repository; `since` when that began, by the database's clock."""

    name: RepositoryName
    since: datetime
    repository: Repository | None  # None: it has nothing to keep, and never had
    known: Mapping[str, KnownTag]  # the tags as they were known before
    batch: BatchReading
    gone: set[str] = field(default_factory=set)  # tags that the registry has not
    unread: Wanted = field(default_factory=Wanted)
    is_new: bool = False  # the row of the repository


def unread(registry: Registry, wanted: Mapping[RepositoryName, Wanted]) -> list[Found]:
    """What is found where the registry cannot be asked at all: nothing, and all of it is to be read again."""
    rows, founds = _rows(registry, wanted), []
    for name, of_it in wanted.items():
        found = _begun(name, of_it, rows.get(name))
        found.unread = of_it
        founds.append(found)
    return founds


class Reader:
    """Of one registry, kept for as long as its row stays the same. InvalidName where no client can be made of that."""

    def __init__(self, registry: Registry, lease: Lease, crew: Crew) -> None:
        self._registry, self._lease, self._crew = registry, lease, crew
        self._day = today()
        self._client: RegistryClient = hasty_client_for(registry, _PATIENCE, lease.caller)
        self._contents = ArrivingContents(self._client, self._check)
        self._away_until, self._pause = 0.0, _AWAY[0]
        self._until = 0.0

    def serves(self, registry: Registry) -> bool:
        """Whether it asks at the address, with the name and by the way that `registry` says now."""
        mine, now = self._registry, registry
        return self._day == today() and all(getattr(mine, name) == getattr(now, name) for name in _REACHED_BY)

    def close(self) -> None:
        self._client.close()

    def read(self, wanted: Mapping[RepositoryName, Wanted], turn: float = TURN) -> list[Found]:
        """What the registry has of it now. Never raises a RegistryError: what it did not answer is `unread`.

        Nor is it asked for more once `turn` seconds are over.
        """
        self._until = time.monotonic() + turn
        rows = _rows(self._registry, wanted)
        return [self._read(name, of_it, rows.get(name)) for name, of_it in wanted.items()]

    def _read(self, name: RepositoryName, wanted: Wanted, row: Repository | None) -> Found:
        found = _begun(name, wanted, row)
        if time.monotonic() < self._away_until or self._is_late():
            found.unread = wanted
            return found
        try:
            self._look(found, wanted)
        except RegistryError as failure:
            if is_silent(failure):  # else it is this repository that Berth may not read
                self._away_until = time.monotonic() + self._pause
                self._pause = min(2 * self._pause, _AWAY[1])
            found.batch, found.gone, found.unread = BatchReading([]), set(), wanted
        else:
            self._pause = _AWAY[0]
        return found

    def _look(self, found: Found, wanted: Wanted) -> None:
        """Raises the first failure that is not one of a tag but of the repository, or of the registry."""
        answers = list(self._crew.map(lambda tag: self._tag(found, tag), sorted(wanted.tags)))
        readings = [answer for answer in answers if answer is not None]
        found.unread.tags = wanted.tags - {reading.tag for reading in readings}
        absent = {reading.tag for reading in readings if isinstance(reading.failure, NotFound)}
        for reading in readings:
            if reading.tag not in absent and not isinstance(reading.failure, BadAnswer | None):
                raise reading.failure
        found.gone = {str(tag) for tag in absent - self._listed(found.name)} if absent else set()
        there = [reading for reading in readings if reading.tag not in found.gone]
        if there and found.repository is None:
            found.repository, found.is_new = self._add(found.name)
        if found.repository is not None and there:
            found.batch = self._below(found.name, found.repository, there)
        if found.batch.unanswered:  # children, of which the tags lead to all that are not whole
            found.unread.tags |= {reading.tag for reading in there if not reading.is_as_known}
        for digest in _present(found.repository, wanted.deleted):
            if self._is_late():
                found.unread.deleted.add(digest)
            elif not self._client.manifest_exists(found.name, Digest.parse(digest)):
                found.batch.absent.add(digest)
                found.batch.missing.setdefault(digest, "")

    def _tag(self, found: Found, tag: TagName) -> TagReading | None:
        return None if self._is_late() else self._contents.tag(found.name, tag, found.known.get(tag))

    def _is_late(self) -> bool:
        return time.monotonic() >= self._until

    def _check(self) -> None:
        """Raises Unreachable: nobody waits for so long."""
        if time.monotonic() > self._until + _BELOW:
            raise Unreachable("it takes too long to answer")

    def _listed(self, name: RepositoryName) -> set[TagName]:
        """A tag that cannot be read is gone only where the registry does not list it either."""
        try:
            listed: set[TagName] = set()
            for page in self._client.tags(name):
                self._check()
                listed.update(page.names)
        except NotFound as refusal:
            if not refusal.unknown_name:
                raise
            return set()
        return listed

    def _below(self, name: RepositoryName, repository: Repository, readings: list[TagReading]) -> BatchReading:
        work = Work(TagListing(name), len(readings))
        reader = BatchReader(self._crew, self._contents, Patience(), thorough=False)
        ((_, batch),) = reader.read_all([Batch(repository, work, readings, last=True)], self._keep)
        return batch

    def _keep(self, contents: Mapping[str, Content]) -> dict[str, int]:
        return store(self._lease, contents)

    def _add(self, name: RepositoryName) -> tuple[Repository, bool]:
        """A row for a repository of which events were the first to tell."""
        values = {"name_key": name_key(name), "namespace": name.rpartition("/")[0]}
        last = Scan.objects.complete().filter(registry=self._registry).newest_first().first()
        with self._lease.writing():
            if last is not None and last.is_of_watched:  # else the next scan would let go of it
                WatchedRepository.objects.get_or_create(registry=self._registry, name=name, defaults={"learnt": True})
            return Repository.objects.get_or_create(registry=self._registry, name=name, defaults=values)


def _present(repository: Repository | None, digests: Collection[str]) -> set[str]:
    """Those of `digests` that Berth takes to be there: of others, blobs for one, it has nothing to find out."""
    if repository is None or not digests:
        return set()
    rows = Presence.objects.present().filter(repository=repository, manifest__digest__in=digests)
    return set(rows.values_list("manifest__digest", flat=True))


def wanted_of(pairs: Iterable[tuple[RepositoryName, TagName | None, str]]) -> dict[RepositoryName, Wanted]:
    """Of repositories with a tag, or a digest that was deleted."""
    wanted: dict[RepositoryName, Wanted] = {}
    for name, tag, digest in pairs:
        of_it = wanted.setdefault(name, Wanted())
        if tag is not None:
            of_it.tags.add(tag)
        elif digest:
            of_it.deleted.add(digest)
    return wanted


def _rows(registry: Registry, wanted: Iterable[RepositoryName]) -> dict[str, Repository]:
    rows = Repository.objects.filter(registry=registry, name__in=list(wanted)).select_related(None)
    return {row.name: row for row in rows}


def _begun(name: RepositoryName, wanted: Wanted, row: Repository | None) -> Found:
    """Before anything is asked."""
    since = database_time() + _TICK
    return Found(name, since, row, known_tags(row.pk, wanted.tags) if row else {}, BatchReading([]))
