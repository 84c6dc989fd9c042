"""The rows of a bench, as a table for people or JSON for scripts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_HEAD = ("what", "value", "unit", "limit", "ok")


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. Without a limit it only informs, and is ok unless `void` says that it means nothing.

    `limit` is the most that is ok; with `at_least`, the least.
    """

    what: str
    value: float
    unit: str
    limit: float | None = None
    at_least: bool = False
    void: bool = False

    @property
    def ok(self) -> bool:
        if self.void:
            return False
        if self.limit is None:
            return True
        return self.value >= self.limit if self.at_least else self.value <= self.limit


def as_json(bench: str, machine: Mapping[str, Any], rows: Sequence[Row]) -> str:
    told = [{"what": row.what, "value": row.value, "unit": row.unit, "limit": row.limit, "ok": row.ok} for row in rows]
    return json.dumps({"bench": bench, "machine": machine, "rows": told})


def as_table(bench: str, machine: Mapping[str, Any], rows: Sequence[Row]) -> str:
    cells = [_HEAD, *((row.what, _number(row.value), row.unit, _limit(row), _verdict(row)) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(_HEAD))]
    lines = [_line(line, widths) for line in cells]
    facts = ", ".join(f"{name} {value}" for name, value in machine.items())
    return "\n".join([f"{bench}: {facts}", "", lines[0], "-" * len(lines[0]), *lines[1:]])


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    what, value, unit, limit, verdict = (
        cell.rjust(width) if column in {1, 3} else cell.ljust(width)
        for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return f"{what}  {value}  {unit}  {limit}  {verdict}".rstrip()


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) or abs(value) >= 100 else f"{value:,.2f}"  # noqa: PLR2004


def _limit(row: Row) -> str:
    if row.limit is None:
        return ""
    return f"{'≥' if row.at_least else '≤'} {_number(row.limit)}"


def _verdict(row: Row) -> str:
    if row.void:
        return "VOID"
    if row.limit is None:
        return ""
    return "ok" if row.ok else "NOT OK"
