"""The scan: a registry into the catalog, as a job.

Catalog, tags, manifests with what lies below them, and at last the configs. Network first, then one
short transaction a batch, each of which commits only while the job's lease is ours; so a scan may be
killed at any line and run again, and comes to the same end.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from django.db import DataError, IntegrityError
from django.db.models import F
from django.utils import timezone

from catalog.models import Repository, Scan
from catalog.recording import repositories
from catalog.recording.tags import Changes
from catalog.scanning import configs, figures, shrinking
from catalog.scanning.known import KnownTag, known_tags
from catalog.scanning.listing import TagListing, list_all_tags, list_catalog
from catalog.scanning.patience import Patience
from catalog.scanning.progress import Progress
from catalog.scanning.reading import BatchReader, TagReading, read_tag
from catalog.sort_keys import natural_key
from jobs.running import Lease
from oci.client import RegistryClient
from oci.names import TagName
from registries.clients import client_for
from registries.models import Registry

KIND: Final = "scan"
THREADS: Final = 8
BATCH: Final = 50  # tags a transaction: well under 200 ms
_BATCHES_AHEAD: Final = 4
_KEPT: Final = timedelta(days=90)  # scans, but for the newest complete one

log = logging.getLogger(__name__)


def run(lease: Lease) -> str:
    """Scan the registry that the lease's job is about; how it ended, for people.

    Raises RegistryError when the catalog cannot be read to its end, Asking when too much would be lost.
    """
    registry = Registry.objects.active().filter(pk=lease.subject.removeprefix("registry:")).first()
    if registry is None:
        return "The registry has retired or was removed: it is not scanned any more."
    scan = _begin(registry, lease)
    try:
        _scan(registry, scan, lease)
    finally:
        Scan.objects.filter(pk=scan.pk, finished_at=None).update(finished_at=timezone.now())
    return repositories.summary(scan)


def _scan(registry: Registry, scan: Scan, lease: Lease) -> None:
    with ThreadPoolExecutor(THREADS, thread_name_prefix="scan") as pool, client_for(registry) as client:
        try:
            _Scan(registry, scan, lease, pool, client).run()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _begin(registry: Registry, lease: Lease) -> Scan:
    now = timezone.now()
    with lease.writing():
        # One that was killed left its row open, and nobody knows how long it took.
        Scan.objects.filter(registry=registry, finished_at=None).update(finished_at=F("started_at"))
        complete = Scan.objects.complete().filter(registry=registry).newest_first().values_list("pk", flat=True)[:1]
        old = Scan.objects.filter(registry=registry, started_at__lt=now - _KEPT).exclude(pk__in=list(complete))
        Scan.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:200])).delete()
        return Scan.objects.create(registry=registry, job_id=lease.job_id, started_at=now)


@dataclass(slots=True)
class _Batch:
    """Some tags of a repository whose answers are under way; `last` of its repository, maybe the only one."""

    repository: Repository
    listing: TagListing
    last: bool
    answers: list[Future[TagReading]] = field(default_factory=list)


class _Scan:
    def __init__(
        self, registry: Registry, scan: Scan, lease: Lease, pool: ThreadPoolExecutor, client: RegistryClient
    ) -> None:
        self._registry, self._scan, self._lease, self._pool, self._client = (
            registry,
            scan,
            lease,
            pool,
            client,
        )
        self._progress = Progress(lease)
        self._changes = Changes()
        self._reader = BatchReader(pool, client, Patience(), thorough=bool(lease.params.get("thorough")))

    def run(self) -> None:
        listings = self._list()
        shrinking.guard(self._registry.pk, listings, self._lease.params.get("allowed", {}))
        rows = repositories.ensure(self._lease, self._registry, [listing.repository for listing in listings])
        self._read_manifests([(rows[listing.repository], listing) for listing in listings])
        self._changes += repositories.let_go(self._lease, self._registry, set(rows))
        configs.read_all(self._pool, self._client, self._registry.pk, self._lease, self._progress.configs)
        self._finish(rows)

    def _list(self) -> list[TagListing]:
        self._progress.phase("listing")
        catalog = list_catalog(self._client, self._progress.found)
        self._scan.rejected_names = catalog.rejected
        listings: list[TagListing] = []
        for listing in list_all_tags(self._pool, self._client, catalog.names, Patience()):
            listings.append(listing)
            self._scan.rejected_names += listing.rejected
            self._progress.listed(len(listings), len(catalog.names))
        self._progress.expect(len(listings), sum(len(listing.tags) for listing in listings))
        return listings

    def _read_manifests(self, work: list[tuple[Repository, TagListing]]) -> None:
        """Write batch after batch while the requests of the next ones are under way."""
        self._progress.phase("manifests")
        ahead: deque[_Batch] = deque()
        for batch in self._batches(work):
            ahead.append(batch)
            if len(ahead) > _BATCHES_AHEAD:
                self._take(ahead.popleft())
        while ahead:
            self._take(ahead.popleft())

    def _batches(self, work: list[tuple[Repository, TagListing]]) -> Iterator[_Batch]:
        for repository, listing in work:
            names = sorted(listing.tags, key=natural_key)  # of two that come at once, the higher version comes last
            for start in range(0, max(len(names), 1), BATCH):
                tags = names[start : start + BATCH]
                batch = _Batch(repository, listing, last=start + BATCH >= len(names))
                known = known_tags(repository.pk, tags) if tags else {}
                batch.answers = [self._pool.submit(self._read_tag, listing, tag, known.get(tag)) for tag in tags]
                yield batch

    def _read_tag(self, listing: TagListing, tag: TagName, known: KnownTag | None) -> TagReading:
        return read_tag(self._client, listing.repository, tag, known)

    def _take(self, batch: _Batch) -> None:
        repository, listing = batch.repository, batch.listing
        if listing.failure is not None:
            repositories.fail(self._lease, repository, str(listing.failure))
            self._progress.repository_done(failed=True)
            return
        answers = [answer.result() for answer in batch.answers]
        reading = self._reader.read(listing.repository, repository.pk, answers)
        try:
            self._changes += repositories.record(self._lease, repository, reading)
            if batch.last:
                self._changes += repositories.complete(self._lease, repository, listing)
        except (DataError, IntegrityError, OverflowError, ValueError) as error:
            # What a database will not hold is a fact about this repository too.
            log.exception("%s of %s cannot be written", repository.name, self._registry.name)
            repositories.fail(self._lease, repository, f"what it holds cannot be written ({type(error).__name__})")
            self._progress.repository_done(failed=True)
            return
        self._progress.read(reading)
        if batch.last:
            self._progress.repository_done()

    def _finish(self, rows: dict[str, Repository]) -> None:
        """The scan becomes complete, and what the catalog lacked is counted, in one transaction."""
        scan = self._scan
        scan.requests = self._client.transport.sent
        scan.new_tags, scan.moved_tags = self._changes.new, self._changes.moved
        scan.gone_tags = self._changes.gone
        figures.count(scan)
        scan.finished_at, scan.complete = timezone.now(), True
        with self._lease.writing():
            repositories.count_missed(self._registry, set(rows))
            scan.save()
        self._progress.phase("done")
