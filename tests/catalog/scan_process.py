"""A process that scans once; before that, a fork of it may scan and die by SIGKILL at its nth request or nth write.

    python -m tests.catalog.scan_process [--die-at-request N | --die-at-write N | --die-at-table T] [--pages N]
        [--patience MS]

Or at the first row of a table.

It can be told to find the disk full when the database has grown by N pages, or to wait for its turn to write no longer
than MS milliseconds: its first connection, that is, and not those which it makes after a fault.

Prints the state of the job, how many requests it sent, how many statements wrote, its peak in megabytes, and the
message; and in a second line the picture of the catalog, whose counters it has checked. It counts from outside: an
audit hook sees each request on its way, a database wrapper each statement.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import django


class Countdown:
    """Counts to `last`, and dies there."""

    def __init__(self, last: int) -> None:
        self.count, self._last, self._lock = 0, last, threading.Lock()

    def step(self) -> None:
        with self._lock:
            self.count += 1
            if self.count == self._last:
                os.kill(os.getpid(), signal.SIGKILL)


def _peak() -> int:
    """MiB, of this process since it became Python: getrusage would tell its parent's where that was larger."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) // 1024


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--die-at-request", type=int, default=0)
    parser.add_argument("--die-at-write", type=int, default=0)
    parser.add_argument("--die-at-table", default="")
    parser.add_argument("--pages", type=int)
    parser.add_argument("--patience", type=int)
    options = parser.parse_args()
    django.setup()
    import_module("tests.catalog.picture")  # and with it, once for both, what a scan is made of
    if options.die_at_request or options.die_at_write or options.die_at_table:
        child = os.fork()
        if child == 0:
            scan(options)
            os._exit(1)  # it should have died
        assert os.waitpid(child, 0)[1] == signal.SIGKILL
        options.die_at_request, options.die_at_write, options.die_at_table = 0, 0, ""
    scan(options)


def scan(options: argparse.Namespace) -> None:
    from datetime import timedelta

    from django.db import connection
    from django.utils import timezone

    from catalog.services import request_scan
    from jobs import running, services
    from jobs.models import Job
    from registries.models import Registry
    from tests.catalog.picture import check_counters, picture

    requests, writes = Countdown(options.die_at_request), Countdown(options.die_at_write)

    def on_event(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "http.client.send" and arguments[1].startswith(b"GET "):
            requests.step()

    def on_statement(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if not sql.lstrip("( ").upper().startswith(("SELECT", "PRAGMA", "EXPLAIN")):
            writes.step()
        if sql.startswith(f'INSERT INTO "{options.die_at_table}"'):
            os.kill(os.getpid(), signal.SIGKILL)
        return execute(sql, params, many, context)

    # Whoever held the job before us is dead; its lease is over.
    Job.objects.filter(state=Job.State.RUNNING).update(leased_until=timezone.now() - timedelta(seconds=1))
    services.sweep()
    job, _ = request_scan(Registry.objects.get())
    with connection.cursor() as cursor:
        if options.patience is not None:
            cursor.execute(f"PRAGMA busy_timeout = {options.patience:d}")
        if options.pages is not None:
            pages = cursor.execute("PRAGMA page_count").fetchone()[0]
            cursor.execute(f"PRAGMA max_page_count = {pages + options.pages:d}")
    sys.addaudithook(on_event)
    with connection.execute_wrapper(on_statement):
        running.run(job.pk)
    job.refresh_from_db()
    peak = _peak()
    sys.stdout.write(f"{job.state} {requests.count} {writes.count} {peak} {job.message}\n")
    check_counters()
    sys.stdout.write(json.dumps(picture(), default=str) + "\n")


if __name__ == "__main__":
    main()
