"""Many rows at once, by plain SQL: a scan reads and writes a million, and the ORM costs ten times as much for each.

Tables and columns are named by us alone; values always travel as parameters.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from functools import cache, lru_cache
from itertools import islice
from typing import Any, Final

from django.db import connection, models

_AMONG: Final = 5_000  # values that are looked for in one statement
_VALUES: Final = 900  # in one statement: each database has a bound, the lowest is 999


def select(  # noqa: PLR0913  the parts of a statement
    model: type[models.Model],
    columns: Sequence[str],
    column: str,
    among: Collection[Any],
    condition: str = "1 = 1",
    *,
    keep: bool = False,
) -> list[tuple[Any, ...]]:
    """These columns of the rows whose `column` is one of `among`, for which `condition` (SQL of ours) holds.

    Values come as the driver gives them; `moment` makes moments comparable. `keep`: nobody deletes them until the
    transaction ends; SQLite lets only one write anyway.
    """
    found: list[tuple[Any, ...]] = []
    lock = " FOR KEY SHARE" if keep and not _is_sqlite() else ""
    statement = f"{_selection(model, tuple(columns), column)} AND {condition}{lock}"
    values = iter(among)
    with connection.cursor() as cursor:
        while piece := list(islice(values, _AMONG)):
            cursor.execute(statement, [_as_one(piece)])
            found += cursor.fetchall()
    return found


@cache
def _selection(model: type[models.Model], columns: tuple[str, ...], column: str) -> str:
    """With one parameter, `_as_one`: a statement with a place for each value is parsed anew for each number of them."""
    names, name = ", ".join(map(connection.ops.quote_name, columns)), connection.ops.quote_name(column)
    one_of = f"{name} IN (SELECT value FROM json_each(%s))" if _is_sqlite() else f"{name} = ANY(%s)"  # noqa: S608  our own names
    return f"SELECT {names} FROM {table(model)} WHERE {one_of}"  # noqa: S608


def _as_one(values: list[Any]) -> Any:
    return json.dumps(values) if _is_sqlite() else values


def insert(model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Insert rows of plain values; those that a constraint of uniqueness knows already are left as they are.

    Columns are named as in the table, and every column without a default of the database has to be among them.
    """
    _insert(model, columns, rows)


def insert_new(
    model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]], key: str
) -> dict[Any, int]:
    """The same; the ids of the rows that are new, by their column `key`.

    A database that cannot tell (SQLite before 3.35) tells of none: ask it for those that are lacking.
    """
    if not connection.features.can_return_rows_from_bulk_insert:
        _insert(model, columns, rows)
        return {}
    return dict(_insert(model, columns, rows, (key, "id")))


def _insert(
    model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]], returning: tuple[str, ...] = ()
) -> list[tuple[Any, ...]]:
    told: list[tuple[Any, ...]] = []
    values, together = iter(rows), _VALUES // len(columns)
    with connection.cursor() as cursor:
        while piece := list(islice(values, together)):
            statement = _insertion(model, tuple(columns), len(piece), returning)
            cursor.execute(statement, [value for row in piece for value in row])
            if returning:
                told += cursor.fetchall()
    return told


@lru_cache(256)
def _insertion(model: type[models.Model], columns: tuple[str, ...], rows: int, returning: tuple[str, ...]) -> str:
    """For many rows at once: SQLite's driver lets other threads have their turn after each statement, and waits."""
    names = ", ".join(map(connection.ops.quote_name, columns))
    places = ", ".join(["(" + ", ".join(["%s"] * len(columns)) + ")"] * rows)
    told = f" RETURNING {', '.join(map(connection.ops.quote_name, returning))}" if returning else ""
    return f"INSERT INTO {table(model)} ({names}) VALUES {places} ON CONFLICT DO NOTHING{told}"  # noqa: S608  our own names


def update(model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Set these columns in rows that are named by their key: each of `rows` is the values and then the key."""
    execute(_updating(model, tuple(columns)), rows)


@cache
def _updating(model: type[models.Model], columns: tuple[str, ...]) -> str:
    quote = connection.ops.quote_name
    sets = ", ".join(f"{quote(column)} = %s" for column in columns)
    return f"UPDATE {table(model)} SET {sets} WHERE {quote('id')} = %s"  # noqa: S608  our own names


def add(model: type[models.Model], column: str, change: int, pk: int) -> None:
    """Add to a counter of the row `pk`, where there is anything to add."""
    if change:
        with connection.cursor() as cursor:
            cursor.execute(_adding(model, column), (change, pk))


@cache
def _adding(model: type[models.Model], column: str) -> str:
    name, key = connection.ops.quote_name(column), connection.ops.quote_name("id")
    return f"UPDATE {table(model)} SET {name} = {name} + %s WHERE {key} = %s"  # noqa: S608  our own names


def hold(model: type[models.Model], pk: int) -> None:
    """Keep other writers from the row `pk` until the transaction ends. SQLite lets only one write anyway."""
    if not _is_sqlite():
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT 1 FROM {table(model)} WHERE id = %s FOR UPDATE", (pk,))  # noqa: S608  our own names


def execute(statement: str, rows: Iterable[Sequence[Any]]) -> None:
    """One statement of ours for each of `rows`."""
    rows = list(rows)
    if rows:
        with connection.cursor() as cursor:
            cursor.executemany(statement, rows)


@cache
def table(model: type[models.Model]) -> str:
    return connection.ops.quote_name(model._meta.db_table)  # noqa: SLF001  Django documents it


def moment(value: datetime | str | None) -> Any:
    """A moment as the database takes it, and compares it, where the ORM does not stand between.

    What the driver gave is taken too: of SQLite's text it makes a moment without a zone, where it knows the column.
    """
    if not isinstance(value, datetime):
        return value
    aware = value if value.tzinfo else value.replace(tzinfo=UTC)
    return str(aware.astimezone(UTC).replace(tzinfo=None)) if _is_sqlite() else aware


@cache
def _is_sqlite() -> bool:
    """Kept, since to ask the connection costs as much as a small statement."""
    return connection.vendor == "sqlite"
