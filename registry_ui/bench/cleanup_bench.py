"""The bench `cleanup`: what it costs to find out what may go, against the registry's own dry runs in the same run."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from registry_ui.bench import cleaning, programs, scanning, storage_data
from registry_ui.bench.errors import BenchError
from registry_ui.bench.ground import for_storage, scratch
from registry_ui.bench.registries import Registry
from registry_ui.bench.site import Site
from registry_ui.bench.sizes import Size
from registry_ui.bench.storage_data import Shape
from registry_ui.bench.table import Row
from registry_ui.start import environment

_RATIO: Final = 0.5
_RATIO_UNTAGGED: Final = 0.1
_PEAK: Final = 400.0  # MB
# Seconds of the registry's dry run: against less, what every plan costs is all that a ratio shows.
_SHORTEST: Final = 2.0
_AGE: Final = 48 * 3600.0  # seconds: what is younger than a day is in no plan


def run(size: Size, data: Path | None, say: Callable[[str], None]) -> list[Row]:
    if data:
        raise BenchError("--data: this bench writes its own.")
    with (
        scratch(Path(tempfile.gettempdir())) as folder,
        scratch(for_storage([size.main, size.tags])) as storage,
    ):
        bench = _Bench(programs.of_2(), Site.new(folder / "site"), folder, storage, say)
        return [
            *bench.rows("many", size.main, (), _RATIO),
            *bench.rows("one", size.tags, ("--delete-untagged",), _RATIO_UNTAGGED),
        ]


class _Bench:
    def __init__(self, program: str, site: Site, folder: Path, storage: Path, say: Callable[[str], None]) -> None:
        self._program, self._site, self._folder, self._storage = program, site, folder, storage
        self._say = say

    def rows(self, name: str, shape: Shape, switches: tuple[str, ...], limit: float) -> Iterator[Row]:
        title = f"{shape.repositories:,} x {shape.tags:,} tags"
        self._say(f"{title}: writing data")
        root = self._storage / name
        storage_data.write(root, shape, seed=5)
        _age(root)
        registry = Registry(self._program, root, self._folder / "registries" / name)
        with registry.serving():
            scanning.add(self._site, name, registry, by_folder=True)
            self._say(f"{title}: scan")
            scanning.scan(self._site, name)
            cleaning.say(self._site, name)
            self._say(f"{title}: the registry's own dry run")
            collected = self._collect(root, switches)
            self._say(f"{title}: plans")
            planned = cleaning.plan(self._site, name)
        words = " ".join(("garbage-collect --dry-run", *switches))
        yield Row(f"{title}: {words}", collected, "s")
        yield Row(f"{title}: plan of untagged manifests", planned.untagged_seconds, "s")
        yield Row(f"{title}: mark, and plan of blobs", planned.mark_seconds, "s")
        ratio = (planned.untagged_seconds + planned.mark_seconds) / collected
        yield Row(f"{title}: plans", ratio, "of the dry run", limit if collected >= _SHORTEST else None)
        yield Row(f"{title}: peak memory", planned.peak, "MB", _PEAK)
        yield Row(f"{title}: manifests marked", planned.manifests, "manifests")
        yield Row(f"{title}: untagged manifests", planned.untagged, "manifests", 1, at_least=True)

    def _collect(self, root: Path, switches: tuple[str, ...]) -> float:
        """Seconds of wall time."""
        config = self._folder / "collect.yml"
        storage = {"filesystem": {"rootdirectory": str(root)}, "delete": {"enabled": True}}
        config.write_text(json.dumps({"version": "0.1", "log": {"level": "error"}, "storage": storage}))
        line = [self._program, "garbage-collect", "--dry-run", *switches, str(config)]
        began = time.perf_counter()
        done = subprocess.run(line, env=environment.plain(), capture_output=True, check=False)  # noqa: S603  our words
        if done.returncode:
            raise BenchError(f"The dry run failed: {done.stderr.decode(errors='replace')[-500:]}")
        return time.perf_counter() - began


def _age(root: Path) -> None:
    moment = time.time() - _AGE
    for folder, _, files in os.walk(root):
        for name in files:
            os.utime(f"{folder}/{name}", (moment, moment))
        os.utime(folder, (moment, moment))
