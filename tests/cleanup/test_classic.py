"""A sweep by commands on real registries: what is not used goes, all else stays whole, and pushes are taken again."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from audit.models import Entry
from cleanup.models import Halt
from jobs import services as jobs
from registries.models import Registry
from registry_ui.start import options, valkey
from tests.cleanup.classic import carried_out, kinds, scanned, seen_through
from tests.cleanup.switched import Switched, delete, is_whole, python, written
from tests.pushing import Pusher
from tests.real_registry import generations_in_turn
from tests.registry_ui.processes import free_port

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

_STEPS = ["dry-run", "read-only-on", "compare", "collect", "read-only-off"]


@pytest.mark.parametrize("generation", generations_in_turn())
def test_what_is_not_used_goes_and_can_be_pushed_again(generation: str, tmp_path: Path, settings: Settings) -> None:
    storage = {
        "filesystem": {"rootdirectory": str(tmp_path / "registry/storage")},
        "delete": {"enabled": True},
        "cache": {"blobdescriptor": "inmemory"},  # which would say that what is gone is there
    }
    with Switched(tmp_path / "registry", generation, settings={"storage": storage}) as registry:
        push = Pusher(registry.url, "team/app")
        push.image("kept", seed="kept", layers=[b"kept", b"shared"])
        push.index(
            "2.0", children=[push.image(seed=p, platform=p, layers=[b"two"]) for p in ("linux/amd64", "linux/s390x")]
        )
        before = registry.blobs()
        index = _push_index(push)
        doomed = registry.blobs() - before
        row = Registry.objects.create(name="main", url=registry.url)
        scanned(row)
        for digest in (index, *(entry["digest"] for entry in _children(push, index))):
            delete(registry.url, "team/app", digest)
        scanned(row)
        settings.CLEANUP_COMMANDS = [written(tmp_path / "own/commands.toml", registry.way())]

        run, job = carried_out(row)

        assert job.state == "asking", job.message
        assert (
            job.question["text"]
            == f"{len(doomed)} of the {len(before | doomed)} blobs of main would be removed. Go on?"
        )
        assert kinds(run) == ["dry-run"]
        assert registry.blobs() == before | doomed
        assert registry.takes_uploads()

        jobs.answer(job, yes=True)
        run, job = seen_through(run, job)

        said = f"{len(doomed)} of {len(before | doomed)} blobs were removed, and the registry takes pushes again."
        assert (job.state, job.message) == ("done", said)
        assert (run.state, run.message, run.doomed, run.marked) == ("done", said, len(doomed), len(before))
        assert run.doomed_size > 0
        assert run.of_unknown_size == 0
        assert kinds(run) == ["dry-run", *_STEPS]
        assert registry.blobs() == before
        row.refresh_from_db()
        assert row.closed_since is None
        entry = Entry.objects.get(act=Entry.Act.COLLECT_GARBAGE)
        assert (entry.registry, entry.outcome, entry.detail, entry.count) == ("main", "done", said, len(doomed))
        assert all(is_whole(registry.url, "team/app", tag) for tag in ("kept", "2.0"))
        assert _push_index(push) == index
        assert is_whole(registry.url, "team/app", "1.0")


def _push_index(push: Pusher) -> str:
    platforms = ("linux/amd64", "linux/arm64")
    return push.index(
        "1.0", children=[push.image(seed=p, platform=p, layers=[p.encode(), b"shared"]) for p in platforms]
    )


def _children(push: Pusher, index: str) -> list[dict[str, str]]:
    import json

    children: list[dict[str, str]] = json.loads(push.fetch(index))["manifests"]
    return children


@pytest.mark.sampled
def test_a_cache_that_outlives_a_restart_is_found_out(tmp_path: Path, settings: Settings) -> None:
    port = free_port()
    cached = _with_redis(tmp_path, port)
    with _redis(port, tmp_path / "redis"), Switched(tmp_path / "registry", settings=cached) as registry:
        push = Pusher(registry.url, "team/app")
        push.image("kept", layers=[f"kept {n}".encode() for n in range(20)])
        row = Registry.objects.create(name="main", url=registry.url)
        flush = python(
            "import socket",
            f"there = socket.create_connection(('127.0.0.1', {port}))",
            "there.sendall(b'FLUSHALL\\r\\n')",
            "there.recv(9)",
        )
        emptied = registry.way(**{"read-only-off": [flush, registry.command("open")]})
        for way, state in ((emptied, "done"), (registry.way(), "failed")):
            settings.CLEANUP_COMMANDS = [written(tmp_path / "own/commands.toml", way)]
            digest = push.image("doomed", seed="doomed")
            scanned(row)
            delete(registry.url, "team/app", digest)
            scanned(row)

            run, job = carried_out(row)

            assert job.state == state, job.message
            assert registry.takes_uploads()
        said = "3 of 25 blobs were removed, and the registry takes pushes again. But it still says that it has sha256:"
        assert run.message.startswith(said)
        assert (run.state, Halt.objects.get().why) == ("broken-off", run.message)


def _with_redis(folder: Path, port: int) -> dict[str, Any]:
    storage = {"filesystem": {"rootdirectory": str(folder / "registry/storage")}, "delete": {"enabled": True}}
    cached = {**storage, "cache": {"blobdescriptor": "redis"}}
    return {"storage": cached, "redis": {"addr": f"127.0.0.1:{port}"}}


@contextmanager
def _redis(port: int, folder: Path) -> Iterator[None]:
    folder.mkdir()
    program = valkey.service(options.parse(["--data", str(folder)]), folder).argv[0]
    line = [program, "--port", str(port), "--save", "", "--dir", str(folder)]
    with subprocess.Popen(line, stdout=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.kill()
