"""The database of the audit without its triggers, as somebody has it who owns it; tests empty theirs so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from django.db.backends.base.operations import BaseDatabaseOperations

from audit import guard


@contextmanager
def emptied() -> Iterator[None]:
    """Let Django empty the tables between two tests; after that it says that it has migrated, which lays them anew."""
    flush = BaseDatabaseOperations.execute_sql_flush

    def execute(self: BaseDatabaseOperations, sql_list: Iterable[str]) -> None:
        statements = list(sql_list)
        if any("audit_entry" in statement for statement in statements):
            guard.lift(self.connection)
        flush(self, statements)

    BaseDatabaseOperations.execute_sql_flush = execute  # type: ignore[method-assign]  # Django's, which asks nobody
    try:
        yield
    finally:
        BaseDatabaseOperations.execute_sql_flush = flush  # type: ignore[method-assign]
