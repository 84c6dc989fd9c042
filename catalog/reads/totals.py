"""Bytes and counts of registries and of their namespaces, as the newest complete scans left them: they add up.

Pushed is what all tagged images weigh as if none shared a blob; it is made up of what is used here alone, what is used
elsewhere too, and what shared layers save.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from catalog.models import NamespaceTotal, Scan
from catalog.reads.keyset import Column, Order, Page, paged
from registries.models import Registry

COLUMNS: Final = {
    "pushed": Column("pushed", int, largest_first=True),
    "unique": Column("unique", int, largest_first=True),
}


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums; `as_of` is the end of the oldest scan in them.

    `unique` are the bytes that nothing outside uses: outside a namespace, or, of a whole registry, outside one of its
    top namespaces. So pushed = unique + shared + saved.
    """

    repositories: int
    tags: int
    images: int
    stored: int
    pushed: int
    unique: int
    as_of: datetime | None

    @property
    def shared(self) -> int:
        """Bytes that are used on both sides, each once."""
        return self.stored - self.unique

    @property
    def saved(self) -> int:
        """Bytes that shared layers save."""
        return max(0, self.pushed - self.stored)


def totals_of(registries: Iterable[Registry]) -> Totals | None:
    """Of whole registries; None while none of them was scanned to the end."""
    scans = list(Scan.objects.newest_complete_of(registries))
    return sum_of(scans, [scan.finished_at for scan in scans])


def totals_in(registries: Iterable[Registry], namespace: str, scans: Iterable[Scan]) -> Totals | None:
    """Of a namespace with all below it, as `scans`, the newest complete ones, left it; None where it is not counted."""
    rows = list(NamespaceTotal.objects.filter(registry__in=[row.pk for row in registries], namespace=namespace))
    return sum_of(rows, [scan.finished_at for scan in scans])


def sum_of(rows: Sequence[Scan] | Sequence[NamespaceTotal], ends: Iterable[datetime | None]) -> Totals | None:
    """Of `rows`, of scans that came to their ends at `ends`; None where there are none."""
    if not rows:
        return None
    return Totals(
        repositories=sum(row.repositories for row in rows),
        tags=sum(row.tags for row in rows),
        images=sum(row.images for row in rows),
        stored=sum(row.stored for row in rows),
        pushed=sum(row.pushed for row in rows),
        unique=sum(row.unique for row in rows),
        as_of=min(filter(None, ends), default=None),
    )


def namespace_totals(registry: Registry, parent: str, order: Order, token: str | None) -> Page[NamespaceTotal]:
    """One page of the namespaces right below `parent`, "" for the top ones. Two queries.

    The top has one row more, of the repositories without a namespace, whose name is "".
    """
    return paged(NamespaceTotal.objects.filter(registry=registry, parent=parent), order, token)
