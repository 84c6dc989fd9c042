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
    """`size` is what arrived so far; `started_at` is None where the registry's note of it cannot be read."""

    uuid: str
    started_at: datetime | None
    size: int


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
        return Upload(uuid, started_at, tree.status(f"{path}/data").st_size)
    except OSError as error:
        if not is_absent(error):
            faults.add(f"{path}/data", why(error))
        return Upload(uuid, started_at, 0) if started_at else None


def _started_at(tree: Tree, path: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(tree.read(f"{path}/startedat", _DATE_LIMIT).decode())
    except (OSError, ValueError):
        return None
    return moment if moment.tzinfo else None
