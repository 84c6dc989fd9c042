"""The repositories of a registry with their bytes as CSV that no spreadsheet takes for formulas, some at a time."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

from audit.reads.files import harmless
from catalog.models import Repository
from catalog.models.repositories import RepositoryQuerySet
from catalog.reads.repository_bytes import RepositoryBytes

MEDIA_TYPE: Final = "text/csv; charset=utf-8"
_FIELDS: Final = (
    "registry", "repository", "tags", "images", "pushed", "stored", "unique", "shared", "saved", "counted_at",
)  # fmt: skip
_TOGETHER: Final = 1_000  # rows that are in the memory at once


class _Line:
    """What `csv` writes to."""

    text = ""

    def write(self, text: str) -> None:
        self.text += text


def lines_of(rows: RepositoryQuerySet, registry: str, as_of: datetime | None) -> Iterator[bytes]:
    """All of `rows` by name. What was not counted yet is empty."""
    yield _written([_FIELDS])
    after = b""
    while found := list(rows.filter(name_key__gt=after).order_by("name_key")[:_TOGETHER]):
        yield _written(_cells(RepositoryBytes(row, as_of), registry) for row in found)
        after = bytes(found[-1].name_key)


def file_name(registry: str, as_of: datetime | None) -> str:
    return f"storage-{registry}{f'-{as_of.astimezone(UTC):%Y-%m-%d}' if as_of else ''}.csv"


def _cells(row: RepositoryBytes, registry: str) -> tuple[Any, ...]:
    repository: Repository = row.repository
    parts = (row.unique, row.shared) if row.is_counted else ("", "")
    counted = row.as_of.astimezone(UTC).isoformat() if row.is_counted and row.as_of else ""
    return (
        registry, repository.name, repository.tag_count, repository.image_count, repository.pushed, repository.size,
        *parts, row.saved, counted,
    )  # fmt: skip


def _written(rows: Any) -> bytes:
    """By RFC 4180."""
    line = _Line()
    csv.writer(line).writerows([harmless(str(cell)) for cell in cells] for cells in rows)
    return line.text.encode()
