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
    try:
        with tree.folder(path) as folder, os.scandir(folder.descriptor) as entries:
            for entry in entries:
                if _UUID.fullmatch(entry.name):
                    below = f"{path}/{entry.name}"
                    yield Upload(entry.name, _started_at(tree, below), _size(tree, below, faults))
                else:
                    faults.add(f"{path}/{entry.name}", "it is not the name of an upload")
    except OSError as error:
        if not is_absent(error):
            raise Unreadable(f"{shown(path)} cannot be listed: {why(error)}") from error


def _started_at(tree: Tree, path: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(tree.read(f"{path}/startedat", _DATE_LIMIT).decode())
    except (OSError, ValueError):
        return None
    return moment if moment.tzinfo else None


def _size(tree: Tree, path: str, faults: Faults) -> int:
    try:
        return tree.status(f"{path}/data").st_size
    except OSError as error:
        if not is_absent(error):  # nothing was sent yet, or it was just closed
            faults.add(f"{path}/data", why(error))
        return 0
