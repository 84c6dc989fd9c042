"""The database of the audit without its triggers, as somebody has it who owns it; tests empty theirs so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.operations import BaseDatabaseOperations

from audit import guard


def lift(connection: BaseDatabaseWrapper) -> None:
    triggers = guard._TRIGGERS[connection.vendor]
    with connection.cursor() as cursor:
        for name in triggers:
            (table,) = (table for table in guard.TABLES if name.startswith(f"{table}_"))
            on = f" ON {table}" if connection.vendor == "postgresql" else ""
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}{on}")


@contextmanager
def emptied() -> Iterator[None]:
    """Let Django empty the tables between two tests; after that it says that it has migrated, which lays them anew."""
    flush = BaseDatabaseOperations.execute_sql_flush

    def execute(self: BaseDatabaseOperations, sql_list: Iterable[str]) -> None:
        statements = list(sql_list)
        if any("audit_entry" in statement for statement in statements):
            lift(self.connection)
        flush(self, statements)

    BaseDatabaseOperations.execute_sql_flush = execute  # type: ignore[method-assign]  # Django's, which asks nobody
    try:
        yield
    finally:
        BaseDatabaseOperations.execute_sql_flush = flush  # type: ignore[method-assign]
