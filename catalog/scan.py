"""The scan: a registry into the catalog, as a job.

Catalog, tags, manifests with what lies below them, and at last the configs. Network first, then short
transactions, each of which commits only while the job's lease is ours; so a scan may be killed at any line
and run again, and comes to the same end.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing, suppress
from datetime import timedelta
from typing import Final

from django.db import DataError, IntegrityError
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_noop

from catalog.models import Repository, Scan
from catalog.planning import learn_sizes
from catalog.recording import repositories
from catalog.recording.acts import database_time
from catalog.recording.content import Content, store
from catalog.recording.tags import Changes
from catalog.scanning import choosing, configs, figures, shrinking, space
from catalog.scanning.api import ApiSource
from catalog.scanning.below import BatchReader
from catalog.scanning.folder import FolderSource
from catalog.scanning.patience import Patience
from catalog.scanning.progress import Progress
from catalog.scanning.reading import MOST_HELD, BatchReading
from catalog.scanning.source import Listed, Source
from catalog.scanning.storage_figures import Storage, count_storage, tell_storage
from catalog.scanning.watched import leave_unwatched
from catalog.scanning.work import Batch, Work
from jobs import visitors
from jobs.running import Lease
from oci.client import RegistryClient
from oci.storage import StorageFault
from registries.clients import client_for
from registries.models import Registry

KIND: Final = "scan"
# What a database will not hold; what is wrong with the database itself is another thing.
_UNWRITABLE: Final = (DataError, IntegrityError, OverflowError, ValueError)
_TOGETHER: Final = 500  # tags, of however many repositories
_KEPT: Final = timedelta(days=90)  # scans, but for the newest complete one
# Also of a scan that did not come to its end:
_ALWAYS_TOLD: Final = (
    "finished_at",
    "source",
    "source_note",
    "is_of_watched",
    "catalog_refusal",
    "rejected_names",
    "requests",
    "at_once",
    "busy_answers",
)
_RETIRED: Final = gettext_noop("The registry has retired or was removed: it is not scanned any more.")
_UNWRITTEN: Final = gettext_noop("what it holds cannot be written (%(fault)s)")
SENTENCES: Final = (_RETIRED, _UNWRITTEN)

log = logging.getLogger(__name__)


def run(lease: Lease) -> str:
    """Scan the registry that the lease's job is about; how it ended, for people.

    Raises RegistryError when the catalog cannot be read to its end, Asking when too much would be lost.
    """
    registry = Registry.objects.active().filter(pk=lease.subject.removeprefix("registry:")).first()
    if registry is None:
        return _RETIRED
    scan = _begin(registry, lease)
    try:
        with client_for(registry, lease.caller) as client:
            client.transport.pace.gives_way = visitors.are_here
            busy = client.transport.pace.busy  # others may have asked by it before
            try:
                _Scan(registry, scan, lease, client).run()
            finally:
                _tell_manners(scan, client, busy)
    finally:
        scan.finished_at = scan.finished_at or timezone.now()
        Scan.objects.filter(pk=scan.pk).update(**{name: getattr(scan, name) for name in _ALWAYS_TOLD})
    return repositories.summary(scan)


def _tell_manners(scan: Scan, client: RegistryClient, busy: int) -> None:
    scan.requests = client.transport.sent
    scan.at_once, scan.busy_answers = client.transport.pace.limit, client.transport.pace.busy - busy


def _begin(registry: Registry, lease: Lease) -> Scan:
    now = timezone.now()
    with lease.writing():
        # One that was killed left its row open, and nobody knows how long it took.
        Scan.objects.filter(registry=registry, finished_at=None).update(finished_at=F("started_at"))
        complete = Scan.objects.complete().filter(registry=registry).newest_first().values_list("pk", flat=True)[:1]
        old = Scan.objects.filter(registry=registry, started_at__lt=now - _KEPT).exclude(pk__in=list(complete))
        Scan.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:200])).delete()
        return Scan.objects.create(registry=registry, job_id=lease.job_id, started_at=now)


class _FallBack(Exception):  # noqa: N818  a turn, not a failure
    """The storage folder cannot be listed after all, for this reason: the API is asked instead."""


class _Scan:
    def __init__(self, registry: Registry, scan: Scan, lease: Lease, client: RegistryClient) -> None:
        self._registry, self._scan, self._lease, self._client = registry, scan, lease, client
        self._before = Scan.objects.filter(registry=registry, pk__lt=scan.pk).newest_first().first()
        self._progress = Progress(lease)
        self._since = database_time()  # what Berth itself changes from here on, this scan leaves alone
        self._changes = Changes()
        self._patience = Patience()
        self._thorough = bool(lease.params.get("thorough"))

    def run(self) -> None:
        self._progress.phase("listing")
        source, self._scan.source_note = choosing.choose(self._registry, self._client, thorough=self._thorough)
        with closing(source):
            try:
                self._read(source, self._survey(source))
            except _FallBack as reason:
                self._scan.source_note = str(reason)
            else:
                return
        with closing(ApiSource(self._client)) as api:
            self._read(api, self._survey(api))

    def _survey(self, source: Source) -> Listed:
        self._scan.source = source.kind
        try:
            return source.survey(self._registry, self._lease, self._progress, self._patience)
        except StorageFault as error:
            raise _FallBack(str(error)) from error

    def _read(self, source: Source, listed: Listed) -> None:
        watched = bool(listed.refusal)
        self._scan.is_of_watched, self._scan.catalog_refusal = watched, listed.refusal
        self._scan.rejected_names = listed.rejected
        shrinking.guard(self._registry.pk, listed.works, self._lease.params.get("allowed", {}), watched=watched)
        # Of a watched name that the registry does not know, and we never did, there is nothing to keep.
        names = [n for n, work in listed.works.items() if not (watched and work.listing.unknown and not work.gone)]
        rows = repositories.ensure(self._lease, self._registry, names)
        self._progress.expect(len(rows), sum(work.to_read for work in listed.works.values()))
        self._read_manifests(source, [(rows[name], listed.works[name]) for name in rows])
        self._let_go(listed)
        storage = self._storage(source, listed)
        read = configs.read_all(source.crew, source.contents, self._registry.pk, self._lease, self._progress.configs)
        self._changes.other |= bool(read)
        for figures_of_storage in storage:
            tell_storage(self._scan, figures_of_storage)
        self._finish(listed)

    def _read_manifests(self, source: Source, work: Iterable[tuple[Repository, Work]]) -> None:
        """Write batch after batch; where requests take time, those of the next ones are under way."""
        self._progress.phase("manifests")
        reader = BatchReader(source.crew, source.contents, self._patience, thorough=self._thorough)
        together: list[tuple[Batch, BatchReading]] = []
        size = weight = 0
        for batch, reading in reader.read_all(source.batches(work, self._patience), self._keep):
            if batch.work.listing.failure is not None:
                self._fail(batch.repository, str(batch.work.listing.failure))
                continue
            together.append((batch, reading))
            size += len(reading.tags) or 1
            weight += reading.weight
            if size >= _TOGETHER or weight > MOST_HELD:
                self._write(together)
                together, size, weight = [], 0, 0
        self._write(together)

    def _keep(self, contents: Mapping[str, Content]) -> dict[str, int]:
        return store(self._lease, contents)

    def _write(self, together: Sequence[tuple[Batch, BatchReading]]) -> None:
        """Several small repositories in a row: while the next are read, others have the database for long enough."""
        with suppress(*_UNWRITABLE):  # whose fault that was shows when each writes its own
            ids = self._keep({d: content for _, reading in together for d, content in reading.contents.items()})
            for _, reading in together:
                reading.kept |= {digest: ids[digest] for digest in reading.contents}
                reading.contents = {}
        for batch, reading in together:
            self._record(batch, reading)

    def _record(self, batch: Batch, reading: BatchReading) -> None:
        repository, work = batch.repository, batch.work
        if work.unwritable:  # an earlier batch of it; the rest waits for a scan that can write all
            return
        try:
            self._changes += repositories.record(self._lease, repository, reading, self._since)
            if batch.last:
                self._changes += repositories.complete(self._lease, repository, work, self._since)
        except _UNWRITABLE as error:
            # What a database will not hold is a fact about this repository too.
            log.exception("%s of %s cannot be written", repository.name, self._registry.name)
            self._fail(repository, _UNWRITTEN % {"fault": type(error).__name__})
            work.unwritable = True
            return
        self._progress.read(reading)
        if batch.last:
            self._progress.repository_done()

    def _fail(self, repository: Repository, problem: str) -> None:
        self._changes.other |= repositories.fail(self._lease, repository, problem)
        self._progress.repository_done(failed=True)

    def _let_go(self, listed: Listed) -> None:
        """Of what a catalog lacks; where only watched repositories were read, nobody knows what is gone."""
        if listed.refusal:
            leave_unwatched(self._lease, self._registry, set(listed.works))
        else:
            listed_names = listed.works.keys()
            self._changes += repositories.let_go(self._lease, self._registry, listed_names, self._since)

    def _storage(self, source: Source, listed: Listed) -> Iterable[Storage | None]:
        """Begun while configs are read; none but once, and when a person asks: an unchanged scan takes less time."""
        if not isinstance(source, FolderSource):
            return ()
        if not self._thorough and Scan.objects.filter(registry=self._registry, disk_blobs__isnull=False).exists():
            return ()
        names = [work.listing.repository for work in listed.works.values()]
        return source.crew.map(lambda names: count_storage(source.folder, names), [names], soon=True)

    def _finish(self, listed: Listed) -> None:
        """The scan becomes complete, and what the catalog lacked is counted, in one transaction."""
        scan = self._scan
        scan.new_tags, scan.moved_tags, scan.gone_tags = self._changes.new, self._changes.moved, self._changes.gone
        figures.count(scan)
        before = self._before
        if before is not None and before.complete and not self._changes and figures.are_as_before(scan, before):
            scan.stored, scan.shared = before.stored, before.shared
        else:
            figures.count_blobs(self._lease, scan)
            space.find_large(self._lease, scan.registry_id)
            space.find_repeated(self._lease, scan.registry_id)
        scan.finished_at, scan.complete = timezone.now(), True
        with self._lease.writing():
            if not listed.refusal:
                repositories.count_missed(self._registry, listed.works.keys())
            scan.save()
            space.keep_day(scan)
        if self._changes:
            with self._lease.writing():
                learn_sizes()
        self._progress.phase("done")
