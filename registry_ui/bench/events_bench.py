"""The bench `events`: what it costs a registry to tell Berth something, and how soon that shows."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

from registry_ui.bench import bare, hearing, programs, scanning, storage_data
from registry_ui.bench.baseline import Inventory, read_everything
from registry_ui.bench.errors import BenchError
from registry_ui.bench.ground import for_storage, scratch
from registry_ui.bench.pages import Reader, p95, pages
from registry_ui.bench.processes import free_port, serving
from registry_ui.bench.registries import Registry
from registry_ui.bench.site import Site
from registry_ui.bench.sizes import Size
from registry_ui.bench.table import Row
from registry_ui.bench.telling import Teller, ask_bare
from registry_ui.bench.visible import push_and_see
from registry_ui.start import probes

_NAME: Final = "main"  # of the registry that tells
_RATIO: Final = 2.0
_RATE: Final = 300.0  # events a second while a scan writes
_PAGE: Final = 100.0  # ms
_VISIBLE: Final = 1.0  # s
_PUSHES: Final = 20.0  # a second
_ROUNDS: Final = 5  # of asking the bare view and telling, in turn
_ENOUGH: Final = 100  # of what has a 99th part


def run(size: Size, data: Path | None, say: Callable[[str], None]) -> list[Row]:
    if data:
        raise BenchError("--data: this bench pushes, so it writes its own.")
    with (
        scratch(Path(tempfile.gettempdir())) as folder,
        scratch(for_storage([size.told, size.load, size.load])) as storage,
    ):
        return list(_rows(_Ground(size, folder, storage, say)))


@dataclass(slots=True)
class _Ground:
    size: Size
    folder: Path
    storage: Path
    say: Callable[[str], None]

    def registry(self, name: str, seed: int) -> Registry:
        shape = self.size.told if name == _NAME else self.size.load
        storage_data.write(self.storage / name, shape, seed)
        return Registry(programs.of_2(), self.storage / name, self.folder / "registries" / name)


@dataclass(frozen=True, slots=True)
class _Visitor:
    reader: Reader
    paths: Mapping[str, str]
    job: int  # one that is over


def _rows(ground: _Ground) -> Iterator[Row]:
    ground.say("Preparing a Berth, and registries for it")
    site = Site.new(ground.folder / "berth")
    main, *others = (ground.registry(name, seed) for seed, name in enumerate((_NAME, "load", "load-2"), 1))
    for name, registry in zip((_NAME, "load", "load-2"), (main, *others), strict=True):
        scanning.add(site, name, registry)
    inventory = read_everything(main.storage)
    secret = hearing.secret(site, _NAME)
    person = site.add_person()
    with site.serving(), hearing.handling(site):
        url = f"{site.url}/api/v1/events/{_NAME}"
        with main.serving(events_to=url, secret=secret), others[0].serving(), others[1].serving():
            ground.say("Scanning what is there")
            with scanning.under_way(site, _NAME) as first:
                first.result()
            teller = Teller(site.port, _NAME, secret, inventory.tags[0][0], min(inventory.manifests))
            yield from _intake(ground, site, teller)
            visitor = _Visitor(Reader(site, *person), pages(*inventory.tags[0], _NAME), first.job)
            yield from _during_a_scan(ground, site, teller, visitor)
            yield from _visible(ground, site, main, inventory)


def _intake(ground: _Ground, site: Site, teller: Teller) -> Iterator[Row]:
    ground.say("Telling, one connection, and asking a bare view")
    times = ground.size.tellings // _ROUNDS
    with _bare(site) as port:
        ask_bare(port, bare.PATH, times)
        teller.tell(times)
        told: list[float] = []
        asked: list[float] = []
        for _ in range(_ROUNDS):
            asked.append(median(ask_bare(port, bare.PATH, times)))
            told.append(median(teller.tell(times).seconds))
    yield Row("bare view that answers 204, one connection", 1000 * min(asked), "ms")
    yield Row("event taken in, one connection", 1000 * min(told), "ms")
    yield Row("event taken in, against the bare view", min(told) / min(asked), "times", _RATIO)


def _during_a_scan(ground: _Ground, site: Site, teller: Teller, visitor: _Visitor) -> Iterator[Row]:
    visitor.reader.warm_up(visitor.paths, visitor.job)
    hearing.wait_until_handled(site, _NAME)
    before = hearing.state(site, _NAME)
    ground.say("Telling while a scan writes")
    with scanning.under_way(site, "load") as scan, teller.telling() as told:
        took = visitor.reader.look(visitor.paths, scan.job, lambda: not scan.is_over)
        scan.result()
    late, after = hearing.wait_until_handled(site, _NAME)
    number = len(told.seconds)
    yield Row("while a scan writes: events taken in", told.rate, "events/s", _RATE, at_least=True)
    yield Row("while a scan writes: an event is answered within, p95", 1000 * p95(told.seconds), "ms")
    seconds = told.ended - told.began + late
    yield Row("while a scan writes: events handled", number / seconds, "events/s", _RATE, at_least=True)
    yield Row("while a scan writes: events lost", number - (after.handled - before.handled), "events", 0)
    yield Row("while a scan writes: pulls without an entry", number - (after.entries - before.entries), "pulls", 0)
    looked = [seconds for of_page in took.values() for seconds in of_page]
    limit = _PAGE if len(looked) >= _ENOUGH else None
    yield Row("while a scan writes: a page, p95", 1000 * p95(looked), "ms", limit)


def _visible(ground: _Ground, site: Site, registry: Registry, inventory: Inventory) -> Iterator[Row]:
    seconds = ground.size.quiet
    where = inventory.tags[-1]
    ground.say("Pushing, and looking for it")
    yield from _shown("quietly", push_and_see(registry, site.database, where, _PUSHES, seconds))
    ground.say("The same while two scans run")
    with scanning.under_way(site, "load") as one, scanning.under_way(site, "load-2") as other:
        yield from _shown("while two scans run", push_and_see(registry, site.database, where, _PUSHES, seconds))
        yield Row("scans that were under way until the end", sum(not scan.is_over for scan in (one, other)), "scans")


def _shown(title: str, waits: list[float]) -> Iterator[Row]:
    ordered = sorted(waits)
    limit = _VISIBLE if len(ordered) >= _ENOUGH else None
    yield Row(f"push to visible, {title}: median", median(ordered), "s")
    yield Row(f"push to visible, {title}: p99", ordered[int(0.99 * (len(ordered) - 1))], "s", limit)


@contextmanager
def _bare(site: Site) -> Iterator[int]:
    port = free_port()
    words = ("gunicorn", "--config", "python:registry_ui.start.web", "--bind", f"127.0.0.1:{port}")
    argv = [sys.executable, "-m", *words, "registry_ui.bench.bare:application()"]
    with serving(
        argv,
        site.environment,
        lambda: probes.answers("127.0.0.1", port, bare.READY),
        site.data / "bare",
        site.log,
    ):
        yield port
