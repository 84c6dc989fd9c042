"""Where manifests of a repository are found: in the registry's storage folder, all of them, or else in the catalog."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, NamedTuple, Protocol

from django.utils.translation import gettext_noop

from catalog.models import Presence, Repository, Tag
from cleanup.models import UntaggedRun
from cleanup.untagged.judging import Found
from cleanup.untagged.known import UNREADABLE, NotUnderstood, found_in, known_among, since
from oci.client import RegistryClient
from oci.errors import NotFound, Refused, RegistryError
from oci.fetched import Fetched
from oci.names import Digest, RepositoryName, parse_repository
from oci.storage import StorageFault, StorageFolder, Unreadable

_THREADS: Final = 8
_HELD: Final = 2 * 2**20  # bytes of manifests that are asked for once more at once
_TORN_TAG: Final = gettext_noop("the tag %(tag)s cannot be read, so nobody knows what it needs: %(why)s")
_TORN_LINK: Final = gettext_noop("the manifest %(digest)s cannot be told apart: %(why)s")
_UNLISTED: Final = gettext_noop("it could not be listed: %(why)s")
_ODD_NAMES: Final = gettext_noop("something in it is not the name of a tag")
_UNSCANNED: Final = gettext_noop("no scan has read it to its end yet")
SENTENCES: Final = (_TORN_TAG, _TORN_LINK, _UNLISTED, _ODD_NAMES, _UNSCANNED)


class LeftAlone(Exception):  # noqa: N818  a finding: the sentence says why a repository is not judged
    """Something of the repository cannot be read, so nothing of it is deleted."""


@dataclass(frozen=True, slots=True)
class Contents:
    """All manifests of a repository that are known to be there, and those that a tag points to."""

    found: Mapping[str, Found]
    tagged: frozenset[str]


class _Ahead(NamedTuple):
    """Of a folder: when each manifest was linked, what the catalog knows of them, and when tags left them."""

    ages: dict[str, datetime]
    known: dict[str, Found]
    gone: dict[str, datetime]


class Source(Protocol):
    kind: UntaggedRun.Source

    def repositories(self, rows: Collection[Repository]) -> tuple[list[Repository], list[str]]:
        """Those of the rows to read, and the names that are there without a row. Raises RegistryError."""

    def look_ahead(self, repositories: Sequence[Repository]) -> None:
        """`read` is about to be asked for these: what it needs is fetched of all of them together. Raises nothing."""

    def read(self, repository: Repository) -> Contents:
        """Raises LeftAlone, and RegistryError where the whole registry cannot be read."""

    def manifest(self, repository: Repository, digest: str) -> Fetched:
        """Its bytes. Raises RegistryError."""


class FolderSource:
    """Complete: every revision that a repository links, and what the bytes of each say."""

    kind = UntaggedRun.Source.FOLDER

    def __init__(self, folder: StorageFolder) -> None:
        self._folder = folder
        self._ahead: dict[int, _Ahead] = {}
        self._fetched: dict[str, Fetched] = {}  # of the last repository, some that the catalog does not know

    def repositories(self, rows: Collection[Repository]) -> tuple[list[Repository], list[str]]:
        names = {*self._folder.repositories(listed_by="_layers"), *self._folder.repositories(listed_by="_manifests")}
        known = {row.name for row in rows}
        return [row for row in rows if row.name in names], sorted(names - known)

    def look_ahead(self, repositories: Sequence[Repository]) -> None:
        """What cannot be read is left to `read`, which says why."""
        ages: dict[int, dict[str, datetime]] = {}
        for row in repositories:
            with suppress(LeftAlone, RegistryError):
                ages[row.pk] = self._revisions(parse_repository(row.name))
        self._ahead = {}
        with suppress(NotUnderstood):
            known = known_among({digest for links in ages.values() for digest in links})
            gone = _gone_since(ages)
            self._ahead = {
                pk: _Ahead(links, {digest: known[digest] for digest in links if digest in known}, gone.get(pk, {}))
                for pk, links in ages.items()
            }

    def read(self, repository: Repository) -> Contents:
        name = parse_repository(repository.name)
        try:
            ahead = self._ahead.pop(repository.pk, None) or self._alone(repository)
            ages, found = ahead.ages, self._contents(name, ahead)
            tagged = self._tagged(name)  # last: what is tagged meanwhile is seen
        except NotUnderstood as odd:
            raise LeftAlone(UNREADABLE % {"digest": odd.digest}) from odd
        except RegistryError as fault:
            if isinstance(fault, StorageFault) and not isinstance(fault, Unreadable):
                raise  # the folder is another one by now
            raise LeftAlone(_UNLISTED % {"why": fault}) from fault
        dated = {digest: since(one, _later(ages[digest], ahead.gone.get(digest))) for digest, one in found.items()}
        return Contents(dated, tagged)

    def manifest(self, repository: Repository, digest: str) -> Fetched:
        fetched = self._fetched.pop(digest, None)
        return fetched or self._folder.manifest(parse_repository(repository.name), digest)

    def _revisions(self, name: RepositoryName) -> dict[str, datetime]:
        ages: dict[str, datetime] = {}
        for link in self._folder.revision_links(name):
            if link.problem:
                raise LeftAlone(_TORN_LINK % {"digest": link.digest, "why": link.problem})
            ages[link.digest] = datetime.fromtimestamp(link.linked_ns / 1e9, UTC)
        return ages

    def _alone(self, repository: Repository) -> _Ahead:
        ages = self._revisions(parse_repository(repository.name))
        return _Ahead(ages, known_among(ages), _gone_since([repository.pk]).get(repository.pk, {}))

    def _contents(self, name: RepositoryName, ahead: _Ahead) -> dict[str, Found]:
        """What the catalog has read is not read again: content is what its digest says."""
        found = ahead.known
        self._fetched, size = {}, 0
        for digest in ahead.ages:
            if digest not in found:
                fetched = self._folder.manifest(name, digest)
                found[digest] = found_in(digest, fetched)
                if (size := size + fetched.weight) <= _HELD:
                    self._fetched[digest] = fetched
        return found

    def _tagged(self, name: RepositoryName) -> frozenset[str]:
        listing, tagged = self._folder.tags(name), set()
        try:
            for link in listing:
                if link.problem:
                    raise LeftAlone(_TORN_TAG % {"tag": link.name, "why": link.problem})
                tagged.add(link.digest)
        except NotFound:
            return frozenset()
        if listing.rejected:
            raise LeftAlone(_ODD_NAMES)
        return frozenset(tagged)


class CatalogSource:
    """What scans have seen: what came by its digest alone, and no tag ever reached, is not among it."""

    kind = UntaggedRun.Source.CATALOG

    def __init__(self, client: RegistryClient) -> None:
        self._client = client

    def look_ahead(self, repositories: Sequence[Repository]) -> None:
        pass

    def repositories(self, rows: Collection[Repository]) -> tuple[list[Repository], list[str]]:
        return [row for row in rows if row.gone_at is None], []

    def read(self, repository: Repository) -> Contents:
        """Those that no tag reaches any more are asked for, one by one: most will have been deleted long ago."""
        repository.refresh_from_db()
        is_read = repository.state in {Repository.State.WHOLE, Repository.State.EMPTY} and repository.is_settled
        if not is_read or repository.scanned_at is None or repository.gone_at is not None:
            raise LeftAlone(_UNSCANNED)
        if torn := Tag.objects.live().filter(repository=repository).unreadable().first():
            raise LeftAlone(_TORN_TAG % {"tag": torn.name, "why": torn.problem})
        places = Presence.objects.filter(repository=repository).values_list(
            "manifest__digest", "gone_at", "first_seen", "tag_count"
        )
        rows = {digest: (gone_at, first_seen, count) for digest, gone_at, first_seen, count in places}
        name = parse_repository(repository.name)
        gone = [digest for digest, (gone_at, _, _) in rows.items() if gone_at is not None]
        there = rows.keys() - set(gone) | self._still_there(name, gone)
        try:
            found = known_among(there)
        except NotUnderstood as odd:
            raise LeftAlone(UNREADABLE % {"digest": odd.digest}) from odd
        if unknown := there - found.keys():
            raise LeftAlone(UNREADABLE % {"digest": min(unknown)})
        # Of what is present, and has no tag, nobody knows since when: something reaches it, or a scan will tell.
        ages = {digest: max(gone_at, first) if gone_at else None for digest, (gone_at, first, _) in rows.items()}
        tagged = frozenset(digest for digest, (gone_at, _, count) in rows.items() if count and gone_at is None)
        return Contents({digest: since(one, ages[digest]) for digest, one in found.items()}, tagged)

    def manifest(self, repository: Repository, digest: str) -> Fetched:
        fetched = self._client.manifest(parse_repository(repository.name), Digest.parse(digest))
        assert fetched is not None  # noqa: S101  no condition was sent
        return fetched

    def _still_there(self, name: RepositoryName, digests: Iterable[str]) -> set[str]:
        try:
            with ThreadPoolExecutor(_THREADS) as threads:
                return {
                    digest for digest in threads.map(lambda digest: self._if_there(name, digest), digests) if digest
                }
        except Refused as fault:
            raise LeftAlone(_UNLISTED % {"why": fault}) from fault

    def _if_there(self, name: RepositoryName, digest: str) -> str:
        """It, or "" where the registry says that it has it not: a HEAD has no words, and a plain 404 is a proxy's."""
        try:
            self._client.manifest(name, Digest.parse(digest))
        except NotFound as refusal:
            if not refusal.reasons:
                raise
            return ""
        return digest


def _gone_since(repositories: Collection[int]) -> dict[int, dict[str, datetime]]:
    """When the last tag of each went, as far as the catalog knows: an old image may have had one until just now."""
    rows = Presence.objects.filter(repository__in=list(repositories), gone_at__isnull=False)
    gone: dict[int, dict[str, datetime]] = {}
    for repository, digest, at in rows.values_list("repository_id", "manifest__digest", "gone_at"):
        if at is not None:
            gone.setdefault(repository, {})[digest] = at
    return gone


def _later(pushed: datetime, gone: datetime | None) -> datetime:
    return pushed if gone is None else max(pushed, gone)
