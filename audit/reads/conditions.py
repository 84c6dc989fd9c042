"""One thing that is asked of entries, and whether an index has the answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce

from audit.models import Entry


@dataclass(frozen=True, slots=True)
class Condition:
    """`is_ordered`: an index has the entries of it by their ids. All fields that `q` names have to be said."""

    q: Q
    name: str
    is_ordered: bool = True
    is_indexed: bool = True

    @classmethod
    def equal(cls, field: str, value: Any) -> Self:
        return cls(Q(**{field: value}), field)

    def beside(self, rows: QuerySet[Entry]) -> QuerySet[Entry]:
        """Those of `rows` that fit, in a way that no index is taken for it: another leads to the rows."""
        return rows.alias(**{_plain(field): hidden(field) for field in _fields(self.q)}).filter(_unindexed(self.q))


def hidden(field: str) -> Coalesce:
    """`field`, so that no database finds an index of it."""
    return Coalesce(F(field), F(field))


def _plain(field: str) -> str:
    return f"plain_{field}"


def _fields(q: Q) -> set[str]:
    found: set[str] = set()
    for child in q.children:
        found |= _fields(child) if isinstance(child, Q) else {_named(child)[0].partition("__")[0]}
    return found


def _unindexed(q: Q) -> Q:
    children = [_unindexed(child) if isinstance(child, Q) else _elsewhere(*_named(child)) for child in q.children]
    return Q(*children, _connector=q.connector, _negated=q.negated)


def _elsewhere(lookup: str, value: Any) -> tuple[str, Any]:
    return _plain(lookup), value


def _named(child: Any) -> tuple[str, Any]:
    """Of all that a condition may consist of, ours have lookups with a value."""
    lookup, value = child
    return lookup, value
