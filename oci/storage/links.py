"""The small files that hold a digest and nothing else, by which a repository names what it has."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from typing import Final

from oci.storage import beneath
from oci.storage.faults import Faults, Unreadable, is_absent, shown, why
from oci.storage.tree import OpenFolder, Tree, read_regular

DIGEST: Final = re.compile(rb"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
ALGORITHMS: Final = {"sha256": re.compile("[0-9a-f]{64}"), "sha512": re.compile("[0-9a-f]{128}")}
LINK_LIMIT: Final = 256  # bytes; a sha512 digest has 135


def read_link(tree: Tree, folder: OpenFolder, path: str) -> tuple[bytes, os.stat_result]:
    """What stands in the link `path` of an open folder, digest or not."""
    try:
        opened = beneath.open_file(path.encode(), folder.descriptor)
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        opened = tree.open_file(f"{folder.path}/{path}")
    try:
        return read_regular(opened, LINK_LIMIT)
    finally:
        os.close(opened)


def said_instead(content: bytes) -> str:
    return "its link holds no digest" if content else "its link is empty"


def read_digests(tree: Tree, path: str, faults: Faults) -> Iterator[str]:
    """The digests of all links in `path`/ALGORITHM/HEX; what was deleted leaves a folder without a link."""
    for algorithm, grammar in ALGORITHMS.items():
        try:
            with tree.folder(f"{path}/{algorithm}") as folder, os.scandir(folder.descriptor) as entries:
                for entry in entries:
                    if not grammar.fullmatch(entry.name):
                        faults.add(f"{folder.path}/{entry.name}", "it is not the name of a digest")
                    elif reason := _objection(tree, folder, entry.name, algorithm):
                        faults.add(f"{folder.path}/{entry.name}", reason)
                    elif reason is None:
                        yield f"{algorithm}:{entry.name}"
        except OSError as error:
            if not is_absent(error):
                raise Unreadable(f"{shown(path)} cannot be listed: {why(error)}") from error


def _objection(tree: Tree, folder: OpenFolder, hex_: str, algorithm: str) -> str | None:
    """Why the link does not count, "" when it is plainly not there; None when it counts."""
    try:
        content, _ = read_link(tree, folder, f"{hex_}/link")
    except OSError as error:
        return "" if is_absent(error) else f"its link cannot be read: {why(error)}"
    if not DIGEST.fullmatch(content):
        return said_instead(content)
    return None if names(content.decode(), algorithm, hex_) else "its link names another digest"


def names(said: str, algorithm: str, hex_: str) -> bool:
    """Whether a link that says `said` may stand for this digest.

    What was pushed under its sha512 is kept under its sha256, and linked by the first to the second.
    """
    return said == f"{algorithm}:{hex_}" or not said.startswith(f"{algorithm}:")
