"""How far the copy of an image is, in bytes; threads share it."""

from __future__ import annotations

import threading
from typing import Protocol


class Meter(Protocol):
    """Hears of the blobs of one image. `move` may raise, which ends the blob that is on its way; `go_on` ends all."""

    def go_on(self) -> None:
        """Another manifest is about to be asked for."""

    def expect(self, size: int) -> None:
        """A blob of so many bytes is part of it."""

    def move(self, count: int) -> None:
        """So many bytes came from the source."""

    def skip(self, size: int) -> None:
        """A blob need not travel after all: it was there, or was linked, or another image brings it."""


class Tally:
    """A meter that only counts: `expected` bytes, of which `moved` came and `skipped` need not."""

    def __init__(self) -> None:
        self.expected = self.moved = self.skipped = 0
        self._lock = threading.Lock()

    def go_on(self) -> None:
        """Whoever only counts ends nothing."""

    def expect(self, size: int) -> None:
        with self._lock:
            self.expected += size

    def move(self, count: int) -> None:
        with self._lock:
            self.moved += count

    def skip(self, size: int) -> None:
        with self._lock:
            self.skipped += size
