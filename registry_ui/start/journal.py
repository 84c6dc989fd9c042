"""Where words go: ours to the terminal, a child's to a log of bounded size, and to the terminal on demand."""

from __future__ import annotations

import json
import logging
import sys
import threading
from collections import deque
from contextlib import closing
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import IO, Final

from registry_ui.logs import redact

_LOG_BYTES: Final = 1 << 20  # then the file becomes NAME.log.1 and a new one begins
_LINE_BYTES: Final = 1 << 16
_TAIL_LINES: Final = 12


class Console:
    """Standard output, shared by the supervisor and the threads that read its children.

    Text: our own lines, and those of the children only when `verbose`. JSON: every line, as an object.
    """

    def __init__(self, style: str, *, verbose: bool) -> None:
        self._json = style == "json"
        self._children = verbose or self._json
        self._lock = threading.Lock()

    def say(self, line: str) -> None:
        self._write(_as_json("berth", line) if self._json else line)

    def relay(self, name: str, line: str) -> None:
        """What the child `name` said."""
        if self._children:
            self._write(_as_json(name, line) if self._json else f"{name:<8} | {line}")

    def _write(self, line: str) -> None:
        with self._lock:
            try:
                sys.stdout.write(f"{line}\n")
                sys.stdout.flush()
            except OSError:
                pass  # the terminal or the pipe is gone: no reason to fall over


class Journal:
    """The log of one child: DATA/logs/NAME.log, and its last lines at hand."""

    def __init__(self, name: str, folder: Path, console: Console) -> None:
        self.name, self.path = name, folder / f"{name}.log"
        self._console = console
        self._tail: deque[str] = deque(maxlen=_TAIL_LINES)

    @property
    def tail(self) -> list[str]:
        return [line for line in self._tail if line.strip()]

    def follow(self, stream: IO[bytes]) -> threading.Thread:
        """Read `stream` to its end in a thread of its own, which is returned."""
        reader = threading.Thread(target=self._read, args=(stream,), name=f"log of {self.name}", daemon=True)
        reader.start()
        return reader

    def _read(self, stream: IO[bytes]) -> None:
        log = RotatingFileHandler(self.path, maxBytes=_LOG_BYTES, backupCount=1, encoding="utf-8")
        with stream, closing(log):
            while raw := stream.readline(_LINE_BYTES):
                line = redact(raw.decode(errors="replace").rstrip())
                self._tail.append(line)
                self._console.relay(self.name, line)
                log.emit(logging.makeLogRecord({"msg": line}))


def _as_json(name: str, line: str) -> str:
    """`line` itself when it is a JSON object already."""
    if line.startswith("{"):
        try:
            json.loads(line)
        except ValueError:
            pass
        else:
            return line
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    return json.dumps({"time": now, "level": "info", "logger": name, "message": line}, ensure_ascii=False)
