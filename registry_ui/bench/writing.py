"""How long a tiny write waits for the database, from a process of its own, as one of a web page would.

`python -m registry_ui.bench.writing DATABASE` writes until its standard input ends, then prints the seconds of each.
"""

from __future__ import annotations

import json
import select
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Final

from registry_ui.bench.errors import BenchError
from registry_ui.bench.processes import end, last_words
from registry_ui.bench.site import Site

_MODULE: Final = "registry_ui.bench.writing"
_PAUSE: Final = 0.02  # seconds between two writes
_TIMEOUT: Final = 20.0  # as in settings.py


class Writes:
    """What a stretch of writing has measured; `waits` are there when it has ended."""

    def __init__(self) -> None:
        self.waits: list[float] = []  # seconds


@contextmanager
def writing(site: Site) -> Iterator[Writes]:
    writes = Writes()
    process = site.start(_MODULE, str(site.database))
    try:
        yield writes
        writes.waits += _finish(site, process)
    finally:
        end(process)


def _finish(site: Site, process: subprocess.Popen[bytes]) -> list[float]:
    output, _ = process.communicate()
    if process.returncode:
        raise BenchError(f"The writer fell over:\n{last_words(site.log)}")
    waits: list[float] = json.loads(output)
    return waits


def _write(database: str) -> list[float]:
    waits: list[float] = []
    with closing(sqlite3.connect(database, timeout=_TIMEOUT, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("CREATE TABLE IF NOT EXISTS bench_write (id INTEGER PRIMARY KEY, at REAL)")
        while not waits or not select.select([sys.stdin], [], [], _PAUSE)[0]:
            began = time.perf_counter()
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("INSERT OR REPLACE INTO bench_write VALUES (1, ?)", (began,))
            connection.execute("COMMIT")
            waits.append(time.perf_counter() - began)
    return waits


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_write(sys.argv[1])))
