"""What lies at one level of a registry, with the bytes that each place alone uses: they add up to what is stored.

The bytes that several places use, or that something outside uses too, are those that no place has alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Count, F, QuerySet, Sum, Window

from catalog.models import NamespaceTotal, Repository
from catalog.policy import MOST_BYTES
from registries.models import Registry

MOST: Final = 24  # places of a level that stand by themselves
_HALF: Final = 2**20  # sizes are summed in two halves, since a pusher chooses them


@dataclass(frozen=True, slots=True)
class Piece:
    """A namespace with all below it, or a repository: pushed = unique + shared + saved."""

    path: str
    is_namespace: bool
    unique: int  # bytes that nothing outside it uses
    stored: int
    pushed: int
    repositories: int = 1

    @property
    def shared(self) -> int:
        return max(0, self.stored - self.unique)

    @property
    def saved(self) -> int:
        return max(0, self.pushed - self.stored)


@dataclass(frozen=True, slots=True)
class Level:
    """The pieces that are largest alone, and how many others there are, with the bytes that each of those has alone."""

    pieces: tuple[Piece, ...] = ()
    others: int = 0
    others_unique: int = 0

    @property
    def unique(self) -> int:
        return min(MOST_BYTES, sum(piece.unique for piece in self.pieces) + self.others_unique)


@dataclass(frozen=True, slots=True)
class _Found:
    pieces: list[Piece]
    count: int
    unique: int


def level_at(registry: Registry, namespace: str) -> Level:
    """What lies right in `namespace`, "" for the top. Two queries, each of a piece of an index."""
    below = NamespaceTotal.objects.filter(registry=registry, parent=namespace).exclude(namespace="")
    inside = Repository.objects.live().filter(registry=registry, namespace=namespace)
    found = [_namespaces(below), _repositories(inside)]
    pieces = sorted((piece for each in found for piece in each.pieces), key=lambda piece: -piece.unique)[:MOST]
    count, unique = sum(each.count for each in found), sum(each.unique for each in found)
    rest = max(0, unique - sum(piece.unique for piece in pieces))
    return Level(tuple(pieces), count - len(pieces), min(MOST_BYTES, rest))


def _namespaces(rows: QuerySet[NamespaceTotal]) -> _Found:
    found = _largest(rows, "namespace", "stored", "repositories")
    return _sums(found, (Piece(r[0], True, r[1], r[4], r[2], r[5]) for r in found))  # noqa: FBT003  a namespace


def _repositories(rows: QuerySet[Repository]) -> _Found:
    """One may have lost bytes since they were counted: it has none alone that it has not at all."""
    found = _largest(rows, "name", "size")
    return _sums(found, (Piece(r[0], False, min(r[1], r[4]), r[4], r[2]) for r in found))  # noqa: FBT003  none


def _largest(rows: QuerySet[Any], name: str, *more: str) -> list[Any]:
    """Name, what it has alone, pushed, and of all rows together the count and both halves of what each has alone."""
    counted = rows.annotate(
        every=Window(Count("pk")),
        high=Window(Sum(F("unique") / _HALF)),
        low=Window(Sum(F("unique") % _HALF)),
    )
    return list(
        counted.order_by("-unique", "-pk").values_list(name, "unique", "pushed", "every", *more, "high", "low")[:MOST]
    )


def _sums(found: Sequence[Any], pieces: Iterable[Piece]) -> _Found:
    if not found:
        return _Found([], 0, 0)
    return _Found(list(pieces), int(found[0][3]), int(found[0][-2]) * _HALF + int(found[0][-1]))
