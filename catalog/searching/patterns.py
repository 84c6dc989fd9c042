"""Patterns as `docker image ls --filter reference=` takes them: `*/api:1.*`, where `*` stops at a slash."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final, Self

from django.db.models import CharField, Lookup, QuerySet, Value
from django.db.models.functions import Length, Replace

from catalog.models import Repository, Tag

_PATTERN: Final = re.compile(r"[A-Za-z0-9._/:*?\[\]^-]+")
_SPECIAL: Final = frozenset("*?[")
_CLASS: Final = re.compile(r"\[\^?[A-Za-z0-9._-]+\]")


@CharField.register_lookup
class Glob(Lookup):
    """`name__glob`: a whole value against a pattern, small and capital letters apart."""

    lookup_name = "glob"

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        """Databases without GLOB take a regular expression."""
        left, left_values = self.process_lhs(compiler, connection)
        right, (pattern,) = self.process_rhs(compiler, connection)
        if connection.vendor == "sqlite":
            return f"{left} GLOB {right}", [*left_values, pattern]
        # LIKE is asked first, since it is quicker than the regular expression and leaves little to it.
        values = [*left_values, _like(str(pattern)), *left_values, _expression(str(pattern))]
        return f"({left} LIKE {right} AND {left} ~ {right})", values


def _expression(pattern: str) -> str:
    """The same as a regular expression of the whole."""
    out, at = "", 0
    while at < len(pattern):
        if some := _CLASS.match(pattern, at):
            out, at = out + some[0], some.end()
            continue
        letter = pattern[at]
        out += {"*": "[^/]*", "?": "[^/]"}.get(letter) or re.escape(letter)
        at += 1
    return f"^{out}$"


def _like(pattern: str) -> str:
    """What fits the pattern fits this for LIKE, and more."""
    return "".join(
        {"*": "%", "?": "_"}.get(piece) or ("_" if piece.startswith("[") else re.sub(r"([%_\\])", r"\\\1", piece))
        for piece in re.split(rf"({_CLASS.pattern}|[*?])", pattern)
    )


@dataclass(frozen=True, slots=True)
class Pattern:
    """`tag` is "" where any will do."""

    name: str
    tag: str = ""

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """None for a text that is no pattern: without anything special, or with what no name can hold."""
        if not _SPECIAL & set(text) or not _PATTERN.fullmatch(text) or not _is_balanced(text):
            return None
        head, slash, last = text.rpartition("/")
        name, _, tag = last.partition(":")
        return cls(f"{head}{slash}{name}", tag) if name else None

    def without_host(self, host: str) -> Self | None:
        """What follows `host`, where the pattern begins with it."""
        rest = self.name.removeprefix(f"{host}/")
        return type(self)(rest, self.tag) if rest != self.name else None

    def repositories(self, rows: QuerySet[Repository]) -> QuerySet[Repository]:
        """Those whose whole name fits. With as many slashes in both, no `*` can have swallowed one."""
        slashes = Length("name") - Length(Replace("name", Value("/"), Value("")))
        return rows.alias(slashes=slashes).filter(name__glob=self.name, slashes=self.name.count("/"))

    def tags(self, rows: QuerySet[Tag]) -> QuerySet[Tag]:
        return rows.filter(name__glob=self.tag) if self.tag else rows


def _is_balanced(text: str) -> bool:
    """Its brackets make classes of letters, which both databases read alike."""
    rest = _CLASS.sub("", text)
    return "[" not in rest and "]" not in rest and "^" not in rest
