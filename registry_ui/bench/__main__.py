"""`./run bench NAME [--full] [--json] [--data FOLDER]`: measures, and fails when a figure is beyond its limit."""

from __future__ import annotations

import argparse
import os
import platform
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NoReturn, TypeAlias

from registry_ui.bench import cleanup_bench, events_bench, pages_bench, scan_bench, sizes, sync_bench, tags_bench
from registry_ui.bench.errors import BenchError
from registry_ui.bench.sizes import Size
from registry_ui.bench.table import Row, as_json, as_table

Bench: TypeAlias = Callable[[Size, Path | None, Callable[[str], None]], list[Row]]

_BENCHES: Final[Mapping[str, tuple[Bench, str]]] = {
    "scan": (scan_bench.run, "how fast a registry is read, how often it is asked, and who waits meanwhile"),
    "pages": (pages_bench.run, "what each page costs where a million tags are, and what a browser fetches with it"),
    "events": (events_bench.run, "what it costs a registry to tell Berth something, and how soon it shows"),
    "sync": (sync_bench.run, "what it costs to copy images in, against skopeo on the same work"),
    "cleanup": (cleanup_bench.run, "what it costs to find out what may go, against the registry's own dry runs"),
    "tags": (tags_bench.run, "what it costs to delete many tags and nothing else, against the bare requests for it"),
}
_UNUSABLE: Final = 2  # what was asked for cannot be measured


def main(arguments: Sequence[str]) -> int:
    given = _parser().parse_args(arguments)
    if given.name is None:
        _tell("\n".join(f"./run bench {name}    {what}" for name, (_, what) in _BENCHES.items()))
        return 0
    if given.name not in _BENCHES:
        _tell(f"There is no bench {given.name}. Those there are: {', '.join(_BENCHES)}.")
        return _UNUSABLE
    size = sizes.FULL if given.full else sizes.TINY if given.tiny else sizes.USUAL
    machine = _machine()
    try:
        rows = _BENCHES[given.name][0](size, given.data, _tell)
    except BenchError as error:
        _tell(str(error))
        return _UNUSABLE
    told = as_json if given.json else as_table
    sys.stdout.write(told(given.name, machine, rows) + "\n")
    return 0 if all(row.ok for row in rows) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./run bench", description=__doc__, allow_abbrev=False)
    parser.add_argument("name", nargs="?", help="without it, the names there are")
    parser.add_argument("--full", action="store_true", help="the size that the limits are meant for; takes minutes")
    parser.add_argument("--json", action="store_true", help="print JSON and nothing else")
    parser.add_argument(
        "--data",
        type=Path,
        metavar="FOLDER",
        help="scan: a registry's storage folder to measure on; pages: where the catalog is kept, for the next run too",
    )
    parser.add_argument("--tiny", action="store_true", help=argparse.SUPPRESS)  # for tests: too small to mean much
    return parser


def _machine() -> dict[str, Any]:
    """What the figures were measured on; a load before it began says that others were measured too."""
    pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return {
        "cpus": len(os.sched_getaffinity(0)),
        "memory": f"{pages * size / 1e9:.0f} GB",
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 2),
    }


def _tell(sentence: str) -> None:
    """Progress goes beside the figures."""
    sys.stderr.write(f"{sentence}\n")
    sys.stderr.flush()


def _end(number: int, _: object) -> NoReturn:
    """Whatever was started or written is cleared away on the way out."""
    sys.exit(128 + number)


if __name__ == "__main__":
    for _asked in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(_asked, _end)
    sys.exit(main(sys.argv[1:]))
