"""The tags of a repository as its folder has them: where each points to, and since when."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import Final, NamedTuple

from oci.errors import InvalidName
from oci.names import TagName, parse_tag
from oci.storage.faults import Faults, why
from oci.storage.links import DIGEST, read_link, said_instead
from oci.storage.listing import Listing
from oci.storage.tree import OpenFolder, Tree

_FRESH: Final = 2 * 10**9  # nanoseconds
_PAUSE: Final = 0.005  # seconds


class TagLink(NamedTuple):
    """`digest` is "" where the link tells none, and then `problem` says why.

    `linked_ns` is when the link was last written, in nanoseconds since 1970: the only push time that a registry keeps.
    """

    name: TagName
    digest: str
    linked_ns: int = 0
    problem: str = ""


def read_tags(tree: Tree, folder: OpenFolder, faults: Faults, listing: Listing[TagLink]) -> Iterator[TagLink]:
    """What was deleted since the folder was listed is left out; any other trouble is the tag's `problem`."""
    with os.scandir(folder.descriptor) as entries:
        for entry in entries:
            try:
                name = parse_tag(entry.name)
            except InvalidName:
                listing.rejected += 1
                faults.add(f"{folder.path}/{entry.name}", "it is not the name of a tag")
                continue
            try:
                content, status = read_link(tree, folder, name + "/current/link")
                if DIGEST.fullmatch(content) is None:
                    yield _retold(tree, folder, name, content, status.st_mtime_ns)
                    continue
            except OSError as error:
                if not isinstance(error, FileNotFoundError) or _is_there(folder, name):
                    yield TagLink(name, "", 0, f"its link cannot be read: {why(error)}")
                continue
            yield TagLink(name, content.decode(), status.st_mtime_ns)


def _retold(tree: Tree, folder: OpenFolder, name: TagName, content: bytes, linked_ns: int) -> TagLink:
    """2.8 empties a link before it writes it, so what was touched this moment is read once more."""
    if 0 <= time.time_ns() - linked_ns < _FRESH:
        time.sleep(_PAUSE)
        content, status = read_link(tree, folder, name + "/current/link")
        linked_ns = status.st_mtime_ns
    if DIGEST.fullmatch(content):
        return TagLink(name, content.decode(), linked_ns)
    return TagLink(name, "", linked_ns, said_instead(content))


def _is_there(folder: OpenFolder, name: TagName) -> bool:
    try:
        os.stat(name, dir_fd=folder.descriptor, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True
