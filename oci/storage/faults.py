"""What is wrong with a storage folder: errors that end a question, and facts that were found on the way."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from threading import Lock
from typing import Final, NamedTuple

from oci.errors import RegistryError, printable

MOST_KEPT: Final = 1_000
_SHOWN: Final = 300  # characters of a path
_ABSENT: Final = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG})
_WORDS: Final = {
    errno.ENOENT: "it is not there",
    errno.ENOTDIR: "something else stands where a folder should be",
    errno.EACCES: "it may not be read",
    errno.EPERM: "it may not be read",
    errno.ELOOP: "a link that leads in a circle",
}


class StorageFault(RegistryError):  # noqa: N818  read with its module, as those of oci.errors
    """The folder cannot be used: it is missing, may not be read, or is no registry's."""

    code = "storage"


class Unreadable(StorageFault):
    """One place in the folder cannot be read, so what it holds is not known."""

    code = "storage-unreadable"


class Odd(OSError):  # noqa: N818  what it is, not what it is called
    """Something that no registry would have put there; `strerror` is the sentence on it."""


class Fault(NamedTuple):
    """What stands at `path` (below the root, printable) was left out, and why."""

    path: str
    reason: str


class Faults:
    """All are counted, the first thousand kept; threads may share it."""

    def __init__(self) -> None:
        self.count = 0
        self._kept: list[Fault] = []
        self._lock = Lock()

    def add(self, path: str, reason: str) -> None:
        with self._lock:
            self.count += 1
            if len(self._kept) < MOST_KEPT:
                self._kept.append(Fault(shown(path), reason))

    def __iter__(self) -> Iterator[Fault]:
        return iter(tuple(self._kept))

    def __len__(self) -> int:
        return self.count

    def __reduce__(self) -> tuple[type[Faults], tuple[()]]:
        """A copy for another process begins with none."""
        return Faults, ()


def shown(path: str) -> str:
    """A path as text that can be shown and stored, whatever bytes it is made of."""
    return printable(os.fsencode(path).decode(errors="backslashreplace"), _SHOWN)


def is_absent(error: OSError) -> bool:
    return error.errno in _ABSENT


def why(error: OSError) -> str:
    """A sentence that names no path: the caller knows it."""
    if isinstance(error, Odd):
        return str(error.strerror)
    return _WORDS.get(error.errno or 0) or os.strerror(error.errno or 0).lower()
