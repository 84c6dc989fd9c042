"""What people wait for while a scan runs, against the same when nothing else happens; and the memory of a wide scan."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from registry_ui.bench import scanning
from registry_ui.bench.baseline import Inventory
from registry_ui.bench.ground import Ground
from registry_ui.bench.pages import Reader, p95, pages
from registry_ui.bench.scanning import Scanned
from registry_ui.bench.site import Site
from registry_ui.bench.table import Row
from registry_ui.bench.writing import writing

_SLOWER: Final = 2.0  # times its quiet p95 a page may take
_ENOUGH: Final = 30  # times that a page was asked for; of fewer, p95 is the one that had bad luck
_ALL: Final = "all of them"
_WAIT: Final = 200.0  # ms that a write may wait
_PEAK: Final = 300.0  # MB
_FIRST_JOB: Final = 1  # the first scan of `site`


def rows_of_waiting(ground: Ground, site: Site, name: str, inventory: Inventory) -> Iterator[Row]:
    """`site` has scanned the registry `name` with what is in `inventory`; it scans others now."""
    person = site.add_person()
    with site.serving():
        watch = _Watch(ground, site, Reader(site, *person), pages(*inventory.tags[0], name))
        watch.look_quietly()
        # A folder is read so fast that it takes two of them to ask for each page often enough.
        folders = {"load-folder": ground.load_by_folder, "load-wide": ground.wide}
        yield from watch.rows("Folder", folders, by_folder=True)
        yield from watch.rows("API of 2.8", {"load-api": ground.load}, by_folder=False)


@dataclass(slots=True)
class _Watch:
    """Somebody who looks at pages, first quietly and then while scans run."""

    ground: Ground
    site: Site
    reader: Reader
    paths: Mapping[str, str]
    quiet: Mapping[str, Sequence[float]] = field(default_factory=dict)  # seconds of each page

    def look_quietly(self) -> None:
        self.reader.warm_up(self.paths, _FIRST_JOB)
        self.ground.say("Pages while nothing else happens")
        until = time.monotonic() + self.ground.size.quiet
        self.quiet = self.reader.look(self.paths, _FIRST_JOB, lambda: time.monotonic() < until)

    def rows(self, title: str, storages: Mapping[str, Path], *, by_folder: bool) -> Iterator[Row]:
        """While the `storages`, each a registry of that name, are scanned for the first time one after the other."""
        self.ground.say(f"Pages and writes during a scan: {title}")
        with ExitStack() as stack:
            for name, storage in storages.items():
                registry = self.ground.registry(name, storage)
                scanning.add(self.site, name, registry, by_folder=by_folder)
                stack.enter_context(registry.serving())
            with writing(self.site) as writes:
                looked = [self._look_during_scan(name) for name in storages]
        busy = {page: [seconds for took, _ in looked for seconds in took[page]] for page in self.paths}
        void = by_folder and not all(scanned.is_of_folder for _, scanned in looked)
        quiet = {**self.quiet, _ALL: _flat(self.quiet)}
        for page, took in {**busy, _ALL: _flat(busy)}.items():
            if took and quiet[page]:
                limit = _SLOWER if min(len(took), len(quiet[page])) >= _ENOUGH else None
                ratio = p95(took) / p95(quiet[page])
                yield Row(f"{title}: page during a scan, {page}", ratio, "times its quiet p95", limit, void=void)
        yield Row(f"{title}: pages during a scan", len(_flat(busy)), "pages")
        waits = sorted(1000 * seconds for seconds in writes.waits)
        yield Row(f"{title}: a write during a scan waits, p99", waits[int(0.99 * len(waits))], "ms", _WAIT, void=void)
        yield Row(f"{title}: a write during a scan waits, at most", waits[-1], "ms", _WAIT, void=void)

    def _look_during_scan(self, name: str) -> tuple[dict[str, list[float]], Scanned]:
        with scanning.under_way(self.site, name) as scan:
            took = self.reader.look(self.paths, scan.job, lambda: not scan.is_over)
            return took, scan.result()


def _flat(took: Mapping[str, Sequence[float]]) -> list[float]:
    return [seconds for page in took.values() for seconds in page]


def rows_of_width(ground: Ground) -> Iterator[Row]:
    """One repository of very many tags: its memory."""
    ways = [("Folder", True), ("API of 2.8", False)] if ground.size.everywhere else [("Folder", True)]
    for title, by_folder in ways:
        site = ground.site(f"wide-{by_folder}")
        registry = ground.registry(f"wide-{by_folder}", ground.wide)
        scanning.add(site, "wide", registry, by_folder=by_folder)
        ground.say(f"{title}: one repository of {ground.size.wide.tags:,} tags")
        with registry.serving():
            scanned = scanning.scan(site, "wide")
        what = f"{title}: one repository of {ground.size.wide.tags:,} tags"
        yield Row(f"{what}, all of it", scanned.seconds, "s")
        void = by_folder and not scanned.is_of_folder
        yield Row(f"{what}, peak memory", scanned.peak, "MB", _PEAK, void=void)
