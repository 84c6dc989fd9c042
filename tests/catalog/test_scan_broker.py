"""The broker forgets everything, and is started anew, while a real worker scans: the database is the truth."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

import pytest
import redis

from registry_ui.start import options, valkey
from registry_ui.start.supervisor import Service
from tests.catalog.apart import ROOT, prepare
from tests.catalog.serving import image, serve
from tests.hostile import Asked, Hostile, Reply
from tests.pushing import OCI_MANIFEST
from tests.registry_ui.processes import eventually

ASK = (
    "from catalog.services import request_scan; from registries.models import Registry;"
    " request_scan(Registry.objects.get())"
)


class Broker:
    """A Valkey of our own, that may be started anew."""

    def __init__(self, data: Path) -> None:
        self._folder = valkey.socket_folder()
        self.url = valkey.url(self._folder)
        self._service: Service = valkey.service(options.parse(["--data", str(data)]), self._folder)
        self._running = ExitStack()

    def start(self) -> None:
        self._running.enter_context(started(self._service.argv, self._service.environment))
        assert eventually(self._service.ready)

    def forget(self) -> None:
        with closing(redis.Redis.from_url(self.url)) as client:
            client.flushall()

    def stop(self) -> None:
        self._running.close()

    def remove(self) -> None:
        self.stop()
        (self._folder / "v.sock").unlink(missing_ok=True)
        self._folder.rmdir()


@contextmanager
def started(argv: Sequence[str], environment: Mapping[str, str]) -> Iterator[None]:
    process = subprocess.Popen(argv, cwd=ROOT, env=dict(environment), start_new_session=True)
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.fixture
def data(tmp_path: Path, hostile: Hostile) -> Path:
    prepare(tmp_path / "data", hostile.url)
    return tmp_path / "data"


@pytest.fixture
def broker(data: Path) -> Iterator[Broker]:
    broker = Broker(data)
    broker.start()
    yield broker
    broker.remove()


def jobs(data: Path) -> list[tuple[str, int]]:
    with closing(sqlite3.connect(data / "berth.sqlite3")) as database:
        return database.execute("SELECT state, attempts FROM jobs_job ORDER BY id").fetchall()


def test_a_broker_that_forgets_and_restarts_in_the_middle_of_a_scan_is_no_loss(
    hostile: Hostile, data: Path, broker: Broker
) -> None:
    serve(hostile, app=["1", "2"])
    begun, go = threading.Event(), threading.Event()
    manifest = Reply(200, json.dumps(image()).encode(), {"Content-Type": OCI_MANIFEST})

    def wait(_: Asked) -> Reply:
        begun.set()
        go.wait(30)
        return manifest

    hostile.on("GET", "/v2/app/manifests/1", wait)
    keep = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    told = {"DJANGO_SETTINGS_MODULE": "registry_ui.settings", "BERTH_DATA": str(data), "REDIS_URL": broker.url}
    environment = keep | told
    ask = (sys.executable, "-c", f"import django; django.setup(); {ASK}")

    with started((sys.executable, "-m", "registry_ui.start.worker", "jobs,soon", "1"), environment):
        subprocess.run(ask, cwd=ROOT, env=environment, check=True)
        assert begun.wait(20)
        broker.forget()
        broker.stop()
        broker.start()
        go.set()
        assert eventually(lambda: jobs(data) == [("done", 1)])

        # And the worker hears of the next one without being started anew.
        subprocess.run(ask, cwd=ROOT, env=environment, check=True)
        assert eventually(lambda: jobs(data) == [("done", 1), ("done", 1)])

    with closing(sqlite3.connect(data / "berth.sqlite3")) as database:
        assert database.execute("SELECT count(*) FROM catalog_tag WHERE gone_at IS NULL").fetchone() == (2,)
        assert database.execute("SELECT count(*) FROM catalog_scan WHERE complete").fetchone() == (2,)
