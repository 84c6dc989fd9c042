"""Entries as a file: CSV that no spreadsheet takes for formulas, and JSON Lines; bit by bit, however many there are."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, Final

from audit.models import Entry
from audit.reads.filters import EntryFilter
from audit.reads.ways import FEW, Way, newest, way_to

TOGETHER: Final = 1_000  # entries that are in the memory at once
FIELDS: Final = (
    "id", "at", "since", "claimed_at", "source", "act", "outcome", "actor", "registry", "repository", "tag",
    "digest_before", "digest_after", "count", "from_repository", "address", "user_agent", "event_id", "why", "detail",
    "plan_id",
)  # fmt: skip
MEDIA_TYPES: Final = {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson; charset=utf-8"}
# What a spreadsheet computes; some look behind a quotation mark or a space, and some at the wide letters of East Asia.
_FORMULA: Final = re.compile(r"""[\s"'\u2018-\u201f\ufeff]*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n]""")


def lines_of(asked: EntryFilter, form: str, few: int = FEW) -> Iterator[bytes]:
    """All entries that are asked for and there now, the newest first, some at a time. `form`: of `MEDIA_TYPES`.

    Each piece is read by itself: whoever takes it slowly keeps no transaction open.
    """
    write = _csv if form == "csv" else _jsonl
    if form == "csv":
        yield _csv_line(FIELDS).encode()
    for entries in _pieces(way_to(asked, few)):
        yield "".join(map(write, entries)).encode()


def file_name(form: str, now: datetime) -> str:
    return f"activity-{now.astimezone(UTC):%Y-%m-%d}.{form}"


def _pieces(way: Way) -> Iterator[list[Entry]]:
    start: int | None = newest() + 1
    while start:
        floor = way.floor(start)
        rows = way.below(start).rows(floor[0] if floor else 0)
        found = list(rows.order_by("-place")[:TOGETHER])  # type: ignore[misc]  # annotated
        if found:
            yield found
        start = found[-1].pk if len(found) == TOGETHER else floor[0] if floor else None


def _values(entry: Entry) -> dict[str, Any]:
    return {name: _stamp(value) if isinstance(value := getattr(entry, name), datetime) else value for name in FIELDS}


def _jsonl(entry: Entry) -> str:
    values = {name: None if value == "" else value for name, value in _values(entry).items()}
    return json.dumps(values, separators=(",", ":"), ensure_ascii=False) + "\n"


def _csv(entry: Entry) -> str:
    return _csv_line("" if value is None else str(value) for value in _values(entry).values())


class _Line:
    """What `csv` writes to."""

    text = ""

    def write(self, text: str) -> None:
        self.text = text


def _csv_line(cells: Iterable[str]) -> str:
    """By RFC 4180."""
    line = _Line()
    csv.writer(line).writerow([harmless(cell) for cell in cells])
    return line.text


def harmless(cell: str) -> str:
    """`cell` as text for a spreadsheet, whatever it begins with."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
