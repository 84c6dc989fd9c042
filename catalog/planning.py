"""What a database has to be told where its own guess of the best way is wrong."""

from __future__ import annotations

from typing import Final

from django.db import connection
from django.db.models import F
from django.db.models.expressions import Combinable

_LOOKED_AT: Final = 400  # rows of each index, as SQLite's manual advises


def unindexed(field: str) -> Combinable:
    """`field` in a way that keeps SQLite from an index of it.

    It does not know that nearly all rows fit. PostgreSQL does, and a sum would hide that from it.
    """
    return F(field) + 0 if connection.vendor == "sqlite" else F(field)


def learn_sizes() -> None:
    """Have SQLite look at some rows of each index, which takes a moment however many there are.

    It chooses between indexes by what it saw then, and never looks by itself; PostgreSQL does.
    """
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA analysis_limit = {_LOOKED_AT}")
            cursor.execute("ANALYZE")
