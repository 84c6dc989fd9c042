"""A process that reads a storage folder while this one writes the catalog, since each computes one thing at a time."""

from __future__ import annotations

import logging
import pickle
import subprocess
import sys
from collections.abc import Container, Generator, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import IO, Final, cast

from catalog.scanning import reader
from oci.names import RepositoryName
from oci.storage import StorageFolder

_PROGRAM: Final = "catalog.scanning.reader"
_ROOT: Final = Path(__file__).resolve().parents[2]
_HEARD: Final = 65_536  # bytes that a pipe holds
_BROKEN: Final = (EOFError, OSError, pickle.UnpicklingError)

log = logging.getLogger(__name__)


class Beside:
    """Where the process cannot be had, or dies, the folder is read here. Threads may share it, in turns."""

    def __init__(self, folder: StorageFolder) -> None:
        self._folder = folder
        self._talking = Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._is_wanted = True

    def look(
        self, repository: RepositoryName, digests: Sequence[str], known: Container[str]
    ) -> Generator[reader.Answer]:
        """As `reader.read`."""
        heard = 0
        with self._talking:
            try:
                for answer in self._answers(repository, digests, known):
                    heard += 1
                    yield answer
            except _BROKEN:
                self._give_up()
        yield from reader.read(self._folder, repository, digests[heard:], known)

    def close(self) -> None:
        self._is_wanted = False
        if (process := self._process) is not None:
            process.kill()  # it only reads; whoever hears it is done at once
        with self._talking:
            self._end()

    def _answers(
        self, repository: RepositoryName, digests: Sequence[str], known: Container[str]
    ) -> Iterator[reader.Answer]:
        if not self._is_wanted:
            return
        process = self._process = self._process or self._started()
        to, of = cast("IO[bytes]", process.stdin), cast("IO[bytes]", process.stdout)
        asked = frozenset(digest for digest in digests if digest in known)
        _send(reader.Request(repository, list(digests), asked), to)
        for place in range(len(digests)):
            answer: reader.Answer = pickle.load(of)  # noqa: S301  of our child
            try:
                yield answer
            except GeneratorExit:
                for _ in digests[place + 1 :]:  # nobody wants them any more
                    pickle.load(of)  # noqa: S301
                raise

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
