"""The bench `sync`: what it costs to copy images in, against skopeo on the same work in the same run."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Final

from registry_ui.bench import programs, sync_data
from registry_ui.bench.errors import BenchError
from registry_ui.bench.ground import scratch
from registry_ui.bench.registries import Registry
from registry_ui.bench.site import Site
from registry_ui.bench.sizes import Size
from registry_ui.bench.sync_data import LARGE, SIGNED, SMALL
from registry_ui.bench.syncing import Synced, Worker, worker
from registry_ui.bench.table import Row
from registry_ui.start import environment

_CPU: Final = 0.75
_PEAK: Final = 40.0  # MB
# Seconds of skopeo: against less, what every run costs is all that a ratio shows. Nor does a single round show much.
_SHORTEST: Final = 0.5
_MEMORY: Final = Path("/dev/shm")  # noqa: S108  a folder of our own in it
_SPARE: Final = 3  # times the data that is free there


def run(size: Size, data: Path | None, say: Callable[[str], None]) -> list[Row]:
    if data:
        raise BenchError("--data: this bench writes its own.")
    skopeo = shutil.which("skopeo")
    if skopeo is None:
        raise BenchError("skopeo is missing, which this bench measures against: apt-get install skopeo")
    bytes_wanted = size.sync.layer * 8 * _SPARE
    with scratch(Path(tempfile.gettempdir())) as folder, scratch(_for_blobs(bytes_wanted)) as storage:
        say("Preparing a Berth")
        site = Site.new(folder / "site")
        source = Registry(programs.of_2(), storage / "source", folder / "registries" / "source")
        with source.serving(), worker(site) as berth:
            say("Pushing images to copy")
            sync_data.write(source.url, size.sync)
            ground = _Ground(skopeo, source, berth, size, folder, storage, say)
            return list(_rows(ground))


@dataclass(frozen=True, slots=True)
class _Ground:
    skopeo: str
    source: Registry
    berth: Worker
    size: Size
    folder: Path
    storage: Path
    say: Callable[[str], None]
    _made: Iterator[int] = field(default_factory=count)

    @contextmanager
    def target(self) -> Iterator[Registry]:
        """An empty registry."""
        number = str(next(self._made))
        registry = Registry(programs.of_2(), self.storage / number, self.folder / "registries" / number)
        try:
            with registry.serving():
                yield registry
        finally:
            shutil.rmtree(self.storage / number, ignore_errors=True)


@dataclass(slots=True)
class _Measured:
    wall: list[float] = field(default_factory=list)  # seconds of skopeo
    cpu: list[float] = field(default_factory=list)
    ours: list[Synced] = field(default_factory=list)
    wall_again: list[float] = field(default_factory=list)
    cpu_again: list[float] = field(default_factory=list)
    again: list[Synced] = field(default_factory=list)
    at_source: Counter[tuple[str, str]] = field(default_factory=Counter)  # requests of ours when all was unchanged
    at_target: Counter[tuple[str, str]] = field(default_factory=Counter)


def _rows(ground: _Ground) -> Iterator[Row]:
    gib = ground.size.sync.layer * 8 / 2**30
    yield from _first(f"One image of {gib:.3g} GiB", _measure(ground, LARGE, 1), 0.8)
    images = ground.size.sync.images
    small = _measure(ground, SMALL, images)
    yield from _first(f"{images} small images", small, 0.6)
    yield from _unchanged(f"{images} unchanged tags", small, images)
    yield from _first("Four platforms, signed", _measure(ground, SIGNED, 1), 1.1)


def _first(title: str, measured: _Measured, limit: float) -> Iterator[Row]:
    yield from _against(title, measured.wall, measured.cpu, measured.ours, limit)


def _unchanged(title: str, measured: _Measured, images: int) -> Iterator[Row]:
    yield from _against(title, measured.wall_again, measured.cpu_again, measured.again, 0.6)
    for where, heard in (("source", measured.at_source), ("target", measured.at_target)):
        yield Row(f"{title}, HEAD at the {where}", heard["HEAD", "tags"], "requests", images)
        pulls = heard["GET", "tags"] + heard["GET", "digests"]
        yield Row(f"{title}, GET of manifests at the {where}", pulls, "requests", 0)
        writes = sum(times for (method, _), times in heard.items() if method not in {"GET", "HEAD"})
        yield Row(f"{title}, writes at the {where}", writes, "requests", 0)


def _against(title: str, wall: list[float], cpu: list[float], ours: list[Synced], limit: float) -> Iterator[Row]:
    theirs, mine = min(wall), min(synced.seconds for synced in ours)
    is_judged = theirs >= _SHORTEST and len(ours) > 1
    yield Row(f"{title}, skopeo", theirs, "s")
    yield Row(title, mine / theirs, "times skopeo", limit if is_judged else None)
    cost = min(synced.cpu for synced in ours) / min(cpu)
    yield Row(f"{title}, processor", cost, "times skopeo", _CPU if is_judged else None)
    yield Row(f"{title}, peak memory", max(synced.peak for synced in ours), "MB above idle", _PEAK)


def _measure(ground: _Ground, repository: str, images: int) -> _Measured:
    measured = _Measured()
    for number in range(ground.size.rounds):
        ground.say(f"{repository}: round {number + 1} of {ground.size.rounds}")
        with ground.target() as target:
            _time_skopeo(ground, target, repository, measured.wall, measured.cpu)
            _time_skopeo(ground, target, repository, measured.wall_again, measured.cpu_again)
        with ground.target() as target:
            first = ground.berth.sync(ground.source.url, target.url, repository)
            ground.source.heard()
            target.heard()
            again = ground.berth.sync(ground.source.url, target.url, repository)
            measured.at_source, measured.at_target = ground.source.heard(), target.heard()
        if (first.done, again.done, again.unchanged) != (images, 0, images):
            raise BenchError(f"{first.done} of {images} images were copied, and {again.unchanged} were there again.")
        measured.ours.append(first)
        measured.again.append(again)
    return measured


def _time_skopeo(ground: _Ground, target: Registry, repository: str, wall: list[float], cpu: list[float]) -> None:
    hosts = [registry.url.removeprefix("http://") for registry in (ground.source, target)]
    words = ["sync", "--all", "--src", "docker", "--dest", "docker", "--src-tls-verify=false"]
    words += ["--dest-tls-verify=false", f"{hosts[0]}/{repository}", f"{hosts[1]}/{repository.rpartition('/')[0]}"]
    log = ground.folder / "skopeo"
    began = time.perf_counter()
    with log.open("wb") as out:
        process = subprocess.Popen(  # noqa: S603  no shell, and the words are ours
            [ground.skopeo, "--insecure-policy", *words],
            env={**environment.plain(), "HOME": str(ground.folder)},
            stdout=out,
            stderr=out,
        )
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall.append(time.perf_counter() - began)
    cpu.append(used.ru_utime + used.ru_stime)
    if process.returncode:
        raise BenchError(f"skopeo failed:\n{log.read_text(errors='replace')[-2000:]}")


def _for_blobs(wanted: int) -> Path:
    """In memory where there is plenty, so that no disk is what is measured."""
    if _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > wanted:
        return _MEMORY
    return Path(tempfile.gettempdir())
