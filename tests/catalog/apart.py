"""Scans in processes of their own, over a database in a file: they may be killed, locked out, and weighed."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parents[2]


class Scanned(NamedTuple):
    """How a scan ended, how many requests and writes it took, its process's peak in megabytes, and the catalog then."""

    state: str
    requests: int
    writes: int
    peak: int
    message: str
    picture: dict[str, Any]


def run(folder: Path, *words: str) -> str:
    """Python, with these arguments, on the data in `folder`."""
    environment = {**os.environ, "BERTH_DATA": str(folder), "DJANGO_SETTINGS_MODULE": "registry_ui.settings"}
    environment.pop("DATABASE_URL", None)
    done = subprocess.run(
        [sys.executable, *words], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@cache
def _migrated() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="berth-migrated-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    run(folder, "manage.py", "migrate", "--verbosity", "0")
    make = "from registries.models import Registry; Registry.objects.create(name='test', url='http://127.0.0.1:1')"
    run(folder, "manage.py", "shell", "--verbosity", "0", "--command", make)
    return folder


def prepare(folder: Path, url: str, storage: Path | str = "") -> None:
    """Lay `folder`, with a database that knows this one registry, and nothing of what is in it."""
    shutil.copytree(_migrated(), folder)
    with closing(sqlite3.connect(folder / "berth.sqlite3")) as database, database:
        database.execute("UPDATE registries_registry SET url = ?, storage = ?", (url, str(storage)))


def scan_apart(folder: Path, *options: str) -> Scanned:
    """Scan to the end of the job, and look at the catalog then; where `options` say so, after one that was killed."""
    ended, seen = run(folder, "-m", "tests.catalog.scan_process", *options).splitlines()
    state, requests, writes, peak, message = ended.split(" ", 4)
    return Scanned(state, int(requests), int(writes), int(peak), message, json.loads(seen))
