"""What a scan has to do, repository by repository, once it has listed all of them; and the batches it is done in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from catalog.models import Repository
from catalog.scanning.listing import TagListing
from catalog.scanning.reading import MOST_HELD, TagReading

BATCH: Final = 250  # tags


@dataclass(slots=True)
class Work:
    """One repository: how it was listed, how many tags that names, and the ids of the live ones that it lacks.

    `changed`: of a storage folder, which tells at once what differs from the catalog, only that is looked at.
    """

    listing: TagListing
    count: int = 0
    gone: list[int] = field(default_factory=list)
    changed: list[TagReading] | None = None
    unwritable: bool = False  # the database would not hold a part of it

    @property
    def to_read(self) -> int:
        """How many tags are to be looked at."""
        return len(self.listing.tags) if self.changed is None else len(self.changed)


class Step(NamedTuple):
    """A tag as it was read, or None where a repository has none to read; `last` of its repository."""

    repository: Repository
    work: Work
    reading: TagReading | None
    last: bool


@dataclass(slots=True)
class Batch:
    """Some tags of a repository as they were read; `last` of its repository, maybe the only one."""

    repository: Repository
    work: Work
    readings: list[TagReading]
    last: bool


def batches(steps: Iterable[Step]) -> Iterator[Batch]:
    """Steps put together, as many as fit some short transactions, and the memory."""
    readings: list[TagReading] = []
    held = 0
    for repository, work, reading, last in steps:
        if reading is not None:
            readings.append(reading)
            held += reading.weight
        if last or len(readings) >= BATCH or held >= MOST_HELD:
            yield Batch(repository, work, readings, last)
            readings, held = [], 0
