"""Every blob on disk with its size, whichever repositories have it."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from oci.storage.faults import Faults, Unreadable, is_absent, shown, why
from oci.storage.links import ALGORITHMS
from oci.storage.tree import OpenFolder, Tree

_PREFIX_LENGTH: Final = 2
_HEX_DIGITS: Final = frozenset("0123456789abcdef")


class BlobFile(NamedTuple):
    """The data of a blob: how many bytes, and when they were written, in nanoseconds since 1970."""

    digest: str
    size: int
    written_ns: int


def read_blobs(
    tree: Tree, path: str, faults: Faults, leaves_out: Callable[[str], bool] = lambda _: False
) -> Iterator[BlobFile]:
    """All but those of which the digest is one that `leaves_out` says yes to: they are not looked at."""
    for algorithm in ALGORITHMS:
        for prefix in _prefixes(tree, f"{path}/{algorithm}", faults):
            yield from _blobs(tree, f"{path}/{algorithm}/{prefix}", algorithm, faults, leaves_out)


def _prefixes(tree: Tree, path: str, faults: Faults) -> list[str]:
    prefixes = []
    try:
        with tree.folder(path) as folder, os.scandir(folder.descriptor) as entries:
            for entry in entries:
                if len(entry.name) == _PREFIX_LENGTH and _HEX_DIGITS.issuperset(entry.name):
                    prefixes.append(entry.name)
                else:
                    faults.add(f"{path}/{entry.name}", "it is no part of a digest")
    except OSError as error:
        if not is_absent(error):
            raise Unreadable(f"{shown(path)} cannot be listed: {why(error)}") from error
    return prefixes


def _blobs(
    tree: Tree, path: str, algorithm: str, faults: Faults, leaves_out: Callable[[str], bool]
) -> Iterator[BlobFile]:
    grammar, prefix = ALGORITHMS[algorithm], path[-_PREFIX_LENGTH:]
    try:
        with tree.folder(path) as folder, os.scandir(folder.descriptor) as entries:
            for entry in entries:
                hex_ = entry.name
                if not grammar.fullmatch(hex_) or not hex_.startswith(prefix):
                    faults.add(f"{path}/{hex_}", "it is not the name of a digest, or not in its place")
                    continue
                if leaves_out(digest := f"{algorithm}:{hex_}"):
                    continue
                try:
                    status = _status(tree, folder, entry)
                except OSError as error:
                    faults.add(f"{path}/{hex_}", f"its data cannot be read: {why(error)}")
                else:
                    yield BlobFile(digest, status.st_size, status.st_mtime_ns)
    except OSError as error:
        if not is_absent(error):
            raise Unreadable(f"{shown(path)} cannot be listed: {why(error)}") from error


def _status(tree: Tree, folder: OpenFolder, entry: os.DirEntry[str]) -> os.stat_result:
    path = f"{entry.name}/data"
    if not entry.is_symlink():
        status = os.stat(path, dir_fd=folder.descriptor, follow_symlinks=False)
        if stat.S_ISREG(status.st_mode):
            return status
    return tree.status(f"{folder.path}/{path}")
