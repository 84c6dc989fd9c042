"""The registry programs of this machine: Debian's 2.8, fetched where it is missing as `./run` does, and perhaps a 3."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import redirect_stdout

from registry_ui.bench.errors import BenchError
from registry_ui.start import options, registry
from registry_ui.start.errors import StartError
from registry_ui.start.journal import Console
from registry_ui.start.supervisor import Supervisor


def of_2() -> str:
    """Raises BenchError, with the cure, where there is none and none can be fetched."""
    if found := shutil.which("docker-registry"):
        return found
    if (found := shutil.which("registry")) and " v2." in _version(found):
        return found
    return _fetched()


def of_3() -> str | None:
    """BERTH_TEST_REGISTRY_V3 may name it."""
    found = os.environ.get("BERTH_TEST_REGISTRY_V3") or shutil.which("registry")
    return found if found and " v3." in _version(found) else None


def _fetched() -> str:
    console = Console("text", verbose=False)
    try:
        told = options.parse([])
        # What a start says to people would be no JSON.
        with redirect_stdout(sys.stderr), Supervisor(console, told.data / "logs") as supervisor:
            return registry.program(told, supervisor, console)
    except StartError as error:
        raise BenchError(str(error)) from error


def _version(program: str) -> str:
    return subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603
