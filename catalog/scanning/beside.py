"""A process that reads a storage folder while this one writes the catalog, since each computes one thing at a time."""

from __future__ import annotations

import logging
import pickle
import subprocess
import sys
from collections.abc import Container, Generator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from threading import Lock
from typing import IO, Final, cast

from catalog.recording.records import ManifestRecord
from catalog.scanning import reader
from oci.names import RepositoryName
from oci.storage import StorageFolder

_PROGRAM: Final = "catalog.scanning.reader"
_ROOT: Final = Path(__file__).resolve().parents[2]
_HEARD: Final = 65_536  # bytes that a pipe holds
_AT_ONCE: Final = 64  # manifests that are asked for in a row
_HEAVY: Final = 65_536  # bytes of one; then the next is asked for when it is wanted, since it may not be
_BROKEN: Final = (EOFError, OSError, pickle.UnpicklingError)

log = logging.getLogger(__name__)


class Beside:
    """Where the process cannot be had, or dies, the folder is read here. Threads may share it, in turns."""

    def __init__(self, folder: StorageFolder) -> None:
        self._folder = folder
        self._talking = Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._is_wanted = True
        self._at_once = _AT_ONCE

    def look(
        self, repository: RepositoryName, digests: Sequence[str], known: Container[str]
    ) -> Generator[reader.Answer]:
        """As `reader.read`."""
        heard = 0
        with self._talking:
            try:
                with closing(self._answers(repository, digests, known)) as answers:
                    for answer in answers:
                        heard += 1
                        yield answer
            except _BROKEN:
                self._give_up()
            except Exception:  # what it has not heard would be taken for the answers to what is asked next
                self._end()
                raise
        yield from reader.read(self._folder, repository, digests[heard:], known)

    def close(self) -> None:
        self._is_wanted = False
        if (process := self._process) is not None:
            process.kill()  # it only reads; whoever hears it is done at once
        with self._talking:
            self._end()

    def _answers(
        self, repository: RepositoryName, digests: Sequence[str], known: Container[str]
    ) -> Generator[reader.Answer]:
        """All of them, or none where the process is not wanted."""
        place = 0
        while self._is_wanted and place < len(digests):
            asked = list(digests[place : place + self._at_once])
            place += len(asked)
            process = self._process = self._process or self._started()
            request = reader.Request(repository, asked, frozenset(digest for digest in asked if digest in known))
            _send(request, cast("IO[bytes]", process.stdin))
            yield from self._heard(cast("IO[bytes]", process.stdout), len(asked))

    def _heard(self, of: IO[bytes], count: int) -> Generator[reader.Answer]:
        for left in reversed(range(count)):
            answer: reader.Answer = pickle.load(of)  # noqa: S301  of our child
            is_heavy = isinstance(answer, ManifestRecord) and answer.weight > _HEAVY
            self._at_once = 1 if is_heavy else _AT_ONCE
            try:
                yield answer
            except GeneratorExit:
                self._forget(of, left)
                raise

    def _forget(self, of: IO[bytes], left: int) -> None:
        """Answers that nobody wants any more."""
        try:
            for _ in range(left):
                pickle.load(of)  # noqa: S301
        except _BROKEN:
            self._give_up()

    def _started(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(  # noqa: S603  no shell, and the words are ours
            [sys.executable, "-m", _PROGRAM],
            bufsize=_HEARD,
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._process = process  # also when it does not listen: it has to be ended
        _send(self._folder, cast("IO[bytes]", process.stdin))
        return process

    def _give_up(self) -> None:
        if self._is_wanted:
            log.warning("The process that reads the storage folder has ended; this one reads it from here on.")
        self._is_wanted = False
        self._end()

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            with suppress(OSError):  # what was not sent is nobody's any more
                cast("IO[bytes]", pipe).close()


def _send(message: StorageFolder | reader.Request, to: IO[bytes]) -> None:
    pickle.dump(message, to, pickle.HIGHEST_PROTOCOL)
    to.flush()
