"""When Berth would have looked: one scan a day from the first to the last, and what it saw at which moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from registry_ui.bench.catalog_data.tagging import LAST_BUILD

SCANS: Final = 200
DAY: Final = timedelta(days=1)
LAST: Final = LAST_BUILD + 2 * DAY  # when the last one began
FIRST: Final = LAST - (SCANS - 1) * DAY
SEEN_AFTER: Final = timedelta(minutes=5)
TOOK: Final = timedelta(minutes=10)


def seen_at(built: datetime) -> datetime:
    """When a scan first saw what was pushed at that moment."""
    return max(FIRST, datetime(built.year, built.month, built.day, tzinfo=UTC) + DAY) + SEEN_AFTER


def scan_at(moment: datetime) -> int:
    """The number of the scan that saw it, from 0."""
    return (moment - FIRST).days
