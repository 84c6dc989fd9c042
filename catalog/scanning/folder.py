"""Reading a registry from its storage folder: a walk tells what every tag points to, and what differs is looked at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any, Final, NamedTuple

from catalog.models import Manifest, Presence, Repository, Scan
from catalog.scanning.ahead import Crew
from catalog.scanning.known import KnownChild, KnownTag, known_manifests, live_tags
from catalog.scanning.listing import TagListing
from catalog.scanning.patience import Patience
from catalog.scanning.progress import Progress
from catalog.scanning.reading import TagReading
from catalog.scanning.source import Listed
from catalog.scanning.work import BATCH, Batch, Step, Work, batches
from catalog.sort_keys import natural_key
from jobs.running import Lease
from oci.config import CONFIG_LIMIT
from oci.errors import BadAnswer, NotFound, Reason, RegistryError
from oci.fetched import Fetched, FetchedConfig
from oci.model import ImageManifest
from oci.names import Digest, RepositoryName
from oci.storage import ListedBy, StorageFault, StorageFolder, TagLink
from registries.models import Registry

_RUN: Final = 32  # files that are read in a row: each takes a tenth of a request
_IMAGE: Final = Manifest.Kind.IMAGE.value
_INCOMPLETE: Final = Presence.State.INCOMPLETE.value
_ABSENT: Final = Reason("MANIFEST_UNKNOWN", "it is not there")  # as the folder says of what nobody knows


class FolderContents:
    """What lies in the storage folder, parsed here, while others write. An image brings its config along.

    A config that does not come is read later, where it is asked for by itself, and its fault told there.
    """

    def __init__(self, folder: StorageFolder) -> None:
        self._folder = folder
        self.manifest_exists, self.blob = folder.manifest_exists, folder.blob

    def manifest(self, repository: RepositoryName, target: Digest, /) -> Fetched:
        fetched = self._folder.manifest(repository, target)
        image = fetched.manifest
        if isinstance(image, ImageManifest) and image.kind == _IMAGE and image.config.size <= CONFIG_LIMIT:
            with suppress(RegistryError):
                content = self._folder.blob(repository, image.config.digest, limit=CONFIG_LIMIT)
                fetched.config = FetchedConfig.of(content)
        return fetched


class FolderSource:
    kind = Scan.Source.FOLDER

    def __init__(self, folder: StorageFolder, listed_by: ListedBy, *, thorough: bool) -> None:
        """Thorough: also tags that are as they were are looked at, for what may be missing below them."""
        self.folder, self.contents = folder, FolderContents(folder)
        self.crew = Crew(1, run=_RUN)  # more would not read faster, but it reads while others write
        self._listed_by, self._thorough = listed_by, thorough

    def survey(self, registry: Registry, lease: Lease, progress: Progress, patience: Patience) -> Listed:  # noqa: ARG002  of Source
        """Raises StorageFault when the folder cannot be listed to its end."""
        listing = self.folder.repositories(listed_by=self._listed_by)
        names = set(listing)
        if listing.unread:
            raise StorageFault(f"{listing.unread:,} links in it lead out of it, so what they hold is not known")
        listed = Listed(rejected=listing.rejected)
        rows = Repository.objects.live().filter(registry=registry).values_list("id", "name")
        by_id = {pk: name for pk, name in rows if name in names}
        for pk, known in live_tags(registry.pk):
            if pk in by_id:
                self._compare(RepositoryName(by_id[pk]), known, listed)
                progress.listed(len(listed.works), len(names))
        for name in names - listed.works.keys():
            self._compare(name, [], listed)
            progress.listed(len(listed.works), len(names))
        return listed

    def batches(self, work: Iterable[tuple[Repository, Work]], patience: Patience) -> Iterator[Batch]:
        items = (item for repository, of_it in work for item in _items(repository, of_it))
        read = partial(self._step, patience)
        return batches(self.crew.map(read, items, lambda step: step.reading.weight if step.reading else 0))

    def close(self) -> None:
        self.crew.close()

    def _compare(self, repository: RepositoryName, rows: list[tuple[Any, ...]], listed: Listed) -> None:
        """Walk the tags of a repository and note what is not as in `rows`, those of `live_tags`."""
        known = {row[0]: row for row in rows}
        changed: list[TagReading] = []
        count, links = 0, self.folder.tags(repository)
        try:
            for link in links:
                count += 1
                row = known.pop(link.name, None)
                if row is None or self._thorough or not _is_as_known(link, row):
                    changed.append(_reading(repository, link, row))
        except NotFound:
            listing = TagListing(repository, unknown=True)
        except RegistryError as error:
            listed.works[repository] = Work(TagListing(repository, failure=error), changed=[])
            return
        else:
            listing = TagListing(repository, rejected=links.rejected)
        listed.rejected += links.rejected
        changed.sort(key=lambda reading: natural_key(reading.tag))  # of two that come at once, the higher comes last
        listed.works[repository] = Work(listing, count, [row[1] for row in known.values()], changed)

    def _step(self, patience: Patience, item: _Item) -> Step:
        repository, work, reading, last, there, seen = item
        full = None
        if reading:
            patience.check()
            full = self._with_content(work.listing.repository, reading, there, seen)
            patience.heard(full.failure)
        return Step(repository, work, full, last)

    def _with_content(
        self,
        repository: RepositoryName,
        reading: TagReading,
        there: Mapping[str, KnownChild],
        seen: dict[str, RegistryError | None],
    ) -> TagReading:
        """With the manifest, where it is new; `seen` remembers what came of each digest."""
        if reading.digest is None:
            return reading
        fetched: Fetched | None = None
        if reading.digest not in seen:
            try:
                fetched = self._fetched(repository, reading.digest, there.get(reading.digest))
                seen[reading.digest] = None
            except RegistryError as error:
                seen[reading.digest] = error
        failure = seen[reading.digest]
        if failure is not None:
            return replace(reading, digest=None, failure=failure)
        return replace(reading, fetched=fetched) if fetched else reading

    def _fetched(self, repository: RepositoryName, digest: str, known: KnownChild | None) -> Fetched | None:
        """The manifest; None where its content is known, and it is in this repository."""
        wanted = Digest.parse(digest)
        if known is None:
            return self.contents.manifest(repository, wanted)
        if (self._thorough or not known.here) and not self.contents.manifest_exists(repository, wanted):
            raise NotFound.build(f"storage {repository}@{digest}", NotFound.status, (_ABSENT,))
        return None


class _Item(NamedTuple):
    """A tag to look at, or None; what is known of the digests of its batch, and what came of those that were read."""

    repository: Repository
    work: Work
    reading: TagReading | None
    last: bool
    there: Mapping[str, KnownChild]
    seen: dict[str, RegistryError | None]


def _items(repository: Repository, work: Work) -> Iterator[_Item]:
    changed = work.changed or []
    if not changed:
        yield _Item(repository, work, None, last=True, there={}, seen={})
    for start in range(0, len(changed), BATCH):
        readings = changed[start : start + BATCH]
        there = known_manifests(repository.pk, {reading.digest for reading in readings if reading.digest})
        seen: dict[str, RegistryError | None] = {}
        for place, reading in enumerate(readings, start + 1):
            yield _Item(repository, work, reading, place == len(changed), there, seen)
    work.changed = []  # it may have been a hundred thousand


def _is_as_known(link: TagLink, row: tuple[Any, ...]) -> bool:
    """Whether there is nothing to look at; `row` is of `live_tags`."""
    _, _, _, _, digest, state, problem, link_ns = row
    return bool(link.digest == digest and link.linked_ns == link_ns and digest and not problem and state != _INCOMPLETE)


def _reading(repository: RepositoryName, link: TagLink, row: tuple[Any, ...] | None) -> TagReading:
    failure = BadAnswer(f"storage {repository}:{link.name}: {link.problem}") if link.problem else None
    known = KnownTag.of(row[1:]) if row else None
    return TagReading(link.name, link.digest or None, known=known, failure=failure, link_ns=link.linked_ns)
