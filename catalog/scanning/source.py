"""Where a scan reads a registry: through its API, or from its storage folder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from catalog.models import Repository, Scan
from catalog.scanning.ahead import Crew
from catalog.scanning.patience import Patience
from catalog.scanning.progress import Progress
from catalog.scanning.reading import Contents
from catalog.scanning.work import Batch, Work
from jobs.running import Lease
from registries.models import Registry


@dataclass(slots=True)
class Listed:
    """All repositories with what there is to do for each, by name; and how many names broke the grammar.

    `refusal`: the catalog may not be read, in the registry's words; then these are the watched ones.
    """

    works: dict[str, Work] = field(default_factory=dict)
    rejected: int = 0
    refusal: str = ""


class Source(Protocol):
    kind: Scan.Source

    @property
    def crew(self) -> Crew: ...

    @property
    def contents(self) -> Contents: ...

    def survey(self, registry: Registry, lease: Lease, progress: Progress, patience: Patience) -> Listed:
        """Raises RegistryError when it cannot be read to its end: a part of a catalog is worth nothing."""

    def batches(self, work: Iterable[tuple[Repository, Work]], patience: Patience) -> Iterator[Batch]:
        """The tags of all, in order; a repository with nothing to read is one batch without any."""

    def close(self) -> None: ...
