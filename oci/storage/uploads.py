"""Uploads that are under way, or were left: what people push and nobody has closed."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Final, NamedTuple

from oci.errors import InvalidName
from oci.storage.faults import Faults, Unreadable, is_absent, shown, why
from oci.storage.tree import Tree

_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_DATE_LIMIT: Final = 64  # bytes


class Upload(NamedTuple):
    """`size` is what arrived so far; `started_at` is None where the registry's note of it cannot be read.

    `touched_ns` is when anything of it was last written, in nanoseconds since 1970.
    """

    uuid: str
    started_at: datetime | None
    size: int
    touched_ns: int = 0


def parse_uuid(text: str) -> str:
    if not _UUID.fullmatch(text):
        raise InvalidName("upload", text)
    return text


def read_uploads(tree: Tree, path: str, faults: Faults) -> Iterator[Upload]:
    """Those that are open: of a cancelled one an empty folder stays."""
    try:
        with tree.folder(path) as folder, os.scandir(folder.descriptor) as entries:
            for entry in entries:
                if not _UUID.fullmatch(entry.name):
                    faults.add(f"{path}/{entry.name}", "it is not the name of an upload")
                elif (upload := _upload(tree, f"{path}/{entry.name}", entry.name, faults)) is not None:
                    yield upload
    except OSError as error:
        if not is_absent(error):
            raise Unreadable(f"{shown(path)} cannot be listed: {why(error)}") from error


def _upload(tree: Tree, path: str, uuid: str, faults: Faults) -> Upload | None:
    started_at = _started_at(tree, path)
    try:
        data = tree.status(f"{path}/data")
    except OSError as error:
        if not is_absent(error):
            faults.add(f"{path}/data", why(error))
        return Upload(uuid, started_at, 0, _touched_ns(tree, path)) if started_at else None
    return Upload(uuid, started_at, data.st_size, max(data.st_mtime_ns, _touched_ns(tree, path)))


def _touched_ns(tree: Tree, path: str) -> int:
    """Of the folder itself: when something came into it, or went."""
    try:
        with tree.folder(path) as folder:
            return os.fstat(folder.descriptor).st_mtime_ns
    except OSError as error:
        if not is_absent(error):
            raise
        return 0


def _started_at(tree: Tree, path: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(tree.read(f"{path}/startedat", _DATE_LIMIT).decode())
    except (OSError, ValueError):
        return None
    return moment if moment.tzinfo else None
