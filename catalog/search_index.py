"""The index behind searching tags by any part of their name: trigrams, as each database has them.

On SQLite it is a table beside the tags that triggers keep; on PostgreSQL an index of its extension pg_trgm, another for
the names of repositories, which SQLite reads quickly enough, one that holds all a search within a repository reads, and
statistics of names. A database that has none is searched row by row.

Two characters are no trigram, but there are only so many that a third can make of them.
"""

from __future__ import annotations

import re
from functools import cache
from string import ascii_lowercase, digits
from typing import Any, Final

from django.db import DatabaseError, connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BooleanField, F, Func, Q, QuerySet, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import StrIndex, Upper
from django.db.models.lookups import GreaterThan

from catalog.models.tags import Tag, TagQuerySet

TABLE: Final = "catalog_tag_trigrams"
_MAKE_TRIGGERS: Final = (
    """
    CREATE TRIGGER catalog_tag_trigrams_insert AFTER INSERT ON catalog_tag
    BEGIN INSERT INTO catalog_tag_trigrams (rowid, name) VALUES (new.id, new.name || ' '); END
    """,
    """
    CREATE TRIGGER catalog_tag_trigrams_delete AFTER DELETE ON catalog_tag
    BEGIN
        INSERT INTO catalog_tag_trigrams (catalog_tag_trigrams, rowid, name) VALUES ('delete', old.id, old.name || ' ');
    END
    """,
)
# It holds neither the names nor where the trigrams stand in them: what is found is asked of the tags themselves. The
# space at the end of each name lets any two characters of it begin a trigram.
_SQLITE: Final = (
    "DROP TRIGGER IF EXISTS catalog_tag_trigrams_insert",
    "DROP TRIGGER IF EXISTS catalog_tag_trigrams_delete",
    "DROP TABLE IF EXISTS catalog_tag_trigrams",
    """
    CREATE VIRTUAL TABLE catalog_tag_trigrams
    USING fts5(name, content='', tokenize='trigram', detail='none', columnsize=0)
    """,
    *_MAKE_TRIGGERS,
    "INSERT INTO catalog_tag_trigrams (rowid, name) SELECT id, name || ' ' FROM catalog_tag",
)
_TRIGGERS: Final = """
SELECT COUNT(*) FROM sqlite_master
WHERE type = 'trigger' AND name IN ('catalog_tag_trigrams_insert', 'catalog_tag_trigrams_delete')
"""
_POSTGRESQL: Final = (
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    "CREATE INDEX IF NOT EXISTS catalog_tag_search ON catalog_tag USING gin (upper(name::text) gin_trgm_ops)",
    "CREATE INDEX IF NOT EXISTS catalog_repository_search ON catalog_repository USING gin (name gin_trgm_ops)",
    # All names of one repository and where they point, without a look at the tags themselves.
    """
    CREATE INDEX IF NOT EXISTS catalog_tag_names ON catalog_tag (repository_id, name)
    INCLUDE (presence_id) WHERE gone_at IS NULL
    """,
    # How often which text stands in a name: else the planner takes every search for one that finds next to nothing.
    'CREATE STATISTICS IF NOT EXISTS catalog_tag_capitals ON (upper(name COLLATE "C")) FROM catalog_tag',
)
_LEAST: Final = 2  # characters that are looked for in any part of a name
_CHARACTERS: Final = f"{ascii_lowercase}{digits}_.-"  # of a tag's name, where capitals count as small letters
_LONGEST: Final = 128  # of them
_BESIDE: Final = "[0-9A-Z_.-]"
# pg_trgm takes marks for spaces between words, and looks nothing up by a part of one that is less than this.
_LOOKED_UP: Final = re.compile(r"[a-z0-9]{3}|[a-z0-9]{2}[_.-]|[_.-][a-z0-9]")


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
    return int(count) < len(_MAKE_TRIGGERS)


def is_too_short(text: str) -> bool:
    """Whether `text` is looked for as the whole name of a tag alone: all tags would be read for what few may have."""
    return len(text) < _LEAST or not any(map(str.isalnum, text))


def looked_up(tags: TagQuerySet, text: str) -> QuerySet[Tag]:
    """Those of `tags` that contain `text`, in capitals or not, each with its `place`, the larger the newer.

    In the order of their places the newest are found without a look at the others.
    """
    text = text.lower()
    if not set(text) <= set(_CHARACTERS) or len(text) > _LONGEST:
        return tags.none().annotate(place=F("id"))
    if is_too_short(text):
        return tags.filter(name__in={text, text.upper()}).annotate(place=F("id"))
    if connection.vendor == "sqlite" and is_there():
        return _by_table(tags, text)
    is_pair = connection.vendor == "postgresql" and not _LOOKED_UP.search(text)
    return (_by_pair(tags, text.upper()) if is_pair else tags.matching(text)).annotate(place=F("id"))


def _by_table(tags: TagQuerySet, text: str) -> QuerySet[Tag]:
    """The sign keeps SQLite from looking up in the table each tag that it read before."""
    joined = _Says(F("id"), template=f"%(expressions)s = +{TABLE}.rowid")
    fitting = _Says(Value(_trigrams(text)), template=f"{TABLE} MATCH %(expressions)s")
    found: QuerySet[Tag] = tags.matching(text).extra(tables=[TABLE]).filter(joined, fitting)  # noqa: S610
    return found.annotate(place=RawSQL(f"{TABLE}.rowid", ()))  # noqa: S611  no word of anybody


def _trigrams(text: str) -> str:
    """All those of `text`, or any that begins with its two characters, as FTS5 is asked for them."""
    if len(text) == _LEAST:
        return " OR ".join(f'"{text}{third}"' for third in f"{_CHARACTERS} ")
    return " AND ".join(dict.fromkeys(f'"{text[at : at + 3]}"' for at in range(len(text) - 2)))


def _by_pair(tags: TagQuerySet, text: str) -> QuerySet[Tag]:
    """For pg_trgm, by what may stand beside `text`: two letters, or one before marks.

    Where it rather reads all from the end, what is plainly asked first spares it most of the expressions.
    """
    escaped, plainly = re.escape(text), GreaterThan(StrIndex("capitals", Value(text)), 0)
    if text[1:].isalnum():
        beside = Q(capitals__regex=escaped + _BESIDE) | Q(capitals__endswith=text)
    else:
        beside = Q(capitals__regex=_BESIDE + escaped) | Q(capitals__startswith=text)
    return tags.alias(capitals=Upper("name")).filter(beside, plainly)


class _Says(Func):
    output_field = BooleanField()


@cache
def is_there() -> bool:
    return TABLE in connection.introspection.table_names()
