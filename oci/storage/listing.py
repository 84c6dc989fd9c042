"""A list that a folder holds, read while it is gone through."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

ItemT = TypeVar("ItemT")


class Listing(Generic[ItemT]):
    """Go through it once; the counts are right when that is done. An Unreadable on the way means: not known.

    `rejected` counts names that break the grammar, and `unread` links that were not followed, out of the storage
    folder or in circles. A registry follows them, so with any of those this list may be shorter than its own.
    """

    def __init__(self, read: Callable[[Listing[ItemT]], Iterator[ItemT]]) -> None:
        self.rejected = self.unread = 0
        self._read = read

    def __iter__(self) -> Iterator[ItemT]:
        return self._read(self)
