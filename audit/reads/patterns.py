"""Patterns of names in which `*` stands for anything, a slash too: `team/*`, `*/api`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Self

from django.db.models import CharField, Lookup, Q

from audit.reads.conditions import Condition

_MOST_STARS: Final = 4  # with each more it may take longer to see that a name does not fit
_PATTERN: Final = re.compile(r"[a-z0-9._/*-]+")
_AFTER: Final = "\x7f"  # after all that a name can hold


@CharField.register_lookup
class FitsStars(Lookup):
    """`name__fits_stars`: a whole value against a pattern that `Starred` read."""

    lookup_name = "fits_stars"

    def get_prep_lookup(self) -> Any:
        return self.rhs

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        left, left_values = self.process_lhs(compiler, connection)
        right, (pattern,) = self.process_rhs(compiler, connection)
        if connection.vendor == "sqlite":
            return f"{left} GLOB {right}", [*left_values, pattern]
        return f"{left} LIKE {right}", [*left_values, re.sub(r"([%_\\])", r"\\\1", str(pattern)).replace("*", "%")]


@dataclass(frozen=True, slots=True)
class Starred:
    """`text` is "" where no name can fit."""

    text: str

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """None for a text that is no pattern, since no star is in it."""
        if "*" not in text:
            return None
        text = re.sub(r"\*+", "*", text)
        fits = _PATTERN.fullmatch(text) and text.count("*") <= _MOST_STARS
        return cls(text if fits else "")

    def conditions(self, field: str, vendor: str) -> Iterator[Condition]:
        """What stands before the first star is a range of the index; the rest is looked at."""
        if not self.text:
            yield Condition(Q(pk__in=[]), field, is_ordered=False, is_indexed=False)
            return
        before, _, rest = self.text.partition("*")
        if before:
            yield Condition(_begins_with(field, before, vendor), field, is_ordered=False)
        if rest:
            yield Condition(Q(**{f"{field}__fits_stars": self.text}), field, is_ordered=False, is_indexed=False)


def _begins_with(field: str, before: str, vendor: str) -> Q:
    """SQLite compares by bytes; PostgreSQL may not, and has an index of its own for how a text begins."""
    if vendor == "sqlite":
        return Q(**{f"{field}__gte": before, f"{field}__lt": before + _AFTER})
    return Q(**{f"{field}__startswith": before})
