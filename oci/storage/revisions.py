"""The manifests that a repository links, tagged or not, with what is odd about any of them."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator
from typing import Final, NamedTuple

from oci.storage.faults import Unreadable, is_absent, shown, why
from oci.storage.links import ALGORITHMS, DIGEST, read_link, said_instead
from oci.storage.tree import OpenFolder, Tree

_FRESH: Final = 2 * 10**9  # nanoseconds
_CANONICAL: Final = "sha256"  # under which all data are kept, however they were pushed
_PLAIN_LENGTH: Final = len("sha256:") + 64  # bytes
_PAUSE: Final = 0.005  # seconds


class RevisionLink(NamedTuple):
    """`problem` says why nobody knows what it stands for, "" where that is plain.

    `linked_ns` is when the manifest was last pushed, in nanoseconds since 1970.
    """

    digest: str
    linked_ns: int = 0
    problem: str = ""


def read_revisions(tree: Tree, path: str) -> Iterator[RevisionLink]:
    """Of all links in `path`/ALGORITHM/HEX; Unreadable when one of the folders cannot be listed.

    What was deleted leaves a folder without a link, and is left out.
    """
    for algorithm, grammar in ALGORITHMS.items():
        try:
            with tree.folder(f"{path}/{algorithm}") as folder, os.scandir(folder.descriptor) as entries:
                for entry in entries:
                    if not grammar.fullmatch(entry.name):
                        yield RevisionLink(f"{algorithm}:{shown(entry.name)}", problem="it is not the name of a digest")
                    elif (
                        link := _plain(folder, entry, algorithm) or _link(tree, folder, entry, algorithm)
                    ) is not None:
                        yield link
        except OSError as error:
            if not is_absent(error):
                raise Unreadable(f"{shown(path)} cannot be listed: {why(error)}") from error


def _plain(folder: OpenFolder, entry: os.DirEntry[str], algorithm: str) -> RevisionLink | None:
    """One that by its size holds its own digest, as nearly all do, is not read; None for any other."""
    if algorithm != _CANONICAL or entry.is_symlink():
        return None
    try:
        status = os.stat(f"{entry.name}/link", dir_fd=folder.descriptor, follow_symlinks=False)
    except OSError:
        return None
    if not stat.S_ISREG(status.st_mode) or status.st_size != _PLAIN_LENGTH:
        return None
    return RevisionLink(f"{algorithm}:{entry.name}", status.st_mtime_ns)


def _link(tree: Tree, folder: OpenFolder, entry: os.DirEntry[str], algorithm: str) -> RevisionLink | None:
    """None where it is plainly not there. 2.8 empties a link before it writes it: that is read once more."""
    hex_, digest = entry.name, f"{algorithm}:{entry.name}"
    try:
        content, status = read_link(tree, folder, f"{hex_}/link")
        if not content and 0 <= time.time_ns() - status.st_mtime_ns < _FRESH:
            time.sleep(_PAUSE)
            content, status = read_link(tree, folder, f"{hex_}/link")
    except OSError as error:
        return None if is_absent(error) else RevisionLink(digest, problem=f"its link cannot be read: {why(error)}")
    if not DIGEST.fullmatch(content):
        return RevisionLink(digest, status.st_mtime_ns, said_instead(content))
    # What was pushed under its sha512 is kept under its sha256: tags and indexes may name it by either.
    problem = "" if content.decode() == digest else "its link names another digest"
    return RevisionLink(digest, status.st_mtime_ns, problem)
