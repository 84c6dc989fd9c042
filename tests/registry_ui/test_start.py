"""The whole of Berth, started as a person starts it."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import requests

from tests.cleanup.switched import delete, is_whole
from tests.pushing import Pusher
from tests.real_registry import V2, RealRegistry
from tests.registry_ui.processes import ROOT, alive, eventually, free_port

pytestmark = [pytest.mark.long, pytest.mark.sampled(3)]

READY = re.compile(
    r"Berth is ready at (?P<url>http://127\.0\.0\.1:\d+)(?: · sign in as admin with (?P<password>\S+))?\n"
)


class Berth:
    """A start with ports and a data folder of its own; `ready` is what its line said."""

    def __init__(self, data: Path, *arguments: str, **variables: str) -> None:
        self.marker = uuid.uuid4().hex
        keep = {name: value for name, value in os.environ.items() if not name.startswith(("BERTH_", "REDIS_URL"))}
        self.environment = keep | {"BERTH_TEST_MARKER": self.marker, "BERTH_DATA": str(data)} | variables
        self.said: list[str] = []  # before it was ready
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "registry_ui.start", "--port", str(free_port())),
                *("--registry-port", str(free_port()), *arguments),
            ],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def ready(self) -> re.Match[str]:
        assert self.process.stdout
        for line in self.process.stdout:
            if match := READY.fullmatch(line):
                return match
            self.said.append(line)
        assert self.process.stderr
        pytest.fail(self.process.stderr.read())

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        os.killpg(self.process.pid, how)
        self.process.communicate(timeout=30)
        return self.process.returncode

    def manage(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "registry_ui.start.manage", *words],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def berth(data: Path) -> Iterator[Berth]:
    berth = Berth(data)
    yield berth
    berth.process.kill()
    berth.process.communicate()


def signed_in(url: str, password: str) -> requests.Session:
    session = requests.Session()
    session.get(f"{url}/sign-in", timeout=10).raise_for_status()
    answer = session.post(
        f"{url}/sign-in",
        {"username": "admin", "password": password, "csrfmiddlewaretoken": session.cookies["csrftoken"]},
        timeout=10,
    )
    answer.raise_for_status()
    assert "sessionid" in session.cookies
    return session


def test_from_nothing_to_the_samples_in_a_page(berth: Berth, data: Path) -> None:
    ready = berth.ready()
    session = signed_in(ready["url"], ready["password"])

    page = session.get(ready["url"], timeout=10)

    assert page.status_code == 200
    for name in ("platform/api", "base/debian", "tools/deep/nested/cli", "hello"):
        assert name in page.text
    private = [path for path in data.rglob("*") if data / "static" not in (path, *path.parents)]
    assert not [path for path in private if path.stat().st_mode & 0o077]


def asked(data: Path, sql: str) -> list[tuple[object, ...]]:
    """What stands in the database of a running Berth."""
    with closing(sqlite3.connect(f"file:{data}/berth.sqlite3?mode=ro", uri=True)) as database:
        return database.execute(sql).fetchall()


def test_the_folder_of_the_local_registry_is_what_scans_read(berth: Berth, data: Path) -> None:
    assert asked(data, "SELECT storage FROM registries_registry") == [(f"{data}/registry",)]
    (scan,) = asked(data, "SELECT source, complete, source_note FROM catalog_scan")
    assert scan == ("folder", 1, "An upload that was begun through the API appeared in the folder, and was cancelled.")


def test_the_local_registry_tells_what_happens_and_nobody_had_to_set_that_up(berth: Berth, data: Path) -> None:
    outcome = berth.manage("notifications", "local", "--test")

    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    assert "the registry told of what Berth read there" in outcome.stdout.replace("The", "the")


@pytest.mark.sampled
def test_the_local_registry_is_swept_and_nobody_had_to_set_that_up(berth: Berth, data: Path) -> None:
    """Read-only meanwhile, by its supervisor; what was swept can be pushed again at once."""
    (url,) = asked(data, "SELECT url FROM registries_registry")[0]
    push = Pusher(str(url), "test/swept")
    push.image("kept", seed="kept")
    delete(str(url), "test/swept", push.image(seed="swept"))
    _is_done(berth.manage("scan"))
    blobs = len(list((data / "registry").rglob("data")))

    planned = berth.manage("garbagecollect", "local", "--plan")
    assert "2 of" in planned.stdout, planned.stderr  # its manifest and its config
    swept = berth.manage("garbagecollect", "local")

    assert "blobs were removed, and the registry takes pushes again." in swept.stdout, swept.stderr
    assert len(list((data / "registry").rglob("data"))) == blobs - 2
    push.image("again", seed="swept")
    assert all(is_whole(str(url), "test/swept", tag) for tag in ("kept", "again"))
    logged = (data / "logs/registry.log").read_text()
    assert "panic" not in logged


def _is_done(outcome: subprocess.CompletedProcess[str]) -> None:
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


def test_the_secret_of_its_events_is_where_it_has_to_be_and_nowhere_else(berth: Berth, data: Path) -> None:
    secret = (data / "keys/events-secret").read_bytes()

    found = {file.relative_to(data) for file in data.rglob("*") if file.is_file() and secret in file.read_bytes()}

    assert found == {Path("keys/events-secret"), Path("registry.yml")}
    assert berth.manage("notifications", "local", "--new-secret").returncode == 1


@pytest.mark.sampled
def test_the_password_is_in_no_file(berth: Berth, data: Path) -> None:
    """It was shown, once; what is stored is a digest of it."""
    outcome = berth.manage("setpassword", "admin")
    password = outcome.stdout.split()[-1]

    found = [file for file in data.rglob("*") if file.is_file() and password.encode() in file.read_bytes()]

    assert outcome.returncode == 0
    assert found == []


def test_a_second_start_is_refused_and_leaves_the_first_alone(berth: Berth, data: Path) -> None:
    second = Berth(data)

    output, complaint = second.process.communicate(timeout=30)

    assert second.process.returncode == 2
    assert output == ""
    assert f"Berth already runs on {data} (pid {berth.process.pid})" in complaint
    assert complaint.count("\n") == 1
    assert berth.process.poll() is None


def test_manage_acts_on_the_running_one(berth: Berth) -> None:
    outcome = berth.manage("scan", "--wait", "20")

    assert outcome.returncode == 0, outcome.stderr
    assert "done" in outcome.stdout


def test_ctrl_c_leaves_no_process_and_a_later_start_tells_no_password(berth: Berth, data: Path) -> None:
    assert berth.end(signal.SIGINT) == 0
    assert alive(berth.marker) == []
    assert not (data / "run.json").exists()

    later = Berth(data)
    try:
        assert later.ready()["password"] is None
    finally:
        later.end(signal.SIGKILL)
    assert eventually(lambda: alive(later.marker) == [])
    shutil.rmtree(json.loads((data / "run.json").read_text())["folder"])  # the next start would


@pytest.mark.parametrize("real_registry", [V2], indirect=True)  # nothing of it depends on what registry that is
def test_a_registry_elsewhere_is_used_and_none_started(real_registry: RealRegistry, tmp_path: Path) -> None:
    berth = Berth(tmp_path, "--registry", real_registry.url, BERTH_REGISTRY_STORAGE="/nowhere")
    try:
        assert berth.ready()["password"]
        assert any(line.startswith("BERTH_REGISTRY_STORAGE: ") and "it is not there" in line for line in berth.said)
        assert asked(tmp_path, "SELECT url, storage FROM registries_registry") == [(real_registry.url, "/nowhere")]
        assert not (tmp_path / "registry").exists()
    finally:
        assert berth.end() == 0
    assert alive(berth.marker) == []


def test_a_registry_that_does_not_answer_ends_the_start(tmp_path: Path) -> None:
    berth = Berth(tmp_path, "--registry", "http://127.0.0.1:1")

    output, complaint = berth.process.communicate(timeout=60)

    assert berth.process.returncode == 2
    assert "Berth is ready" not in output
    assert "can this server reach 127.0.0.1:1?" in complaint
    assert complaint.count("\n") == 1
    assert alive(berth.marker) == []
