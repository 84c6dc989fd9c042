"""The index behind searching tags by any part of their name: trigrams, as each database has them.

On SQLite it is a table beside the tags that triggers keep; on PostgreSQL an index of its extension pg_trgm, another for
the names of repositories, which SQLite reads quickly enough, and one that holds all a search within a repository reads.
A database that has none is searched row by row.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from django.db import DatabaseError, connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BooleanField, F, Func, QuerySet, Value
from django.db.models.expressions import RawSQL

from catalog.models.tags import Tag, TagQuerySet

TABLE: Final = "catalog_tag_search"
# Without positions the table is half as large, and LIKE then asks the rows themselves.
_MAKE_TABLE: Final = """
CREATE VIRTUAL TABLE IF NOT EXISTS catalog_tag_search
USING fts5(name, content='catalog_tag', content_rowid='id', tokenize='trigram', detail='none', columnsize=0)
"""
_MAKE_TRIGGERS: Final = (
    """
    CREATE TRIGGER IF NOT EXISTS catalog_tag_search_insert AFTER INSERT ON catalog_tag
    BEGIN INSERT INTO catalog_tag_search (rowid, name) VALUES (new.id, new.name); END
    """,
    """
    CREATE TRIGGER IF NOT EXISTS catalog_tag_search_delete AFTER DELETE ON catalog_tag
    BEGIN INSERT INTO catalog_tag_search (catalog_tag_search, rowid, name) VALUES ('delete', old.id, old.name); END
    """,
)
_REBUILD: Final = "INSERT INTO catalog_tag_search (catalog_tag_search) VALUES ('rebuild')"
_SQLITE: Final = (_MAKE_TABLE, *_MAKE_TRIGGERS, _REBUILD)
_TRIGGERS: Final = "SELECT COUNT(*) FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'catalog_tag'"
_POSTGRESQL: Final = (
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    "CREATE INDEX IF NOT EXISTS catalog_tag_search ON catalog_tag USING gin (upper(name::text) gin_trgm_ops)",
    "CREATE INDEX IF NOT EXISTS catalog_repository_search ON catalog_repository USING gin (name gin_trgm_ops)",
    # All names of one repository and where they point, without a look at the tags themselves.
    """
    CREATE INDEX IF NOT EXISTS catalog_tag_names ON catalog_tag (repository_id, name)
    INCLUDE (presence_id) WHERE gone_at IS NULL
    """,
)
_LEAST: Final = 3  # letters of a trigram


def prepare(connection: BaseDatabaseWrapper) -> None:
    """Make what is lacking of the index; a database that has no trigrams stays without.

    After each migration too: SQLite makes a table that is altered anew, and forgets its triggers.
    """
    try:
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            if connection.vendor == "postgresql" or _lacks_triggers(cursor):
                for statement in _POSTGRESQL if connection.vendor == "postgresql" else _SQLITE:
                    cursor.execute(statement)
    except DatabaseError:
        pass
    is_there.cache_clear()


def _lacks_triggers(cursor: Any) -> bool:
    cursor.execute(_TRIGGERS)
    (count,) = cursor.fetchone()
    return int(count) == 0


def fits(text: str) -> bool:
    """Whether tags that contain `text` are to be looked up in `TABLE`; PostgreSQL's planner finds its index itself."""
    return len(text) >= _LEAST and connection.vendor == "sqlite" and is_there()


def looked_up(tags: TagQuerySet, text: str) -> QuerySet[Tag]:
    """Those of `tags` that contain `text`, which `fits`, each with its `place` in the table, the larger the newer.

    In the order of their places the table gives the newest without looking at the others. The sign keeps SQLite from
    looking up there each tag that it read before.
    """
    joined = _Says(F("id"), template=f"%(expressions)s = +{TABLE}.rowid")
    fitting = _Says(Value(f"%{text}%"), template=f"{TABLE}.name LIKE %(expressions)s")
    # In LIKE `_` is any letter, so what it finds is asked once more.
    found: QuerySet[Tag] = tags.matching(text).extra(tables=[TABLE]).filter(joined, fitting)  # noqa: S610
    return found.annotate(place=RawSQL(f"{TABLE}.rowid", ()))  # noqa: S611  no word of anybody


class _Says(Func):
    output_field = BooleanField()


@cache
def is_there() -> bool:
    return TABLE in connection.introspection.table_names()
