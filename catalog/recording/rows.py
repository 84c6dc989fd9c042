"""Many rows at once, by executemany: a scan writes a million, and objects of the ORM cost ten times as much each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import connection, models


def insert(model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Insert rows of plain values; those that a constraint of uniqueness knows already are left as they are.

    Columns are named as in the table, and every column without a default of the database has to be among them.
    """
    rows = list(rows)
    if not rows:
        return
    quote = connection.ops.quote_name
    names = ", ".join(map(quote, columns))
    places = ", ".join(["%s"] * len(columns))
    table = quote(model._meta.db_table)  # noqa: SLF001  Django documents it
    with connection.cursor() as cursor:
        cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({places}) ON CONFLICT DO NOTHING", rows)  # noqa: S608  our own names


def update(model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Set these columns in rows that are named by their key: each of `rows` is the values and then the key."""
    rows = list(rows)
    if not rows:
        return
    quote = connection.ops.quote_name
    sets = ", ".join(f"{quote(column)} = %s" for column in columns)
    table = quote(model._meta.db_table)  # noqa: SLF001  Django documents it
    with connection.cursor() as cursor:
        cursor.executemany(f"UPDATE {table} SET {sets} WHERE {quote('id')} = %s", rows)  # noqa: S608  our own names


def moment(value: datetime | None) -> Any:
    """A moment as the database takes it where the ORM does not stand between."""
    return connection.ops.adapt_datetimefield_value(value) if value else None
