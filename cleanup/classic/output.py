"""What `garbage-collect` prints, of 2.8 and of 3: only its last line, and the digests that it would remove.

All else differs between the two. The output is a stranger's text of any length: it is read line by line.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

_SUMMARY: Final = re.compile(
    rb"([0-9]{1,15}) blobs marked, ([0-9]{1,15}) blobs and ([0-9]{1,15}) manifests eligible for deletion"
)
_DOOMED: Final = re.compile(rb"blob eligible for deletion: (sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})")
_MARK: Final = b"eligible for deletion"
_TOGETHER: Final = 500  # digests


class NotUnderstood(Exception):  # noqa: N818  it says what is missing
    """It is no output of `garbage-collect`, or not all of it."""


@dataclass(frozen=True, slots=True)
class Summary:
    """`marked` blobs stay, `doomed` go; `manifests` go too, which they only do with --delete-untagged."""

    marked: int
    doomed: int
    manifests: int

    @property
    def total(self) -> int:
        return self.marked + self.doomed


class Output:
    """Takes lines in; `take` is given the doomed digests, some hundreds at a time."""

    def __init__(self, take: Callable[[list[str]], None]) -> None:
        self._take = take
        self._digests: list[str] = []
        self._count = 0
        self._summaries: set[Summary] = set()

    def feed(self, line: bytes) -> None:
        if _MARK not in line:
            return
        text = line.strip()
        if found := _DOOMED.fullmatch(text):
            self._count += 1
            self._digests.append(found[1].decode())
            if len(self._digests) == _TOGETHER:
                self._hand_over()
        elif found := _SUMMARY.fullmatch(text):
            self._summaries.add(Summary(*map(int, found.groups())))

    def summary(self) -> Summary:
        """When all lines were fed. Raises NotUnderstood."""
        self._hand_over()
        if len(self._summaries) != 1:
            raise NotUnderstood("no line sums it up" if not self._summaries else "two lines sum it up differently")
        (summary,) = self._summaries
        if summary.doomed != self._count:
            raise NotUnderstood(f"{summary.doomed} blobs are summed up and {self._count} listed")
        return summary

    def _hand_over(self) -> None:
        if self._digests:
            self._take(self._digests)
            self._digests = []
