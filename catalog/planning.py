"""What a database has to be told so that it goes the best way."""

from __future__ import annotations

from typing import Any, Final

from django.db import connection
from django.db.models import F, IntegerField, Q, QuerySet, Subquery
from django.db.models.expressions import Combinable
from django.db.models.functions import Collate, Upper
from django.db.models.lookups import Contains

_LOOKED_AT: Final = 400  # rows of each index, as SQLite's manual advises


def unindexed(field: str) -> Combinable:
    """`field` in a way that keeps SQLite from an index of it.

    It does not know that nearly all rows fit. PostgreSQL does, and a sum would hide that from it.
    """
    return F(field) + 0 if connection.vendor == "sqlite" else F(field)


def read_through(field: str, text: str) -> Q | Contains:
    """That `field`, whose values are ASCII, has `text` in it, in capitals or not, for rows that some other index finds.

    PostgreSQL would look `4.0.0` up among the trigrams, which know no dots, and find a quarter of all tags there. It
    reads faster by bytes than by the rules of a language.
    """
    if connection.vendor != "postgresql" or not text.isascii():
        return Q(**{f"{field}__icontains": text})
    if text.upper() == text.lower():
        return Q(**{f"{field}__contains": text})
    return Contains(Upper(Collate(F(field), "C")), text.upper())


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
