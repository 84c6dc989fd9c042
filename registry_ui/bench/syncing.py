"""A warm worker that copies images in, in a process of its own: all that a bench knows of how Berth syncs.

`python -m registry_ui.bench.syncing` tells how much memory it takes before it has done anything, and then carries out
what its standard input names, a JSON a line: the addresses of a source and a target, and a repository.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from registry_ui.bench.errors import BenchError
from registry_ui.bench.processes import end, last_words
from registry_ui.bench.site import Site

_MODULE: Final = "registry_ui.bench.syncing"


@dataclass(frozen=True, slots=True)
class Synced:
    seconds: float
    cpu: float  # seconds
    peak: float  # MB above the idle worker
    done: int  # images
    unchanged: int


class Worker:
    def __init__(self, site: Site, process: subprocess.Popen[bytes]) -> None:
        self._site, self._process = site, process
        self._idle = float(self._answer()["idle"])

    def sync(self, source: str, target: str, repository: str) -> Synced:
        """All tags of the repository; a run that did not end well is no measurement."""
        assert self._process.stdin is not None  # noqa: S101  Site.start pipes it
        self._process.stdin.write(json.dumps([source, target, repository]).encode() + b"\n")
        self._process.stdin.flush()
        told = self._answer()
        if told.pop("state") != "done":
            raise BenchError(f"The run did not end well: {told['message']}\n{last_words(self._site.log)}")
        del told["message"]
        return Synced(**{**told, "peak": told["peak"] - self._idle})

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None  # noqa: S101  as above
        if line := self._process.stdout.readline():
            told: dict[str, Any] = json.loads(line)
            return told
        raise BenchError(f"The worker fell over:\n{last_words(self._site.log)}")


@contextmanager
def worker(site: Site) -> Iterator[Worker]:
    process = site.start(_MODULE)
    try:
        yield Worker(site, process)
    finally:
        end(process)


def _serve() -> None:
    _print(idle=_memory("VmRSS"))
    for line in sys.stdin:
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
        _print(**_sync(*json.loads(line)))


def _sync(source: str, target: str, repository: str) -> dict[str, Any]:
    from jobs import running
    from sync import services
    from sync.models import Item, Run

    rule = _rule(source, target, repository)
    cpu, began = _cpu(), time.perf_counter()
    run, job = services.begin(rule)
    running.run(job.pk)
    seconds, cpu = time.perf_counter() - began, _cpu() - cpu
    run, items = Run.objects.get(pk=run.pk), Item.objects.filter(run=run)
    return {
        "state": run.state,
        "message": run.message,
        "seconds": seconds,
        "cpu": cpu,
        "peak": _memory("VmHWM"),
        "done": items.filter(state=Item.State.DONE).count(),
        "unchanged": run.unchanged,
    }


def _rule(source: str, target: str, repository: str) -> Any:
    from registries.models import Registry
    from sync.details import Details
    from sync.models import Rule
    from sync.terms import Terms

    rows = []
    for url, role in ((source, Registry.Role.SOURCE), (target, Registry.Role.CATALOG)):
        name = f"{role}-{url.rpartition(':')[2]}"
        rows.append(Registry.objects.get_or_create(url=url, defaults={"name": name, "role": role})[0])
    name = f"{repository.replace('/', '-')}-{rows[1].name}"
    terms = Terms.of(Details(name, rows[0].name, (repository,), rows[1].name)).written()
    return Rule.objects.get_or_create(name=name, defaults={"source": rows[0], "target": rows[1], "terms": terms})[0]


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _memory(name: str) -> float:
    """MB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) * 1024 / 1e6
    raise AssertionError(name)


def _print(**told: Any) -> None:
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    import django

    django.setup()
    _serve()
