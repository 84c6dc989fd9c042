"""Where words go: ours to the terminal, a child's to a log of bounded size, and to the terminal on demand."""

from __future__ import annotations

import logging
import sys
import threading
from collections import deque
from contextlib import closing
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import IO, Final, TextIO

from registry_ui.logs import redact
from registry_ui.start import lines

_LOG_BYTES: Final = 1 << 20  # then the file becomes NAME.log.1 and a new one begins
_LINE_BYTES: Final = 1 << 16
_TAIL_LINES: Final = 12


class Console:
    """Standard output, shared by the supervisor and the threads that read its children.

    Text: our own lines, and those of the children only when `verbose`. JSON: every line, as an object.
    """

    def __init__(self, style: str, *, verbose: bool) -> None:
        self.is_json = style == "json"
        self.shows_children = verbose or self.is_json
        self._lock = threading.Lock()

    def say(self, line: str, level: str = "info") -> None:
        self._write(sys.stdout, self._formatted(line, level))

    def warn(self, line: str) -> None:
        self.say(line, "warning")

    def complain(self, text: str) -> None:
        """Why it ends, on standard error; one object also where it has several lines."""
        self._write(sys.stderr, self._formatted(text, "error") if self.is_json else f"berth: {text}")

    def relay(self, name: str, line: str) -> None:
        """What the child `name` said; in JSON style it is an object already."""
        if self.shows_children:
            self._write(sys.stdout, line if self.is_json else f"{name:<8} | {line}")

    def _formatted(self, text: str, level: str) -> str:
        return lines.dump(lines.as_object("berth", text, level)) if self.is_json else text

    def _write(self, stream: TextIO, line: str) -> None:
        with self._lock:
            try:
                stream.write(f"{line}\n")
                stream.flush()
            except OSError:
                pass  # the terminal or the pipe is gone: no reason to fall over


class Journal:
    """The log of one child, DATA/logs/NAME.log in the style of the console, and the last lines of its last run at hand.

    `level` is that of lines which say none; a line with `noise` in it is ours to know, and goes nowhere.
    """

    def __init__(self, name: str, folder: Path, console: Console, *, level: str = "info", noise: str = "") -> None:
        self.name, self.path = name, folder / f"{name}.log"
        self._console, self._level, self._noise = console, level, noise
        self._tail: deque[str] = deque(maxlen=_TAIL_LINES)

    @property
    def tail(self) -> list[str]:
        return [line for line in self._tail if line.strip()]

    def follow(self, stream: IO[bytes]) -> threading.Thread:
        """Read `stream` to its end in a thread of its own, which is returned."""
        tail = self._tail = deque[str](maxlen=_TAIL_LINES)
        reader = threading.Thread(target=self._read, args=(stream, tail), name=f"log of {self.name}", daemon=True)
        reader.start()
        return reader

    def _read(self, stream: IO[bytes], tail: deque[str]) -> None:
        log = RotatingFileHandler(self.path, maxBytes=_LOG_BYTES, backupCount=1, encoding="utf-8")
        with stream, closing(log):
            while raw := stream.readline(_LINE_BYTES):
                line = redact(raw.decode(errors="replace").rstrip())
                if self._noise and self._noise in line:
                    continue
                if not self._console.is_json:
                    tail.append(line)
                elif line:
                    said = lines.as_object(self.name, line, self._level)
                    tail.extend(said["message"].splitlines())
                    line = lines.dump(said)
                else:
                    continue
                self._console.relay(self.name, line)
                log.emit(logging.makeLogRecord({"msg": line}))
