"""Real processes for the tests of the start and of benches, and how to look at what is left of them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PYTHON = (sys.executable, "-S", "-c")
SLEEPER = (*PYTHON, "import time; time.sleep(600)")


def eventually(true: Callable[[], bool], seconds: float = 20.0) -> bool:
    """Whether `true()` comes true in time."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def alive(marker: str) -> list[int]:
    """Processes whose environment names `marker`; a zombie runs no more."""
    wanted = f"BERTH_TEST_MARKER={marker}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        try:
            other = entry.name.isdecimal() and int(entry.name) != os.getpid()
            if other and wanted in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
        except OSError:
            continue  # it has just ended
    return found


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def bench(*words: str) -> subprocess.CompletedProcess[str]:
    """`./run bench` to its end."""
    command = [sys.executable, "-m", "registry_ui.bench", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=180, check=False)
