"""What a database has to be told so that it goes the best way."""

from __future__ import annotations

from typing import Any, Final

from django.db import connection
from django.db.models import F, IntegerField, QuerySet, Subquery
from django.db.models.expressions import Combinable

_LOOKED_AT: Final = 400  # rows of each index, as SQLite's manual advises


def unindexed(field: str) -> Combinable:
    """`field` in a way that keeps SQLite from an index of it.

    It does not know that nearly all rows fit. PostgreSQL does, and a sum would hide that from it.
    """
    return F(field) + 0 if connection.vendor == "sqlite" else F(field)


class CountOf(Subquery):
    """How many rows a slice of a correlated query has."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) counted)"

    def __init__(self, rows: QuerySet[Any]) -> None:
        super().__init__(rows, output_field=IntegerField())


def learn_sizes() -> None:
    """Have SQLite look at some rows of each index, which takes a moment however many there are.

    It chooses between indexes by what it saw then, and never looks by itself; PostgreSQL does.
    """
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA analysis_limit = {_LOOKED_AT}")
            cursor.execute("ANALYZE")
