"""Reading a registry from its storage folder: a walk tells what every tag points to, and what differs is looked at."""

from __future__ import annotations

from collections.abc import Container, Generator, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import groupby
from typing import Any, Final, NamedTuple

from django.utils.translation import gettext_noop

from catalog.models import Presence, Repository, Scan
from catalog.scanning.ahead import Crew
from catalog.scanning.beside import Beside
from catalog.scanning.known import KnownChild, KnownTag, known_manifests, live_tags
from catalog.scanning.listing import TagListing
from catalog.scanning.patience import Patience
from catalog.scanning.progress import Progress
from catalog.scanning.reader import Answer
from catalog.scanning.reading import TagReading
from catalog.scanning.source import Listed
from catalog.scanning.work import BATCH, Batch, Step, Work, batches
from catalog.versions import tag_key
from jobs.running import Lease
from oci.errors import BadAnswer, NotFound, RegistryError
from oci.names import RepositoryName
from oci.storage import ListedBy, StorageFault, StorageFolder, TagLink
from registries.models import Registry

_RUN: Final = 64  # tags that are asked for in a row
_SLACK: Final = 2 * 2**20  # bytes: more than what such a run brings, but for the odd one
_INCOMPLETE: Final = Presence.State.INCOMPLETE.value
_LEADS_OUT: Final = gettext_noop("%(n)s links in it lead out of it, so what they hold is not known")
SENTENCES: Final = (_LEADS_OUT,)


class FolderContents:
    """What lies in the storage folder; manifests are read by a process beside."""

    def __init__(self, folder: StorageFolder) -> None:
        self._beside = Beside(folder)
        self.look, self.blob, self.close = self._beside.look, folder.blob, self._beside.close


class FolderSource:
    kind = Scan.Source.FOLDER

    def __init__(self, folder: StorageFolder, listed_by: ListedBy, *, thorough: bool) -> None:
        """Thorough: also tags that are as they were are looked at, for what may be missing below them."""
        self.folder, self.contents = folder, FolderContents(folder)
        self.crew = Crew(1, _RUN, _SLACK)  # more would not read faster
        self._listed_by, self._thorough = listed_by, thorough

    def survey(self, registry: Registry, lease: Lease, progress: Progress, patience: Patience) -> Listed:  # noqa: ARG002  of Source
        """Raises StorageFault when the folder cannot be listed to its end."""
        listing = self.folder.repositories(listed_by=self._listed_by)
        names = set(listing)
        if listing.unread:
            raise StorageFault(_LEADS_OUT % {"n": f"{listing.unread:,}"})
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
        read = partial(self._steps, patience)
        return batches(self.crew.map_runs(read, items, lambda step: step.reading.weight if step.reading else 0))

    def close(self) -> None:
        self.crew.close()
        self.contents.close()

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
        changed.sort(key=lambda reading: tag_key(reading.tag))  # of two that come at once, the higher comes last
        listed.works[repository] = Work(listing, count, [row[1] for row in known.values()], changed)

    def _steps(self, patience: Patience, run: list[_Item]) -> Generator[Step]:
        """All that is asked of a batch is asked at once, and answered while it is gone through."""
        for batch, items in groupby(run, lambda item: item.batch):
            of_it = list(items)
            asked = dict.fromkeys(filter(None, (self._asks(item) for item in of_it)))
            repository = batch.work.listing.repository
            with closing(self.contents.look(repository, list(asked), batch.known)) as answers:
                for item in of_it:
                    reading = None
                    if item.reading:
                        patience.check()
                        reading = _with_answer(item.reading, asked, answers, batch.failures)
                        patience.heard(reading.failure)
                    yield Step(batch.repository, batch.work, reading, item.last)

    def _asks(self, item: _Item) -> str | None:
        """The digest that has to be looked at: not what was, nor what is known to be in this repository."""
        digest = item.reading.digest if item.reading else None
        if digest is None or digest in item.batch.failures:
            return None
        known = item.batch.known.get(digest)
        return digest if known is None or self._thorough or not known.here else None


def _with_answer(
    reading: TagReading, asked: Container[str], answers: Iterator[Answer], failures: dict[str, RegistryError | None]
) -> TagReading:
    """With the manifest, where it is new; `failures` remembers what came of each digest."""
    digest = reading.digest
    if digest is None:
        return reading
    content = None
    if digest not in failures:
        answer = next(answers) if digest in asked else None
        failures[digest] = answer if isinstance(answer, RegistryError) else None
        content = None if isinstance(answer, RegistryError) else answer
    failure = failures[digest]
    return replace(reading, digest=None, failure=failure) if failure else replace(reading, content=content)


@dataclass(frozen=True, slots=True, eq=False)
class _Batch:
    """Tags of a repository; what is known of their digests, and what came of those that were looked at."""

    repository: Repository
    work: Work
    known: Mapping[str, KnownChild] = field(default_factory=dict)
    failures: dict[str, RegistryError | None] = field(default_factory=dict)


class _Item(NamedTuple):
    """A tag to look at, or None."""

    batch: _Batch
    reading: TagReading | None
    last: bool


def _items(repository: Repository, work: Work) -> Iterator[_Item]:
    changed = work.changed or []
    if not changed:
        yield _Item(_Batch(repository, work), None, last=True)
    for start in range(0, len(changed), BATCH):
        readings = changed[start : start + BATCH]
        known = known_manifests(repository.pk, {reading.digest for reading in readings if reading.digest})
        batch = _Batch(repository, work, known)
        for place, reading in enumerate(readings, start + 1):
            yield _Item(batch, reading, place == len(changed))
    work.changed = []  # it may have been a hundred thousand


def _is_as_known(link: TagLink, row: tuple[Any, ...]) -> bool:
    """Whether there is nothing to look at; `row` is of `live_tags`."""
    _, _, _, _, digest, state, problem, link_ns = row
    return bool(link.digest == digest and link.linked_ns == link_ns and digest and not problem and state != _INCOMPLETE)


def _reading(repository: RepositoryName, link: TagLink, row: tuple[Any, ...] | None) -> TagReading:
    failure = BadAnswer(f"storage {repository}:{link.name}: {link.problem}") if link.problem else None
    known = KnownTag.of(row[1:]) if row else None
    return TagReading(link.name, link.digest or None, known=known, failure=failure, link_ns=link.linked_ns)
