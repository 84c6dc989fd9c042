"""Child processes of a bench: on a leash, so that none outlives it, and with a log to complain from."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Final

from jobs import leash
from registry_ui.bench.errors import BenchError

_ROOT: Final = Path(__file__).resolve().parents[2]
_PATIENCE: Final = 60.0  # seconds until what was started is ready
_GRACE: Final = 10.0  # and until what was asked to end has ended
_TAIL: Final = 2000


def spawn(
    argv: Sequence[str], environment: Mapping[str, str], *, stdout: IO[bytes] | int, stderr: IO[bytes]
) -> subprocess.Popen[bytes]:
    """Start `argv` in the folder of the project; its standard input is a pipe."""
    return subprocess.Popen(  # noqa: S603  no shell, and the words are ours
        [sys.executable, "-I", "-S", leash.__file__, str(os.getpid()), *argv],
        env=dict(environment),
        cwd=_ROOT,
        stdin=subprocess.PIPE,
        stdout=stdout,
        stderr=stderr,
    )


@contextmanager
def serving(
    argv: Sequence[str], environment: Mapping[str, str], ready: Callable[[], bool], output: Path, log: Path
) -> Iterator[None]:
    """A server, from when it is ready; `output` and `log` are what it prints, both added to."""
    with output.open("ab") as out, log.open("ab") as err:
        process = spawn(argv, environment, stdout=out, stderr=err)
    try:
        deadline = time.monotonic() + _PATIENCE
        while not ready():
            if process.poll() is not None or time.monotonic() > deadline:
                raise BenchError(f"{Path(argv[0]).name} did not start:\n{last_words(log)}")
            time.sleep(0.02)
        yield
    finally:
        end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    if process.stdin:
        with suppress(BrokenPipeError):
            process.stdin.close()
    try:
        process.wait(_GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout:
        process.stdout.close()


def last_words(log: Path) -> str:
    return log.read_text(errors="replace")[-_TAIL:].strip()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port
