"""The watched repositories as pages show them: the first ones, or a page of all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from catalog.models import Scan, WatchedRepository
from catalog.reads.keyset import Column, Order, Page, paged
from catalog.watching import Watched, WatchedRow, with_readings
from registries.models import Registry

_COLUMNS: Final = {"newest": Column("id", int, largest_first=True)}
_FIRST: Final = 20
_MOST_REFUSED: Final = 20


@dataclass(frozen=True, slots=True)
class WatchedSection:
    """`said` is what became of the names that were just given, None where none were."""

    rows: list[WatchedRow]
    page: Page[WatchedRepository]
    is_denied: bool
    said: Watched | None = None
    typed: str = ""

    @property
    def refused(self) -> list[tuple[str, str]]:
        """The first names that were refused, each with its reason."""
        return list(self.said.refused.items())[:_MOST_REFUSED] if self.said else []

    @property
    def more_refused(self) -> int:
        return max(0, len(self.said.refused) - _MOST_REFUSED) if self.said else 0


def watched_section(registry: Registry, last: Scan | None) -> WatchedSection | None:
    """What the page of a registry shows of them; None where its catalog may be read and nobody named any."""
    is_named = WatchedRepository.objects.filter(registry=registry, learnt=False)
    if not _is_denied(registry, last) and not is_named.exists():
        return None
    return watched_page(registry, last, None, size=_FIRST)


def watched_page(
    registry: Registry, last: Scan | None, token: str | None, *, size: int = 50, said: Watched | None = None
) -> WatchedSection:
    rows = WatchedRepository.objects.filter(registry=registry)
    page = paged(rows, Order.parse(None, _COLUMNS), token, size=size)
    return WatchedSection(
        rows=with_readings(registry, page.rows),
        page=page,
        is_denied=_is_denied(registry, last),
        said=said,
        typed="\n".join(said.refused) if said else "",
    )


def _is_denied(registry: Registry, last: Scan | None) -> bool:
    """Whether the catalog may not be read, so that what is watched is all that is seen."""
    return registry.capability("catalog_allowed") is False or bool(last and last.is_of_watched)
