"""What people wait for while a scan runs, against the same when nothing else happens; and the memory of a wide scan."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final

from registry_ui.bench import scanning
from registry_ui.bench.baseline import Inventory
from registry_ui.bench.ground import Ground
from registry_ui.bench.pages import Reader, p95, pages
from registry_ui.bench.site import Site
from registry_ui.bench.table import Row
from registry_ui.bench.writing import writing

_SLOWER: Final = 2.0  # times its quiet p95 a page may take
_WAIT: Final = 200.0  # ms that a write may wait
_PEAK: Final = 300.0  # MB


def rows_of_waiting(ground: Ground, site: Site, name: str, inventory: Inventory) -> Iterator[Row]:
    """`site` has scanned the registry `name` with what is in `inventory`; it scans others now."""
    paths = pages(*inventory.tags[0], name)
    person = site.add_person()
    with site.serving():
        reader = Reader(site, *person)
        reader.warm_up(paths, 1)
        ground.say("Pages while nothing else happens")
        until = time.monotonic() + ground.size.quiet
        quiet = _p95(reader.look(paths, 1, lambda: time.monotonic() < until))
        for title, storage, by_folder in (("Folder", ground.load_by_folder, True), ("API of 2.8", ground.load, False)):
            ground.say(f"Pages and writes during a scan: {title}")
            registry = ground.registry(f"load-{by_folder}", storage)
            scanned = f"load-{'folder' if by_folder else 'api'}"
            scanning.add(site, scanned, registry, by_folder=by_folder)
            with registry.serving(), writing(site) as writes, scanning.under_way(site, scanned) as scan:
                busy = _p95(reader.look(paths, scan.job, lambda: not scan.is_over))
                scan.result()
            for page, seconds in busy.items():
                yield Row(f"{title}: page during a scan, {page}", seconds / quiet[page], "times its quiet p95", _SLOWER)
            waits = sorted(1000 * seconds for seconds in writes.waits)
            yield Row(f"{title}: a write during a scan waits, p99", waits[int(0.99 * len(waits))], "ms", _WAIT)
            yield Row(f"{title}: a write during a scan waits, at most", waits[-1], "ms", _WAIT)


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
        yield Row(f"{what}, peak memory", scanned.peak, "MB", _PEAK)


def _p95(looked: dict[str, list[float]]) -> dict[str, float]:
    return {page: p95(took) for page, took in looked.items() if took}
