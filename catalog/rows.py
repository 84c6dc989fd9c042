"""Many rows at once, by plain SQL: a scan reads and writes a million, and the ORM costs ten times as much for each.

Tables and columns are named by us alone; values always travel as parameters.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from itertools import islice
from typing import Any, Final

from django.db import connection, models

_AMONG: Final = 500  # values in one statement: each database has a bound, the lowest is 999


def select(
    model: type[models.Model], columns: Sequence[str], column: str, among: Collection[Any], condition: str = "1 = 1"
) -> list[tuple[Any, ...]]:
    """These columns of the rows whose `column` is one of `among`, for which `condition` (SQL of ours) holds.

    Values come as the driver gives them; `moment` makes moments comparable.
    """
    found: list[tuple[Any, ...]] = []
    if not among:
        return found
    quote = connection.ops.quote_name
    names = ", ".join(map(quote, columns))
    values = iter(among)
    with connection.cursor() as cursor:
        while piece := list(islice(values, _AMONG)):
            places = ", ".join(["%s"] * len(piece))
            cursor.execute(
                f"SELECT {names} FROM {table(model)} WHERE {quote(column)} IN ({places}) AND {condition}",  # noqa: S608  our own names
                piece,
            )
            found += cursor.fetchall()
    return found


def insert(model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Insert rows of plain values; those that a constraint of uniqueness knows already are left as they are.

    Columns are named as in the table, and every column without a default of the database has to be among them.
    """
    quote = connection.ops.quote_name
    names = ", ".join(map(quote, columns))
    places = ", ".join(["%s"] * len(columns))
    execute(f"INSERT INTO {table(model)} ({names}) VALUES ({places}) ON CONFLICT DO NOTHING", rows)  # noqa: S608  our own names


def update(model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Set these columns in rows that are named by their key: each of `rows` is the values and then the key."""
    quote = connection.ops.quote_name
    sets = ", ".join(f"{quote(column)} = %s" for column in columns)
    execute(f"UPDATE {table(model)} SET {sets} WHERE {quote('id')} = %s", rows)  # noqa: S608  our own names


def execute(statement: str, rows: Iterable[Sequence[Any]]) -> None:
    """One statement of ours for each of `rows`."""
    rows = list(rows)
    if rows:
        with connection.cursor() as cursor:
            cursor.executemany(statement, rows)


def table(model: type[models.Model]) -> str:
    return connection.ops.quote_name(model._meta.db_table)  # noqa: SLF001  Django documents it


@lru_cache(4_096)
def moment(value: datetime | str | None) -> Any:
    """A moment as the database takes it, and compares it, where the ORM does not stand between.

    What the driver gave is taken too: of SQLite's text it makes a moment without a zone, where it knows the column.
    """
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value if value.tzinfo else value.replace(tzinfo=UTC))
    return value
