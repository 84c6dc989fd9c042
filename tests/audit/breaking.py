"""What somebody may do to the audit who owns the database."""

from __future__ import annotations

from typing import Any

from django.db import connection

from audit.guard import lift


def break_in(statement: str, *values: Any) -> None:
    """Change exactly one row, or add or remove one, without the triggers."""
    lift(connection)
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        assert cursor.rowcount == 1
