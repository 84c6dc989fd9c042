"""Millions of rows into an empty database: without its indexes, which are made when all rows are there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from django.apps import apps
from django.core.management.color import no_style
from django.db import DatabaseError, connection, models, transaction

from catalog import search_index
from catalog.planning import learn_sizes
from catalog.rows import table

_TOGETHER: Final = 20_000  # rows of a table that are written at once
# Nobody else has the database open, and one that was not filled to its end is made anew.
_QUICK: Final = {"foreign_keys": "OFF", "journal_mode": "OFF", "synchronous": "OFF", "cache_size": "-1000000"}
_SQLITE_INDEXES: Final = (
    "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
    " AND (tbl_name LIKE 'catalog_%' OR tbl_name = 'audit_entry')"
)
_SQLITE_TRIGGERS: Final = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'catalog_tag'"
_POSTGRESQL_INDEXES: Final = """
SELECT indexname, indexdef FROM pg_indexes
WHERE (tablename LIKE 'catalog\\_%' OR tablename = 'audit_entry') AND schemaname = current_schema()
AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = indexname)
"""


class Loader:
    """Takes rows of the catalog's models, of others by `app.Model`; what is left goes to the database at the end."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, tuple[str, ...]], list[Sequence[Any]]] = {}

    def add(self, model: str, columns: tuple[str, ...], rows: Sequence[Sequence[Any]]) -> None:
        waiting = self._waiting.setdefault((model, columns), [])
        waiting += rows
        if len(waiting) >= _TOGETHER:
            self._write(model, columns)

    def finish(self) -> None:
        for model, columns in self._waiting:
            self._write(model, columns)

    def _write(self, model: str, columns: tuple[str, ...]) -> None:
        waiting, row = self._waiting[model, columns], _model(model)
        write = _copy if connection.vendor == "postgresql" else _insert
        write(table(row), [connection.ops.quote_name(name) for name in columns], waiting)
        waiting.clear()


def _model(name: str) -> type[models.Model]:
    return apps.get_model(name if "." in name else f"catalog.{name}")


def _insert(table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """By the driver itself, which takes what the database keeps."""
    places = ", ".join("?" * len(columns))
    statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})"  # noqa: S608  our own names
    connection.connection.executemany(statement, rows)


def _copy(table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy,
    ):
        for row in rows:
            copy.write_row(row)


@contextmanager
def loading() -> Iterator[Loader]:
    """In one transaction; the indexes are there again, and the planner knows the rows, when it ends."""
    with _quick(), transaction.atomic():
        again = _without_indexes()
        loader = Loader()
        yield loader
        loader.finish()
        _execute(*again)
        search_index.prepare(connection)
        _count_on()
    if connection.vendor == "postgresql":
        _execute("VACUUM (ANALYZE)")  # as it does by itself, after a while
    learn_sizes()


@contextmanager
def _quick() -> Iterator[None]:
    """SQLite as it is quickest, and afterwards as it was: without a journal nothing can be taken back."""
    if connection.vendor != "sqlite":
        yield
        return
    before = {name: _fetch(f"PRAGMA {name}")[0][0] for name in _QUICK}
    _set(_QUICK)
    try:
        yield
    finally:
        _set(before)


def _set(pragmas: Mapping[str, object]) -> None:
    _execute(*(f"PRAGMA {name}={value}" for name, value in pragmas.items()))


def _without_indexes() -> list[str]:
    """What makes them again."""
    if connection.vendor == "sqlite":
        indexes = _fetch(_SQLITE_INDEXES)
        _execute(*(f"DROP TRIGGER {name}" for name, _ in _fetch(_SQLITE_TRIGGERS)))  # the search is filled at the end
    else:
        indexes = _fetch(_POSTGRESQL_INDEXES)
        _execute("SET LOCAL synchronous_commit = off", "SET LOCAL maintenance_work_mem = '512MB'")
        _without_checks()
    _execute(*(f"DROP INDEX {connection.ops.quote_name(name)}" for name, _ in indexes))
    return [statement for _, statement in indexes]


def _without_checks() -> None:
    """A check of each key takes longer than its row; a role that may not leave them out waits."""
    try:
        with transaction.atomic():
            _execute("SET LOCAL session_replication_role = replica")
    except DatabaseError:
        pass


def _count_on() -> None:
    """The next ids come after ours; SQLite sees to that itself."""
    rows: list[type[models.Model]] = [*apps.get_app_config("catalog").get_models(), apps.get_model("audit.Entry")]
    _execute(*connection.ops.sequence_reset_sql(no_style(), rows))


def _fetch(statement: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())


def _execute(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
