"""What an administrator might write: restarts a registry, read-only or not. Standard library alone.

    switch.py FOLDER read-only|open|ended

FOLDER/program names the registry's program, FOLDER/config.yml is its configuration, FOLDER/pid is of the one that runs.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

_READ_ONLY = {"REGISTRY_STORAGE_MAINTENANCE_READONLY": '{"enabled":true}'}


def end(folder: Path) -> None:
    pid = folder / "pid"
    if not pid.exists():
        return
    number = int(pid.read_text())
    with suppress(ProcessLookupError):
        os.kill(number, signal.SIGKILL)
    while _lives(number):
        time.sleep(0.01)
    pid.unlink()


def start(folder: Path, variables: dict[str, str]) -> None:
    process = subprocess.Popen(
        [(folder / "program").read_text(), "serve", str(folder / "config.yml")],
        env={"PATH": os.environ["PATH"], "OTEL_TRACES_EXPORTER": "none", **variables},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    (folder / "pid").write_text(str(process.pid))


def _lives(number: int) -> bool:
    with suppress(ChildProcessError):
        os.waitpid(number, os.WNOHANG)
    try:
        return " Z " not in Path(f"/proc/{number}/stat").read_text()
    except OSError:
        return False


def main() -> None:
    folder, mode = Path(sys.argv[1]), sys.argv[2]
    end(folder)
    if mode != "ended":
        start(folder, _READ_ONLY if mode == "read-only" else {})
    print(f"the registry is {mode}")  # noqa: T201


if __name__ == "__main__":
    main()
