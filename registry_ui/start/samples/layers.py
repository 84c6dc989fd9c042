"""Layers: tar archives in gzip, the same bytes wherever they are made."""

from __future__ import annotations

import hashlib
import io
import struct
import tarfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

_STORED: Final = 65535  # bytes in a stored block of deflate, RFC 1951 3.2.4

# Path → content; a path that ends in "/" is a folder, content that begins with "→" a symbolic link.
Files = Mapping[str, bytes | str]


@dataclass(frozen=True, slots=True)
class Layer:
    content: bytes  # as pushed: gzip
    diff_id: str  # digest of the tar inside


def layer(files: Files, when: datetime) -> Layer:
    archive = _tar(files, int(when.timestamp()))
    return Layer(_gzip(archive), f"sha256:{hashlib.sha256(archive).hexdigest()}")


def whiteout(path: str) -> str:
    """The name that removes `path` of a lower layer (image-spec, "Whiteouts")."""
    folder, _, name = path.rpartition("/")
    return f"{folder}/.wh.{name}".lstrip("/")


def filler(name: str, size: int) -> bytes:
    """`size` bytes that no compressor makes smaller, always the same for one `name`."""
    return hashlib.shake_128(name.encode()).digest(size)


def _tar(files: Files, when: int) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for path, content in sorted(files.items()):
            entry = tarfile.TarInfo(path.rstrip("/"))
            entry.mtime, entry.uname, entry.gname = when, "root", "root"
            data = content.encode() if isinstance(content, str) else content
            if path.endswith("/"):
                entry.type, entry.mode, data = tarfile.DIRTYPE, 0o755, b""
            elif isinstance(content, str) and content.startswith("→"):
                entry.type, entry.mode, entry.linkname, data = tarfile.SYMTYPE, 0o777, content[1:], b""
            else:
                entry.mode = 0o755 if "bin/" in path else 0o644
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def _gzip(content: bytes) -> bytes:
    """RFC 1952 with stored blocks: compressors differ from one zlib to the next, and digests with them."""
    blocks = [content[at : at + _STORED] for at in range(0, len(content), _STORED)]
    body = b"".join(
        struct.pack("<BHH", number == len(blocks) - 1, len(block), len(block) ^ 0xFFFF) + block
        for number, block in enumerate(blocks)
    )
    return b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + body + struct.pack("<II", zlib.crc32(content), len(content))
