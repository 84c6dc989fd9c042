"""The regular files of a gzip-compressed tar of a stranger, one after the other, in bounded time and memory.

POSIX "ustar" with the long names of GNU and of pax. `tarfile` would do more: it follows sparse maps, recurses from one
extended header into the next, and reads those by a pattern that takes quadratic time. Nothing is ever written to disk.
"""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING, Final, NamedTuple

from oci.errors import BadAnswer, TooLarge

if TYPE_CHECKING:
    from collections.abc import Iterator

_BLOCK: Final = 512  # bytes
_PIECE: Final = 64 * 2**10
_LONGEST_NAME: Final = 4_096  # bytes
_EXTENDED: Final = 64 * 2**10  # bytes of an extended header
_GZIP: Final = 31  # zlib's word for a gzip wrapper with the largest window
_OCTAL: Final = re.compile(rb"[0-7]*")
_REGULAR: Final = frozenset({b"0", b"\0", b"7"})


class Member(NamedTuple):
    """`name` is a plain relative path."""

    name: str
    content: bytes


def files(packed: bytes, *, most_bytes: int, most_entries: int, kept: int) -> Iterator[Member]:
    """Regular files with a name that leads nowhere outside, at most `kept` bytes of each.

    TooLarge beyond `most_bytes` unpacked or `most_entries` entries of any kind, BadAnswer for what is no such archive.
    """
    stream = _Stream(packed, most_bytes)
    long_name = ""
    for _ in range(most_entries):
        header = stream.take(_BLOCK)
        if not header.strip(b"\0"):
            return
        name, kind, size = _read(header)
        if kind in {b"L", b"x"}:
            extended = stream.take(size, most=_EXTENDED)
            long_name = _text(extended) if kind == b"L" else _pax_path(extended) or long_name
        elif kind in _REGULAR:
            path = _plain(long_name or name)
            content = stream.take(min(size, kept))
            stream.skip(size - len(content))
            if path:
                yield Member(path, content)
        else:  # a folder, a link, a device, a sparse file: its data, if any, is passed over
            stream.skip(size)
        if kind not in {b"L", b"x"}:
            long_name = ""
        stream.skip(-size % _BLOCK)
    raise TooLarge(f"the archive has more than {most_entries:,} entries")


class _Stream:
    """What the packed bytes hold, unpacked piece by piece."""

    def __init__(self, packed: bytes, most: int) -> None:
        self._packed, self._at, self._left = packed, 0, most
        self._unpacker = zlib.decompressobj(_GZIP)
        self._ready = bytearray()

    def take(self, count: int, *, most: int | None = None) -> bytes:
        """Exactly `count` bytes."""
        if most is not None and count > most:
            raise TooLarge(f"a header of the archive has more than {most:,} bytes")
        while len(self._ready) < count:
            self._ready += self._more()
        taken = bytes(self._ready[:count])
        del self._ready[:count]
        return taken

    def skip(self, count: int) -> None:
        while count > 0:
            count -= len(self.take(min(count, _PIECE)))

    def _more(self) -> bytes:
        try:
            piece = self._unpacker.unconsumed_tail or self._packed[self._at : self._at + _PIECE]
            if not self._unpacker.unconsumed_tail:
                self._at += len(piece)
            unpacked = self._unpacker.decompress(piece, _PIECE)
        except zlib.error as error:
            raise BadAnswer("the archive is no gzip") from error
        if not unpacked and (self._unpacker.eof or not piece):
            raise BadAnswer("the archive ends in the middle of a file")
        self._left -= len(unpacked)
        if self._left < 0:
            raise TooLarge("the archive holds more than Berth unpacks")
        return unpacked


def _read(header: bytes) -> tuple[str, bytes, int]:
    """Name, kind and bytes of an entry."""
    said = _number(header[148:156])
    if said != sum(header[:148]) + sum(header[156:]) + 8 * ord(" "):
        raise BadAnswer("the archive is no tar")
    prefix = _text(header[345:500]) if header[257:262] == b"ustar" and header[262:263] == b"\0" else ""
    name = _text(header[:100])
    return f"{prefix}/{name}" if prefix else name, header[156:157], _number(header[124:136])


def _number(field: bytes) -> int:
    digits = field.strip(b" \0")
    if not _OCTAL.fullmatch(digits):
        raise BadAnswer("the archive is no tar, or has a file that is larger than 8 GiB")
    return int(digits or b"0", 8)


def _text(field: bytes) -> str:
    return field.partition(b"\0")[0][:_LONGEST_NAME].decode(errors="replace")


def _pax_path(records: bytes) -> str:
    """The path among records of a length, a name and a value each (POSIX, pax)."""
    path = ""
    while records:
        length, _, _ = records[:20].partition(b" ")
        if not length.isdigit() or not 0 < int(length) <= len(records):
            return path
        record, records = records[: int(length)], records[int(length) :]
        name, _, value = record[len(length) + 1 :].partition(b"=")
        if name == b"path":
            path = _text(value.removesuffix(b"\n"))
    return path


def _plain(name: str) -> str:
    """`name` where it leads to a place below, else nothing."""
    path = name.removeprefix("./")
    parts = path.split("/")
    if not path or "\\" in path or "" in parts or "." in parts or ".." in parts or not path.isprintable():
        return ""
    return path
