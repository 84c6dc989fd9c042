"""A worker like Berth's own, and a kind of job that waits for a file: `python -m tests.jobs.slow_worker`."""

from __future__ import annotations

import os
import runpy
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from jobs import kinds

if TYPE_CHECKING:
    from jobs.running import Lease


def slow(_: Lease) -> str:
    """It neither tells progress nor looks at its lease: the hardest to interrupt."""
    folder = Path(os.environ["BERTH_DATA"])
    (folder / "begun").touch()
    while not (folder / "go").exists():
        time.sleep(600)
    return "All is well."


if __name__ == "__main__":
    kinds.register("slow", slow)
    sys.argv[1:] = ["jobs,soon", "2"]
    runpy.run_module("registry_ui.start.worker", run_name="__main__")
