"""The bench `pages`: what each page costs in the server when the catalog is large, and what a browser has to fetch."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from registry_ui.bench import weight
from registry_ui.bench.catalogs import filled
from registry_ui.bench.pages import Reader, p95
from registry_ui.bench.site import Site
from registry_ui.bench.sizes import Size
from registry_ui.bench.table import Row
from registry_ui.bench.visits import Visit, visit

_BARE: Final = "bare page"
_BARE_PATH: Final = "/healthz"
_CONNECTIONS: Final = (1, 8)
_WARM_UP: Final = 3  # of each kind, on all connections: every worker has seen every page
_APP: Final = 50.0  # ms
_ACTIVITY: Final = 100.0  # of two million entries
_QUERIES: Final = 10
_FIRST_VISIT: Final = 100.0  # kB
_NEXT_PAGE: Final = 10.0  # kB
_KB: Final = 1000
_ENOUGH: Final = 20  # visits; of fewer, p95 is the one that had bad luck


def run(size: Size, data: Path | None, say: Callable[[str], None]) -> list[Row]:
    rows: list[Row] = []
    with filled(size.catalog, data, say) as sites:
        for database, site in sites.items():
            rows += _of_database(database, site, size, say)
    return rows


def _of_database(database: str, site: Site, size: Size, say: Callable[[str], None]) -> Iterator[Row]:
    person = site.new_password()
    paths = json.loads(site.run("registry_ui.bench.page_paths", str(_WARM_UP + size.visits * len(_CONNECTIONS))))
    paths[_BARE] = [_BARE_PATH] * len(paths["image"])
    with site.serving(timing=True):
        reader = Reader(site, *person)
        say(f"{database}: seeing every page")
        visit(reader, {kind: some[:_WARM_UP] for kind, some in paths.items()}, max(_CONNECTIONS))
        begin, every = _WARM_UP, []
        for connections in _CONNECTIONS:
            say(f"{database}: {connections} at once")
            mine = {kind: some[begin : begin + size.visits] for kind, some in paths.items()}
            begin += size.visits
            visits = visit(reader, mine, connections)
            yield from _times(f"{database}, {connections} at once", visits)
            every.append(visits)
        together = {kind: [one for visits in every for one in visits[kind]] for kind in paths if kind != _BARE}
        yield from _queries(database, together)
        yield from _weights(database, reader, paths, together)


def _times(title: str, visits: Mapping[str, Sequence[Visit]]) -> Iterator[Row]:
    for kind, some in visits.items():
        app = _ACTIVITY if kind.startswith("activity") else _APP
        limit = app if len(some) >= _ENOUGH and kind != _BARE else None
        yield Row(f"{title}: {kind}, in the server, p95", p95(one.app for one in some), "ms", limit)
        yield Row(f"{title}: {kind}, processor, p95", p95(one.cpu for one in some), "ms")
        yield Row(f"{title}: {kind}, database, p95", p95(one.db for one in some), "ms")
        yield Row(f"{title}: {kind}, for whoever asks, p95", p95(one.wall for one in some), "ms")
    bare = p95(one.cpu for one in visits[_BARE])
    costliest = max(p95(one.cpu for one in some) for some in visits.values())
    yield Row(f"{title}: costliest page, processor", costliest / bare, "times the bare page")


def _queries(database: str, visits: Mapping[str, Sequence[Visit]]) -> Iterator[Row]:
    for kind, some in visits.items():
        yield Row(f"{database}: {kind}, queries at most", max(one.queries for one in some), "queries", _QUERIES)


def _weights(
    database: str, reader: Reader, paths: Mapping[str, Sequence[str]], visits: Mapping[str, Sequence[Visit]]
) -> Iterator[Row]:
    """A first visit to the page that weighs most, and each kind of page for a browser that has all that comes along."""
    weights = {kind: max(one.size for one in some) for kind, some in visits.items()}
    heaviest = max(weights, key=weights.__getitem__)
    files = weight.of_static(reader, paths[heaviest][0])
    first = sum(files.values()) + weights[heaviest]
    yield Row(f"{database}: first visit, the heaviest page with {len(files)} files", first / _KB, "kB", _FIRST_VISIT)
    for kind, bytes_ in weights.items():
        yield Row(f"{database}: {kind}, weight at most", bytes_ / _KB, "kB", _NEXT_PAGE)
