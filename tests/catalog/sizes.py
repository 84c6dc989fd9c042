"""What SQLite knows of the sizes of its tables: it stays when a test ends that has committed."""

from __future__ import annotations

from django.db import connection


def forget_sizes() -> None:
    """As in a database that nobody has analysed."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # where it never was there is no such table
        cursor.execute("DELETE FROM sqlite_stat1")
        cursor.execute("ANALYZE sqlite_schema")  # which has it read again
