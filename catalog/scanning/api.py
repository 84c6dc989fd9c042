"""Reading a registry through its API: one conditional request a tag, which sends no event while it has not moved."""

from __future__ import annotations

from collections.abc import Container, Generator, Iterable, Iterator, Sequence
from functools import partial
from typing import Final, NamedTuple

from django.utils.translation import gettext_noop

from catalog.models import Repository, Scan
from catalog.scanning.ahead import Crew
from catalog.scanning.known import KnownTag, known_tags
from catalog.scanning.listing import CatalogListing, list_all_tags, list_catalog
from catalog.scanning.patience import Patience
from catalog.scanning.progress import Progress
from catalog.scanning.reading import Answer, TagReading
from catalog.scanning.shrinking import find_gone
from catalog.scanning.source import Listed
from catalog.scanning.watched import watched_names
from catalog.scanning.work import BATCH, Batch, Step, Work, batches
from catalog.versions import tag_key
from jobs.running import Lease
from oci.client import RegistryClient
from oci.errors import BadAnswer, Denied, NotFound, RegistryError, Unauthorized, Unsupported
from oci.names import Digest, RepositoryName, TagName
from registries.models import Registry

THREADS: Final = 16  # how many of them ask at once, the pace of the registry decides
MOST_TAGS: Final = 3_000_000  # of a registry: their names are held until all are listed
_MANY_TAGS: Final = gettext_noop("the registry lists more than %(n)s tags")
SENTENCES: Final = (_MANY_TAGS,)


class _Item(NamedTuple):
    repository: Repository
    work: Work
    tag: TagName | None
    known: KnownTag | None
    last: bool


class ApiContents:
    """One request for each manifest."""

    def __init__(self, client: RegistryClient) -> None:
        self._client, self.blob = client, client.blob

    def look(self, repository: RepositoryName, digests: Sequence[str], known: Container[str], /) -> Generator[Answer]:
        for digest in digests:
            try:
                yield self._one(repository, Digest.parse(digest), is_known=digest in known)
            except RegistryError as error:
                yield error

    def _one(self, repository: RepositoryName, digest: Digest, *, is_known: bool) -> Answer:
        if not is_known:
            return self._client.manifest(repository, digest)
        if self._client.manifest_exists(repository, digest):
            return None
        return NotFound.build(f"HEAD {repository}@{digest}", NotFound.status)


class ApiSource:
    kind = Scan.Source.API

    def __init__(self, client: RegistryClient) -> None:
        self._client, self.contents = client, ApiContents(client)
        self.crew = Crew(THREADS)

    def survey(self, registry: Registry, lease: Lease, progress: Progress, patience: Patience) -> Listed:
        listed = Listed()
        catalog = self._catalog(registry, lease, progress, listed)
        listed.rejected = catalog.rejected
        tags = 0
        for listing in list_all_tags(self.crew, self._client, catalog.names, patience):
            listed.rejected += listing.rejected
            tags += len(listing.tags)
            if tags > MOST_TAGS:
                raise BadAnswer(_MANY_TAGS % {"n": f"{MOST_TAGS:,}"})
            listed.works[listing.repository] = Work(listing, len(listing.tags))
            progress.listed(len(listed.works), len(catalog.names))
        find_gone(registry.pk, listed.works)
        return listed

    def _catalog(self, registry: Registry, lease: Lease, progress: Progress, listed: Listed) -> CatalogListing:
        try:
            return list_catalog(self._client, progress.found)
        except (Unauthorized, Denied, NotFound, Unsupported) as refusal:
            self._client.ping()  # raises when it is not the catalog alone that is closed to us
            listed.refusal = str(refusal)
            return CatalogListing(watched_names(lease, registry, listed.refusal))

    def batches(self, work: Iterable[tuple[Repository, Work]], patience: Patience) -> Iterator[Batch]:
        read = partial(self._read, patience)
        return batches(self.crew.map(read, _items(work), lambda step: step.reading.weight if step.reading else 0))

    def close(self) -> None:
        self.crew.close()

    def _read(self, patience: Patience, item: _Item) -> Step:
        repository, work, tag, known, last = item
        reading = None
        if tag:
            patience.check()
            reading = read_tag(self._client, work.listing.repository, tag, known)
            patience.heard(reading.failure)
        return Step(repository, work, reading, last)


def _items(work: Iterable[tuple[Repository, Work]]) -> Iterator[_Item]:
    for repository, of_it in work:
        names = sorted(of_it.listing.tags, key=tag_key)  # of two that come at once, the higher version comes last
        if not names:
            yield _Item(repository, of_it, None, None, last=True)
        for start in range(0, len(names), BATCH):
            tags = names[start : start + BATCH]
            known = known_tags(repository.pk, tags) if repository.tag_count else {}
            for place, tag in enumerate(tags, start + 1):
                yield _Item(repository, of_it, tag, known.get(tag), last=place == len(names))


def read_tag(client: RegistryClient, repository: RepositoryName, tag: TagName, known: KnownTag | None) -> TagReading:
    """One request. Never raises a RegistryError: it is the tag's reading."""
    unless = Digest.parse(known.digest) if known and known.digest else None
    try:
        fetched = client.manifest(repository, tag, unless=unless)
    except RegistryError as error:
        return TagReading(tag, None, known=known, failure=error)
    if fetched is None:
        return TagReading(tag, known.digest if known else None, known=known)
    return TagReading(tag, str(fetched.digest), fetched, known)
