"""The database of the audit without its triggers, as somebody has it who owns it; tests empty their tables so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from django.contrib.auth.management import create_permissions
from django.contrib.contenttypes.management import create_contenttypes
from django.core.management.commands.flush import Command as Flush
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.operations import BaseDatabaseOperations
from django.db.models.signals import post_migrate

from audit import guard

_TRUNCATE: Final = "TRUNCATE "
_ANEW: Final = " RESTART IDENTITY"
_PERMISSIONS: Final = "django.contrib.auth.management.create_permissions"
# They name the models and what may be done with them: as each migration leaves them, no test changes them, and to lay
# them anew takes longer than all else.
_STAY: Final = ('"django_content_type"', '"auth_permission"')
_HELD: Final = "SELECT '{name}', pg_relation_size('{name}') WHERE EXISTS (SELECT FROM {name})"
_DELETE: Final = "DELETE FROM {name};"
_GROWN: Final = 2**20  # bytes, of which most may be rows that were deleted


@contextmanager
def emptied() -> Iterator[None]:
    """Let Django empty the tables between two tests; after that it says that it has migrated, which lays them anew."""
    flush, command = BaseDatabaseOperations.execute_sql_flush, Flush.handle

    def execute(self: BaseDatabaseOperations, sql_list: Iterable[str]) -> None:
        statements = _but_what_stays(sql_list)
        if self.connection.vendor == "postgresql":
            statements = _of_what_holds_rows(self.connection, statements)
        if any("audit_entry" in statement for statement in statements):
            guard.lift(self.connection)
        flush(self, statements)

    def handle(self: Flush, **options: Any) -> None:
        post_migrate.disconnect(create_contenttypes)
        post_migrate.disconnect(dispatch_uid=_PERMISSIONS)
        try:
            command(self, **options)
        finally:
            post_migrate.connect(create_contenttypes)
            post_migrate.connect(create_permissions, dispatch_uid=_PERMISSIONS)

    BaseDatabaseOperations.execute_sql_flush = execute  # type: ignore[method-assign]  # Django's, which asks nobody
    Flush.handle = handle  # type: ignore[method-assign]
    try:
        yield
    finally:
        BaseDatabaseOperations.execute_sql_flush = flush  # type: ignore[method-assign]
        Flush.handle = command  # type: ignore[method-assign]


def _of_what_holds_rows(connection: BaseDatabaseWrapper, statements: list[str]) -> list[str]:
    """To truncate makes files anew, for seventy tables where a test wrote to five: of those few the rows are deleted.

    In any order: what refers to another table is looked at in the end. What has grown is truncated after all.
    """
    truncating = "".join(statements)
    names, anew, _ = truncating.removeprefix(_TRUNCATE).rstrip(";").partition(_ANEW)
    if anew or not names:
        return statements
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(_HELD.format(name=name) for name in names.split(", ")))
        held = cursor.fetchall()
    if any(size > _GROWN for _, size in held):
        return statements
    return [_DELETE.format(name=name) for name, _ in held]


def _but_what_stays(statements: Iterable[str]) -> list[str]:
    """SQLite has a statement for each table, PostgreSQL one for all of them, maybe with numbers that begin anew."""
    left = []
    for statement in statements:
        if statement.startswith(_TRUNCATE):
            names, anew, _ = statement.removeprefix(_TRUNCATE).rstrip(";").partition(_ANEW)
            left.append(f"{_TRUNCATE}{', '.join(name for name in names.split(', ') if name not in _STAY)}{anew};")
        elif not any(name in statement for name in _STAY):
            left.append(statement)
    return left
