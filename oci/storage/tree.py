"""A folder and what is inside of it: files are read and folders listed, and whatever leads out of it is odd."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

from oci.storage import beneath
from oci.storage.faults import Odd

_TYPE: Final = 0o170000
_REGULAR: Final = 0o100000
_NO_FILE: Final = "something else stands where a file should be"


class OpenFolder(NamedTuple):
    path: str
    descriptor: int

    @property
    def names(self) -> list[str]:
        return os.listdir(self.descriptor)  # noqa: PTH208  an open folder, whatever its path leads to by now


class Tree:
    """`root` is where it really is. Paths are below it, without a slash in front, and ASCII; errors are OSErrors."""

    def __init__(self, root: str) -> None:
        self.root = os.path.realpath(root)
        self._inside = self.root.rstrip("/") + "/"
        self._prefix = os.fsencode(self._inside)

    def read(self, path: str, limit: int) -> bytes:
        """The whole file; Odd with EFBIG when it has more than `limit` bytes."""
        descriptor = self.open_file(path)
        try:
            return read_regular(descriptor, limit)[0]
        finally:
            os.close(descriptor)

    def status(self, path: str) -> os.stat_result:
        """Of a file."""
        descriptor = self.open_file(path)
        try:
            status = os.fstat(descriptor)
            if status.st_mode & _TYPE != _REGULAR:
                raise Odd(errno.EINVAL, _NO_FILE)
            return status
        finally:
            os.close(descriptor)

    def open_file(self, path: str) -> int:
        return self._open(path, beneath.open_file)

    @contextmanager
    def folder(self, path: str) -> Iterator[OpenFolder]:
        descriptor = self._open(path, beneath.open_folder)
        try:
            yield OpenFolder(path, descriptor)
        finally:
            os.close(descriptor)

    def identity(self, path: str) -> tuple[int, int] | None:
        """What makes a folder the same one as before; None when there is none."""
        try:
            with self.folder(path) as folder:
                status = os.fstat(folder.descriptor)
        except FileNotFoundError:
            return None
        return status.st_dev, status.st_ino

    def resolve(self, path: str) -> str:
        """Where a path with links in it really is, below the root; Odd when that is elsewhere."""
        real = os.path.realpath(self._inside + path)
        if not f"{real}/".startswith(self._inside):
            raise Odd(errno.ELOOP, "a link leads out of the storage folder")
        return os.path.realpath(real, strict=True)[len(self._inside) :]  # it leads in a circle, or nowhere

    def _open(self, path: str, open_plain: beneath.OpenPlain) -> int:
        try:
            return open_plain(self._prefix + path.encode(), beneath.NOWHERE)
        except OSError as error:
            if error.errno != errno.ELOOP:
                raise
        return open_plain(os.fsencode(self._inside + self.resolve(path)), beneath.NOWHERE)


def read_regular(descriptor: int, limit: int) -> tuple[bytes, os.stat_result]:
    """At most `limit` bytes of an open file, to its end."""
    status = os.fstat(descriptor)
    if status.st_mode & _TYPE != _REGULAR:
        raise Odd(errno.EINVAL, _NO_FILE)
    if status.st_size > limit:
        raise Odd(errno.EFBIG, f"it has more than {limit:,} bytes")
    content = os.read(descriptor, status.st_size + 1)
    if len(content) != status.st_size:  # somebody is writing it, or the read was cut short
        content = _read_on(descriptor, content, limit)
    return content, status


def _read_on(descriptor: int, content: bytes, limit: int) -> bytes:
    while more := os.read(descriptor, limit + 1 - len(content)):
        content += more
        if len(content) > limit:
            raise Odd(errno.EFBIG, f"it has more than {limit:,} bytes")
    return content
