"""Runs one command: no shell, few variables, a deadline; what it prints is read as it comes and kept in bounds."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO, Final

from cleanup.classic.ways import Command
from jobs import leash
from oci.errors import printable

_LOOK: Final = 0.25  # seconds between two looks at whether it may go on
_CHUNK: Final = 2**16
_LINE: Final = 4096  # bytes that are read of one line
_SHOWN: Final = 300  # characters that are kept of one
_FIRST: Final = 40  # lines that are kept of the beginning
_LAST: Final = 120  # and of the end
_PATIENCE: Final = 1.0  # seconds for what it left running to close what it was given


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended: `exit_code` is negative where a signal killed it, None where the deadline did."""

    exit_code: int | None
    output: str

    @property
    def is_well(self) -> bool:
        return self.exit_code == 0


def run(
    command: Command,
    environment: Mapping[str, str],
    take: Callable[[bytes], None] = lambda _line: None,
    look: Callable[[], None] = lambda: None,
) -> Ended:
    """Run it to its end. `take` is given each line of its standard output.

    `look` is called several times a second: what it raises kills the command, and is raised here.
    """
    kept = Kept()
    with _started(command, environment) as process:
        is_in_time = _read(process, time.monotonic() + command.seconds, kept, take, look)
    return Ended(process.returncode if is_in_time else None, kept.text())


class Kept:
    """The first and the last lines of an output of any length, fit to show."""

    def __init__(self) -> None:
        self._first: list[bytes] = []
        self._last: deque[bytes] = deque(maxlen=_LAST)
        self._count = 0

    def add(self, line: bytes) -> None:
        self._count += 1
        if len(self._first) < _FIRST:
            self._first.append(line)
        else:
            self._last.append(line)

    def text(self) -> str:
        left_out = self._count - len(self._first) - len(self._last)
        gap = [f"… {left_out:,} lines …"] if left_out > 0 else []
        return "\n".join([*map(_shown, self._first), *gap, *map(_shown, self._last)])


class _Lines:
    """Cuts what comes into lines, of which no more than `_LINE` bytes are kept each."""

    def __init__(self, *takers: Callable[[bytes], None]) -> None:
        self._takers, self._rest, self._is_cut = takers, b"", False

    def feed(self, chunk: bytes) -> None:
        *lines, rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            self._give(line)
        if len(rest) > _LINE:
            self._give(rest)
            rest, self._is_cut = b"", True
        self._rest = rest

    def end(self) -> None:
        if self._rest:
            self._give(self._rest)

    def _give(self, line: bytes) -> None:
        if self._is_cut:  # the rest of one that was too long, which nobody needs
            self._is_cut = False
            return
        for take in self._takers:
            take(line[:_LINE])


def _read(
    process: subprocess.Popen[bytes],
    deadline: float,
    kept: Kept,
    take: Callable[[bytes], None],
    look: Callable[[], None],
) -> bool:
    """Whether it ended before the deadline."""
    out, errors = _Lines(kept.add, take), _Lines(kept.add)
    looked, ended = time.monotonic(), None
    with selectors.DefaultSelector() as selector:
        for stream, lines in ((process.stdout, out), (process.stderr, errors)):
            selector.register(_piped(stream), selectors.EVENT_READ, lines)
        while selector.get_map() or process.poll() is None:
            now = time.monotonic()
            if now - looked >= _LOOK:
                looked = now
                look()
            if ended is None and process.poll() is not None:
                ended = now
            if ended is not None and now - ended > _PATIENCE:
                break  # what it has left running holds its output open
            if ended is None and now > deadline:
                return False
            if not selector.get_map():
                time.sleep(_LOOK / 5)  # it has closed its output, and goes on
                continue
            for key, _ in selector.select(_LOOK):
                chunk = os.read(key.fd, _CHUNK)
                if chunk:
                    key.data.feed(chunk)
                else:
                    selector.unregister(key.fileobj)
    out.end()
    errors.end()
    return True


@contextmanager
def _started(command: Command, environment: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """On a leash, in a session of its own, reading nothing; what has not ended by itself is killed with its group."""
    leashed = [sys.executable, "-I", "-S", leash.__file__, str(os.getpid()), *command.argv]
    process = subprocess.Popen(  # noqa: S603  no shell, and the words are of whoever runs Berth
        leashed,
        env=dict(environment),
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for stream in (process.stdout, process.stderr):
            _piped(stream).close()


def _piped(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise AssertionError("it is piped")
    return stream


def _shown(line: bytes) -> str:
    return printable(line.decode(errors="replace"), _SHOWN)
