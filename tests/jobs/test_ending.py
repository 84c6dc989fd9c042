"""A real worker that is asked to end, as the supervisor asks."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from registry_ui.start import options, valkey
from registry_ui.start.supervisor import Service
from tests.registry_ui.processes import ROOT, eventually

pytestmark = pytest.mark.sampled(3)

GRACE = 5.0  # seconds that the supervisor leaves between SIGTERM and SIGKILL
SWEEP = 30.0  # seconds between two ticks of the clock, which does not run here

QUEUE = "import django; django.setup(); from jobs.services import queue; queue('slow', 'thing:1', 'Slow')"


@contextmanager
def started(argv: tuple[str, ...], environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(argv, cwd=ROOT, env=environment, start_new_session=True)
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A database and a broker of its own."""
    folder = valkey.socket_folder()
    service: Service = valkey.service(options.parse(["--data", str(tmp_path)]), folder)
    keep = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    told = keep | {"DJANGO_SETTINGS_MODULE": "registry_ui.settings", "BERTH_DATA": str(tmp_path)}
    with started(tuple(service.argv), dict(service.environment)):
        assert eventually(service.ready)
        yield told | {"REDIS_URL": valkey.url(folder)}
    (folder / "v.sock").unlink(missing_ok=True)
    folder.rmdir()


def row(data: Path) -> tuple[str, int, str | None]:
    with closing(sqlite3.connect(data / "berth.sqlite3")) as database:
        state, attempts, leased_until = database.execute(
            "SELECT state, attempts, leased_until FROM jobs_job"
        ).fetchone()
    return state, attempts, leased_until


def test_a_job_that_a_restart_interrupts_goes_on_at_once(environment: dict[str, str], tmp_path: Path) -> None:
    worker = (sys.executable, "-m", "tests.jobs.slow_worker")
    for words in (("manage.py", "migrate", "--verbosity", "0"), ("-c", QUEUE)):
        subprocess.run([sys.executable, *words], cwd=ROOT, env=environment, check=True)

    with started(worker, environment) as process:
        assert eventually((tmp_path / "begun").exists)
        assert row(tmp_path)[:2] == ("running", 1)
        process.terminate()
        assert eventually(lambda: row(tmp_path) == ("queued", 0, None), GRACE - 1)

    (tmp_path / "go").touch()
    with started(worker, environment):
        assert eventually(lambda: row(tmp_path)[:2] == ("done", 1), SWEEP / 2)
