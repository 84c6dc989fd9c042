"""How far a scan is, in the figures that the jobs page shows."""

from __future__ import annotations

import time
from typing import Any

from catalog.scanning.reading import BatchReading
from jobs.running import Lease


class Progress:
    """Counts, and tells the job: repositories, tags, manifests, configs, rate, seconds left, problems."""

    def __init__(self, lease: Lease) -> None:
        self._lease = lease
        self._began = time.monotonic()
        self._figures: dict[str, Any] = {"phase": "listing", "repositories": [0, None], "problems": 0}
        self._tags = self._expected = self._problems = 0

    def phase(self, name: str) -> None:
        self._figures |= {"phase": name, "rate": None, "seconds_left": None}
        self._began = time.monotonic()
        self._tell(now=True)

    def found(self, repositories: int) -> None:
        """While the catalog is read, nobody knows how long it is."""
        self._figures["repositories"] = [repositories, None]
        self._tell()

    def listed(self, done: int, total: int) -> None:
        self._figures["repositories"] = [done, total]
        self._pace(done, total)
        self._tell()

    def expect(self, repositories: int, tags: int) -> None:
        self._expected = tags
        self._figures |= {"repositories": [0, repositories], "tags": [0, tags], "manifests": 0}

    def read(self, batch: BatchReading) -> None:
        self._tags += len(batch.tags)
        self._figures["tags"] = [self._tags, self._expected]
        self._figures["manifests"] += batch.read
        self._figures["problems"] += sum(1 for tag in batch.tags if tag.failure) + len(batch.missing)
        self._pace(self._tags, self._expected)
        self._tell()

    def repository_done(self, *, failed: bool = False) -> None:
        self._figures["repositories"][0] += 1
        self._figures["problems"] += failed
        self._tell()

    def configs(self, done: int, total: int, failed: int) -> None:
        if done == 0:
            self._problems = self._figures["problems"]
            self._figures["configs"] = [0, total]
            self.phase("configs")
        self._figures["configs"] = [done, total]
        self._figures["problems"] = self._problems + failed
        self._pace(done, total)
        self._tell()

    def _pace(self, done: int, total: int) -> None:
        seconds = time.monotonic() - self._began
        if done and seconds > 1:
            rate = done / seconds
            self._figures |= {"rate": round(rate, 1), "seconds_left": round((total - done) / rate)}

    def _tell(self, *, now: bool = False) -> None:
        self._lease.tell(now=now, **self._figures)
