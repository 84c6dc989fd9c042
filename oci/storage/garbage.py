"""Blobs of a storage folder that no manifest refers to, and has not for a while."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Collection, Iterable, Iterator
from typing import Final, NamedTuple

from oci.model import MANIFEST_LIMIT
from oci.names import RepositoryName
from oci.storage.blobs import BlobFile
from oci.storage.faults import Unreadable, is_absent, why
from oci.storage.marking import Link, Marks
from oci.storage.tree import Tree, read_regular

_VERSION: Final = "schemaversion"
_START: Final = 64  # bytes, which tell most layers from a manifest
_BLANK: Final = b" \t\r\n"


class Garbage(NamedTuple):
    """`links` are the folders that repositories have of it, whether the link is still in them or not."""

    digest: str
    size: int
    links: tuple[Link, ...]


class Collector:
    """Finds garbage below `blobs`, by what is marked. Times are on the clock of the file system, in nanoseconds."""

    def __init__(self, tree: Tree, blobs: str, marks: Marks) -> None:
        self._tree, self._blobs, self._marks = tree, blobs, marks

    def garbage(
        self, files: Iterable[BlobFile], before_ns: int, kept: Collection[str], busy: Collection[RepositoryName]
    ) -> Iterator[Garbage]:
        """Of `files`, which nothing uses, those that were written and last linked before `before_ns`.

        Not what is `kept` for other reasons, what a repository links that is `busy`, what could not be moved, and
        whatever may be a manifest: a registry that runs still knows those, and would not store them again.
        """
        for file in files:
            if file.digest in kept or file.written_ns >= before_ns:
                continue
            links = tuple(self._marks.links.get(file.digest, ()))
            if any(self._holds(link, before_ns, busy) for link in links) or not self._is_movable(file.digest):
                continue
            if self._may_be_manifest(file):
                continue
            yield Garbage(file.digest, file.size, links)

    def _holds(self, link: Link, before_ns: int, busy: Collection[RepositoryName]) -> bool:
        linked_ns = self._marks.linked_ns(link)
        if linked_ns is None:
            return False
        return linked_ns >= before_ns or link.repository in busy or self._marks.is_odd(link)

    def _is_movable(self, digest: str) -> bool:
        """Not where somebody has put its data elsewhere, by a link or on another disk: they would not come back."""
        algorithm, _, hex_ = digest.partition(":")
        try:
            with self._tree.folder("") as root, self._tree.folder(f"{self._blobs}/{algorithm}/{hex_[:2]}") as prefix:
                folder = os.stat(hex_, dir_fd=prefix.descriptor, follow_symlinks=False)
                data = os.stat(f"{hex_}/data", dir_fd=prefix.descriptor, follow_symlinks=False)
                device = os.fstat(root.descriptor).st_dev
        except OSError as error:
            if is_absent(error):
                return False
            raise Unreadable(f"{digest} cannot be looked at: {why(error)}") from error
        return stat.S_ISDIR(folder.st_mode) and stat.S_ISREG(data.st_mode) and data.st_dev == device

    def _may_be_manifest(self, file: BlobFile) -> bool:
        if file.size > MANIFEST_LIMIT:
            return False
        algorithm, _, hex_ = file.digest.partition(":")
        try:
            descriptor = self._tree.open_file(f"{self._blobs}/{algorithm}/{hex_[:2]}/{hex_}/data")
            try:
                start = os.pread(descriptor, _START, 0).lstrip(_BLANK)
                if start and not start.startswith(b"{"):
                    return False
                content, _ = read_regular(descriptor, MANIFEST_LIMIT)
            finally:
                os.close(descriptor)
        except OSError as error:
            if is_absent(error):
                return True  # it went meanwhile
            raise Unreadable(f"{file.digest} cannot be read: {why(error)}") from error
        return may_be_manifest(content)


def may_be_manifest(content: bytes) -> bool:
    """Whether a registry may have stored it as one: JSON with a schemaVersion, or what only looks like JSON."""
    if not content.lstrip(_BLANK).startswith(b"{"):
        return False
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return True
    return any(name.casefold() == _VERSION for name in document)  # a registry reads names so
