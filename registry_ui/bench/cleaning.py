"""Plans of cleanup in a process of their own, and what they cost: all that a bench knows of how Berth cleans up.

`python -m registry_ui.bench.cleaning say NAME` says what a sweep has to know of a registry, `… plan NAME` plans what
goes.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from registry_ui.bench.errors import BenchError
from registry_ui.bench.site import Site

_MODULE: Final = "registry_ui.bench.cleaning"


@dataclass(frozen=True, slots=True)
class Planned:
    untagged_seconds: float  # what no tag, index or subject reaches
    untagged: int
    mark_seconds: float  # which blobs are in use, and which are not
    manifests: int  # that were marked
    blobs: int  # that nothing uses
    peak: float  # MB


def say(site: Site, name: str) -> None:
    site.run(_MODULE, "say", name)


def plan(site: Site, name: str) -> Planned:
    told = json.loads(site.run(_MODULE, "plan", name).splitlines()[-1])
    if told.pop("note"):
        raise BenchError(f"A plan did not end well; {site.log} says more.")
    return Planned(**told)


def _say(name: str) -> None:
    from cleanup.models import SweepTerms
    from registries.models import Registry

    SweepTerms.objects.update_or_create(
        registry=Registry.objects.get(name=name), defaults={"processes": "one", "cache": "inmemory"}
    )


def _plan(name: str) -> None:
    from cleanup.sweeping import services as sweeps
    from cleanup.untagged import services as untagged
    from registries.models import Registry

    registry = Registry.objects.get(name=name)
    run, untagged_seconds, note = _timed(lambda: untagged.begin(registry, only_plan=True, here=True))
    sweep, mark_seconds, other_note = _timed(lambda: sweeps.begin(registry, only_plan=True, here=True))
    told = {
        "untagged_seconds": untagged_seconds,
        "untagged": run.items.count(),
        "mark_seconds": mark_seconds,
        "manifests": sweep.manifests,
        "blobs": sweep.found,
        "peak": _peak(),
        "note": note or other_note,
    }
    sys.stdout.write(json.dumps(told) + "\n")


def _timed(begin: Callable[[], tuple[Any, Any]]) -> tuple[Any, float, str]:
    from jobs import running

    row, job = begin()
    began = time.perf_counter()
    running.run(job.pk)
    seconds = time.perf_counter() - began
    job.refresh_from_db()
    row.refresh_from_db()
    return row, seconds, "" if job.state == "done" else job.message


def _peak() -> float:
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) * 1024 / 1e6 if found else 0.0


if __name__ == "__main__":
    import django

    django.setup()
    {"say": _say, "plan": _plan}[sys.argv[1]](*sys.argv[2:])
