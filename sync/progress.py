"""How far a run is, as its job tells it: images, bytes, how fast, and how long it will still take."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from sync.engine import Meter

_SPAN: Final = 20.0  # seconds over which the rate is taken
_NAMED: Final = 6  # images under way that are told of


class _Mark(NamedTuple):
    at: float
    bytes: int
    images: int


class Progress:
    """`images` are how many are to be copied; their bytes are known once their manifests were read."""

    def __init__(self, images: int) -> None:
        self._images, self._done = images, 0
        self._moved = self._settled = 0  # bytes of images that ended: those that travelled, and all that they had
        self._marks: deque[_Mark] = deque()

    def end(self, meter: Meter | None) -> None:
        """An image came to its end."""
        self._done += 1
        if meter is not None:
            self._moved += meter.moved
            self._settled += meter.moved + meter.skipped

    def told(self, under_way: Iterable[tuple[str, Meter]]) -> dict[str, Any]:
        """`under_way`: the names of images, with how far they are."""
        copies = [(name, meter.moved + meter.skipped, meter.expected, meter.moved) for name, meter in under_way]
        moved = self._moved + sum(moved for *_, moved in copies)
        done = self._settled + sum(done for _, done, _, _ in copies)
        total = self._settled + sum(expected for _, _, expected, _ in copies)
        self._mark(_Mark(time.monotonic(), moved, self._done))
        return {
            "phase": "copying",
            "images": [self._done, self._images],
            "bytes": [done, max(done, total)],
            "rate": self._rate(moved),
            "seconds_left": self._left(),
            "under_way": [[name, done, expected] for name, done, expected, _ in copies if expected][:_NAMED],
        }

    def _mark(self, mark: _Mark) -> None:
        self._marks.append(mark)
        while self._marks[0].at < mark.at - _SPAN:
            self._marks.popleft()

    def _rate(self, moved: int) -> int:
        """Bytes a second, lately."""
        first, last = self._marks[0], self._marks[-1]
        return int((moved - first.bytes) / (last.at - first.at)) if last.at > first.at else 0

    def _left(self) -> int | None:
        """Seconds, by how long the images of the last while took; None before one has ended."""
        first, last = self._marks[0], self._marks[-1]
        ended = last.images - first.images
        if not ended or last.at <= first.at:
            return None
        return round((self._images - self._done) * (last.at - first.at) / ended)
