"""Fills the empty database of a Site: `python -m registry_ui.bench.catalog_data.filling REPOSITORIES TAGS WIDE`."""

from __future__ import annotations

import os
import sys
from collections import Counter, deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import islice, pairwise
from typing import Final

import django

if __name__ == "__main__":
    django.setup()

from catalog.models import LabelName, Scan, StorageDay
from catalog.scan import KIND
from catalog.scanning import figures, space
from jobs.leash import die_with
from jobs.models import Job
from jobs.running import Lease
from registries.models import Registry
from registries.services import Details, add
from registry_ui.bench.catalog_data import counted, told
from registry_ui.bench.catalog_data.acts import act
from registry_ui.bench.catalog_data.builds import Builds, blobs_of_bases
from registry_ui.bench.catalog_data.cleaned import clean_up
from registry_ui.bench.catalog_data.content import LABELS
from registry_ui.bench.catalog_data.loading import Loader, loading
from registry_ui.bench.catalog_data.moments import DAY, FIRST, SCANS, TOOK
from registry_ui.bench.catalog_data.names import repository_names
from registry_ui.bench.catalog_data.repository import COLUMNS, Changes, Rows, is_promoted, rows_of
from registry_ui.bench.catalog_data.shape import WIDE, Catalog
from registry_ui.bench.catalog_data.synced import sync

_REGISTRIES: Final = ("main", "second")
_SECOND_EVERY: Final = 32  # repositories
_TOGETHER: Final = 40  # repositories that a process makes at once
_AHEAD: Final = 3  # of such pieces, for each process


def fill(catalog: Catalog) -> None:
    """Registries, scans and their jobs, what those would have left, acts, copies, cleanups; totals as a scan counts."""
    registries = [_registry(name) for name in _REGISTRIES]
    LabelName.objects.bulk_create([LabelName(pk=pk, name=name) for pk, name in enumerate(LABELS, start=1)])
    changes: Changes = Counter()
    with loading() as loader:
        bases = blobs_of_bases(catalog.seed).items()
        loader.add("Blob", COLUMNS["Blob"], [(pk, digest, size) for digest, (pk, size) in bases])
        for rows, changed in _made(catalog, [registry.pk for registry in registries]):
            _load(loader, rows)
            changes += changed
        loader.finish()
        counted.count(catalog, loader)
        for entries in told.told(catalog):
            loader.add("audit.Entry", told.COLUMNS, entries)
    for registry in registries:
        _scan(registry, changes)
    act(catalog)
    sync(catalog)
    clean_up(catalog)


def _registry(name: str) -> Registry:
    registry = add(Details(url=f"https://{name}.registry.example.com", name=name))
    registry.capabilities = {"auth": "basic", "generation": 2, "catalog_allowed": True, "page_size": 1000}
    registry.probed_at = FIRST
    registry.save()
    return registry


def _load(loader: Loader, rows: Rows) -> None:
    for model, columns in COLUMNS.items():
        loader.add(model, columns, rows[model])


def _made(catalog: Catalog, registry_ids: list[int]) -> Iterator[tuple[Rows, Changes]]:
    """In the order of the numbers, made by as many processes as there are processors; few wait to be written."""
    firsts = [WIDE, *range(WIDE + 1, catalog.repositories + 1, _TOGETHER)]  # the widest alone: it takes longest
    pieces = iter([range(*ends) for ends in pairwise([*firsts, catalog.repositories + 1])])
    processes = len(os.sched_getaffinity(0))
    with ProcessPoolExecutor(processes, initializer=_begin, initargs=(os.getpid(), catalog, registry_ids)) as pool:
        waiting: deque[Future[tuple[Rows, Changes]]] = deque(
            pool.submit(_make, piece) for piece in islice(pieces, _AHEAD * processes)
        )
        while waiting:
            made = waiting.popleft().result()
            waiting.extend(pool.submit(_make, piece) for piece in islice(pieces, 1))
            yield made


class _Process:
    """What a process that makes rows knows."""

    catalog: Catalog
    registry_ids: list[int]
    names: list[str]
    tags: list[int]


def _begin(parent: int, catalog: Catalog, registry_ids: list[int]) -> None:
    die_with(parent)
    django.setup()
    _Process.catalog, _Process.registry_ids, _Process.tags = catalog, registry_ids, catalog.tags_of_each()
    _Process.names = repository_names(catalog.repositories, catalog.seed)


def _make(numbers: range) -> tuple[Rows, Changes]:
    together: Rows = {model: [] for model in COLUMNS}
    changes: Changes = Counter()
    for number in numbers:
        registry = _Process.registry_ids[number % _SECOND_EVERY == 0]
        rows, changed = rows_of(registry, _builds(number), _builds(number - 1) if is_promoted(number) else None)
        for model, new in rows.items():
            together[model] += new
        changes += changed
    return together, changes


def _builds(number: int) -> Builds:
    return Builds(_Process.catalog, number, _Process.names[number - 1], _Process.tags[number - 1])


def _scan(registry: Registry, changes: Changes) -> None:
    """One a day; only the last has counted what there is, as only that is ever read."""
    for number in range(SCANS):
        began = FIRST + number * DAY
        is_last = number == SCANS - 1
        job = Job.objects.create(
            kind=KIND,
            subject=registry.job_subject,
            title=f"Scan of {registry.name}",
            state=Job.State.RUNNING if is_last else Job.State.DONE,
            created_at=began,
            started_at=began,
            finished_at=began + TOOK,
            attempts=1,
        )
        new, moved, gone = (changes[registry.pk, number, what] for what in ("new", "moved", "gone"))
        scan = Scan(registry=registry, job=job, started_at=began, finished_at=began + TOOK, complete=True)
        scan.new_tags, scan.moved_tags, scan.gone_tags = new, moved, gone
        if is_last:
            figures.count(scan)
            lease = Lease(job)
            figures.count_blobs(lease, scan)
            space.find_large(lease, registry.pk)
            space.find_repeated(lease, registry.pk)
            _grow(scan)
            Job.objects.filter(pk=job.pk).update(state=Job.State.DONE)
        scan.save()


def _grow(last: Scan) -> None:
    """A day for each scan: until the last one it grew evenly."""
    counted = {name: getattr(last, name) for name in ("repositories", "tags", "images", "pushed", "stored", "shared")}
    StorageDay.objects.bulk_create(
        [
            StorageDay(
                registry_id=last.registry_id,
                day=(last.started_at - (SCANS - number) * DAY).date(),
                **{name: value * number // SCANS for name, value in counted.items()},
            )
            for number in range(1, SCANS + 1)
        ]
    )


if __name__ == "__main__":
    fill(Catalog(*map(int, sys.argv[1:])))
