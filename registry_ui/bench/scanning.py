"""One scan in a process of its own, and what it cost: all that a bench knows of how Berth scans.

`python -m registry_ui.bench.scanning add NAME URL STORAGE` makes the row of a registry, `… scan NAME` scans it.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from registry_ui.bench.errors import BenchError
from registry_ui.bench.processes import end, last_words
from registry_ui.bench.registries import Registry
from registry_ui.bench.site import Site

_MODULE: Final = "registry_ui.bench.scanning"
_AFTER_MANIFESTS: Final = ("configs", "done")  # phases of the progress
_LOOK: Final = 1.0  # seconds between two looks at the memory of other processes: they know their own peak


@dataclass(frozen=True, slots=True)
class Scanned:
    seconds: float  # all of it
    without_configs: float  # seconds until tags and manifests were read and written
    peak: float  # MB of memory of the scanning process and of the one that it reads by
    source: str  # "api" or "folder"
    note: str  # why not its folder

    @property
    def is_of_folder(self) -> bool:
        return self.source == "folder"


class Scanning:
    """A scan under way."""

    def __init__(self, site: Site, process: subprocess.Popen[bytes]) -> None:
        self._site, self._process = site, process
        self.job = int(json.loads(self._line())["job"])

    @property
    def is_over(self) -> bool:
        return self._process.poll() is not None

    def result(self) -> Scanned:
        """Waits for the end; a scan that did not end well is no measurement."""
        told = json.loads(self._line())
        if told.pop("state") != "done":
            raise BenchError(f"The scan did not end well: {told['note']}\n{last_words(self._site.log)}")
        return Scanned(**told)

    def _line(self) -> bytes:
        if self._process.stdout is None:
            raise AssertionError("Site.start pipes it")
        if line := self._process.stdout.readline():
            return line
        raise BenchError(f"The scan fell over:\n{last_words(self._site.log)}")


def add(site: Site, name: str, registry: Registry, *, by_folder: bool = False) -> None:
    """Make the row of `registry`."""
    site.run(_MODULE, "add", name, registry.url, str(registry.storage) if by_folder else "")


def scan(site: Site, name: str) -> Scanned:
    with under_way(site, name) as scanning:
        return scanning.result()


@contextmanager
def under_way(site: Site, name: str) -> Iterator[Scanning]:
    """A scan that has just begun."""
    process = site.start(_MODULE, "scan", name)
    try:
        yield Scanning(site, process)
    finally:
        end(process)


def _add(name: str, url: str, storage: str) -> None:
    from registries.models import Registry as Row
    from registries.services import Details
    from registries.services import add as add_row

    row = add_row(Details(url=url, name=name, plain_http=True))
    Row.objects.filter(pk=row.pk).update(storage=storage)


def _scan(name: str) -> None:
    from catalog.models import Scan
    from catalog.services import request_scan
    from jobs import running
    from registries.models import Registry as Row

    job, _ = request_scan(Row.objects.get(name=name))
    _print(job=job.pk)
    watch = _watched(running.Lease)
    began = time.perf_counter()
    running.run(job.pk)
    ended = time.perf_counter()
    job.refresh_from_db()
    last = Scan.objects.newest_first().filter(job=job).first()
    read = min((watch.phases[name] for name in _AFTER_MANIFESTS if name in watch.phases), default=ended)
    _print(
        state=job.state,
        seconds=ended - began,
        without_configs=read - began,
        peak=_peak() + watch.others,
        source=last.source if last else "",
        note=(last.source_note if last else "") or job.message,
    )


@dataclass(slots=True)
class _Watch:
    """What is seen of a scan whenever it tells of its progress: when phases began, and the memory of its processes."""

    phases: dict[str, float] = field(default_factory=dict)
    others: float = 0.0  # MB, at most
    looked: float = 0.0

    def hear(self, phase: str) -> None:
        now = time.perf_counter()
        self.phases.setdefault(phase, now)
        if now - self.looked > _LOOK:
            self.looked, self.others = now, max(self.others, sum(map(_peak, _children())))


def _watched(lease: Any) -> _Watch:
    watch, tell = _Watch(), lease.tell

    def told(self: Any, *, now: bool = False, **progress: Any) -> None:
        watch.hear(progress.get("phase", ""))
        tell(self, now=now, **progress)

    lease.tell = told
    return watch


def _children() -> list[str]:
    found: list[str] = []
    for task in Path("/proc/self/task").iterdir():
        with suppress(OSError):  # that thread has ended
            found += (task / "children").read_text().split()
    return found


def _peak(pid: str = "self") -> float:
    """MB of a process since it became what it is: getrusage would tell its parent's where that was larger."""
    try:
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    except OSError:  # it has ended
        return 0.0
    return int(found[1]) * 1024 / 1e6 if found else 0.0


def _print(**told: Any) -> None:
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    import django

    django.setup()
    if sys.argv[1] == "add":
        _add(*sys.argv[2:])
    else:
        _scan(*sys.argv[2:])
