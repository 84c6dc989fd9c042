"""A real worker that is asked to end while a layer flows, as at each upgrade."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.hostile import Hostile, Reply
from tests.jobs.test_ending import GRACE, SWEEP, environment, started
from tests.oci.transfer.serving import blob_path, serve
from tests.real_registry import RealRegistry
from tests.registry_ui.processes import ROOT, eventually
from tests.sync.test_interrupted import LAYER, Slow

pytestmark = pytest.mark.sampled(3)

__all__ = ["environment"]
WORKER = (sys.executable, "-m", "registry_ui.start.worker", "jobs,soon", "2")
QUEUE = """
import sys, django; django.setup()
from registries.models import Registry
from sync import services
from sync.details import Details
from sync.models import Rule
from sync.terms import Terms
source = Registry.objects.create(name="upstream", url=sys.argv[1], role=Registry.Role.SOURCE)
target = Registry.objects.create(name="ours", url=sys.argv[2])
terms = Terms.of(Details("app", "upstream", ("team/app",), "ours")).written()
services.begin(Rule.objects.create(name="app", source=source, target=target, terms=terms))
"""


@pytest.fixture
def upstream() -> Iterator[Hostile]:
    with Hostile() as hostile:
        serve(hostile, "1.0", layers=[LAYER])
        hostile.on("GET", "/v2/team/app/tags/list", Reply.json({"name": "team/app", "tags": ["1.0"]}))
        hostile.on("GET", blob_path(LAYER), Slow(200, LAYER, pause=1.0))
        yield hostile


def items(data: Path) -> list[tuple[str, int]]:
    with closing(sqlite3.connect(data / "berth.sqlite3")) as database:
        return database.execute("SELECT state, tries FROM sync_item").fetchall()


def test_a_restart_gives_the_try_back_and_cancels_the_upload(
    environment: dict[str, str], tmp_path: Path, upstream: Hostile, target: RealRegistry
) -> None:
    for words in (("manage.py", "migrate", "--verbosity", "0"), ("-c", QUEUE, upstream.url, target.url)):
        subprocess.run([sys.executable, *words], cwd=ROOT, env=environment, check=True)

    with started(WORKER, environment) as process:
        assert eventually(lambda: bool(list(target.storage.glob("**/_uploads/*/data"))))
        assert items(tmp_path) == [("begun", 1)]
        process.terminate()
        process.wait(GRACE)

    assert items(tmp_path) == [("planned", 0)]
    assert not list(target.storage.glob("**/_uploads/*/startedat"))
    upstream.on("GET", blob_path(LAYER), Reply(200, LAYER))
    with started(WORKER, environment):
        assert eventually(lambda: items(tmp_path) == [("done", 1)], SWEEP / 2)
