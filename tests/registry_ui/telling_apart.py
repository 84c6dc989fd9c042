"""A web server of a Berth of the bench's own that can be killed, and what that Berth has recorded of pushes."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

from registry_ui.bench.site import Site
from registry_ui.start import probes


@contextmanager
def web(site: Site) -> Iterator[subprocess.Popen[bytes]]:
    """The server, once it answers, in a group of processes of its own; it is gone at the end of the block."""
    words = ["gunicorn", "--config", "python:registry_ui.start.web", "--bind", f"127.0.0.1:{site.port}"]
    with site.log.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *words], env=site.environment, stdout=log, stderr=log, start_new_session=True
        )
    try:
        while not probes.answers("127.0.0.1", site.port, "/healthz"):
            assert process.poll() is None, site.log.read_text()[-2000:]
            time.sleep(0.05)
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        process.wait(10)


def story(site: Site) -> list[tuple[str, str, str, str]]:
    """Act, tag, and the digests before and after, of each entry that events made, the oldest first."""
    with closing(sqlite3.connect(f"file:{site.database}?mode=ro", uri=True)) as database:
        return database.execute(
            "SELECT act, tag, digest_before, digest_after FROM audit_entry WHERE source = 'event' ORDER BY id"
        ).fetchall()
