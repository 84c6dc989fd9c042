"""The repositories that a storage folder has: what the registry's `_catalog` would list.

2.8 lists a repository by its folder `_layers`, so from its first blob on; 3 by `_manifests`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Final, Literal, TypeAlias

from oci.errors import InvalidName
from oci.names import RepositoryName, parse_repository
from oci.storage.faults import Faults, Unreadable, is_absent, shown, why
from oci.storage.listing import Listing
from oci.storage.tree import Tree

ListedBy: TypeAlias = Literal["_layers", "_manifests"]

_PARTS: Final = frozenset({"_layers", "_manifests", "_uploads"})


class RepositoryWalk:
    """Depth first, with the open folders of one path: the grammar ends that at 128 of them."""

    def __init__(self, tree: Tree, top: str, listed_by: ListedBy, faults: Faults) -> None:
        self._tree, self._top, self._listed_by, self._faults = tree, top, listed_by, faults

    def names(self, listing: Listing[RepositoryName]) -> Iterator[RepositoryName]:
        return self._walk("", self._top, listing, linked=False)

    def _walk(
        self, prefix: str, path: str, listing: Listing[RepositoryName], *, linked: bool
    ) -> Iterator[RepositoryName]:
        """`prefix` is what the names begin with; `linked` when a link led here.

        Then no further one is followed: links in a circle end, and nothing is read more than once for each link.
        """
        try:
            with self._tree.folder(path) as folder, os.scandir(folder.descriptor) as entries:
                for entry in entries:
                    yield from self._entry(entry, prefix, path, listing, linked=linked)
        except OSError as error:
            if not is_absent(error):
                raise Unreadable(f"{shown(path)} cannot be listed: {why(error)}") from error
            # Somebody removed the repository since its name was read.

    def _entry(
        self, entry: os.DirEntry[str], prefix: str, path: str, listing: Listing[RepositoryName], *, linked: bool
    ) -> Iterator[RepositoryName]:
        below = f"{path}/{entry.name}"
        if prefix and entry.name.startswith("_"):
            if entry.name == self._listed_by:
                yield RepositoryName(prefix)
            elif entry.name not in _PARTS:
                self._faults.add(below, "it is no part of a repository")
            return
        try:
            name = parse_repository(f"{prefix}/{entry.name}" if prefix else entry.name)
        except InvalidName:
            listing.rejected += 1
            self._faults.add(below, "it is not the name of a repository")
            return
        if entry.is_dir(follow_symlinks=False):
            yield from self._walk(name, below, listing, linked=linked)
        elif not entry.is_symlink():
            self._faults.add(below, "it is no folder")
        elif (target := self._target(below, listing, linked=linked)) is not None:
            yield from self._walk(name, target, listing, linked=True)

    def _target(self, path: str, listing: Listing[RepositoryName], *, linked: bool) -> str | None:
        try:
            target = self._tree.resolve(path)
        except OSError as error:
            listing.unread += not is_absent(error)  # what leads nowhere is nothing to a registry either
            self._faults.add(path, why(error))
            return None
        if linked or f"{path}/".startswith(f"{target}/"):
            listing.unread += 1
            self._faults.add(path, "a link among links, or to what it is part of")
            return None
        return target
