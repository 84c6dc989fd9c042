"""The one verb of the audit: record."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from audit.models import Entry
from oci.errors import printable

_TEXT: Final = 1_000  # characters of a sentence that somebody else may have written


def record(entries: Iterable[Entry]) -> None:
    """Add these entries, each once: one whose `key` is there already is that entry.

    In the caller's transaction, so that an act, what it changed here and its entry are true together or not at all.
    """
    rows = list(entries)
    for row in rows:
        row.why, row.detail = printable(row.why, _TEXT), printable(row.detail, _TEXT)
    Entry.objects.bulk_create(rows, ignore_conflicts=True, batch_size=50)
