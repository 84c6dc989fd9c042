"""The namespaces of one registry or of several as a tree, as the last complete scans counted them.

A name may be a namespace and a repository at once. Names that several registries have are one place of the tree.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from operator import attrgetter
from typing import Final

from catalog.models import NamespaceTotal
from catalog.planning import unindexed
from registries.models import Registry

MOST: Final = 50  # of one level at once
_MOST_BESIDE: Final = 30


@dataclass(frozen=True)
class Namespace:
    """One place in the tree, with its row of each registry that has it.

    `registry` is the name of the first one in which a repository has this name too, "" where none has.
    """

    rows: tuple[NamespaceTotal, ...]
    registry: str

    @property
    def path(self) -> str:
        return self.rows[0].namespace

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.path.rpartition("/")[2]

    @property
    def repositories(self) -> int:
        """How many there are in it and below."""
        return sum(row.repositories for row in self.rows)

    @property
    def has_below(self) -> bool:
        return any(row.has_below for row in self.rows)


@dataclass(frozen=True)
class Level:
    """Namespaces that lie in one, in the order of their names; `next` is the one after which there are more."""

    namespaces: tuple[Namespace, ...] = ()
    next: str = ""


@dataclass(frozen=True)
class Tree:
    """Where a reader is in the tree: the way there, what lies in it, and what lies beside it."""

    namespace: str  # "" at the top
    path: tuple[Namespace, ...]  # from the outside, itself last; what was not counted is left out
    below: Level
    beside: Level

    @cached_property
    def here(self) -> Namespace | None:
        """The namespace itself; None at the top, and where no scan has counted it."""
        return self.path[-1] if self.path and self.path[-1].path == self.namespace else None

    @property
    def parent(self) -> str:
        return self.namespace.rpartition("/")[0]

    @property
    def is_empty(self) -> bool:
        return not (self.path or self.below.namespaces or self.beside.namespaces)


def levels_of(namespace: str) -> list[str]:
    """The whole name of each level, from the outside, the namespace itself last."""
    parts = namespace.split("/") if namespace else []
    return ["/".join(parts[:depth]) for depth in range(1, len(parts) + 1)]


def tree_at(registries: Iterable[Registry], namespace: str, after: str = "") -> Tree:
    """The tree around `namespace`, "" for the top; its level begins after the namespace `after`.

    One query at the top, else three, each of a piece of an index, however many namespaces there are.
    """
    names = {registry.pk: registry.name for registry in registries}
    below = _level(names, namespace, MOST, after)
    if not namespace:
        return Tree("", (), below, Level())
    rows = NamespaceTotal.objects.filter(registry__in=names, namespace__in=levels_of(namespace))
    path = sorted(_grouped(rows.order_by("namespace"), names), key=lambda place: len(place.path))
    return Tree(namespace, tuple(path), below, _beside(names, namespace))


def _level(names: Mapping[int, str], parent: str, most: int, after: str) -> Level:
    """Each registry has a row of a namespace, so that so many rows hold at least `most` of them, and one more."""
    rows = NamespaceTotal.objects.filter(parent=parent).exclude(namespace="")
    if len(names) == 1:
        rows = rows.filter(registry__in=names)
    else:  # not by an index of registries, which has not the order of names
        rows = rows.alias(of=unindexed("registry_id")).filter(of__in=names)
    if after:
        rows = rows.filter(namespace__gt=after)
    found = _grouped(rows.order_by("namespace")[: (most + 1) * len(names)], names)
    return Level(tuple(found[:most]), found[most - 1].path if len(found) > most else "")


def _beside(names: Mapping[int, str], namespace: str) -> Level:
    level = _level(names, namespace.rpartition("/")[0], _MOST_BESIDE + 1, "")
    others = [place for place in level.namespaces if place.path != namespace]
    is_more = bool(level.next) or len(others) > _MOST_BESIDE
    shown = tuple(others[:_MOST_BESIDE])
    return Level(shown, shown[-1].path if is_more and shown else "")


def _grouped(rows: Iterable[NamespaceTotal], names: Mapping[int, str]) -> list[Namespace]:
    """Of rows in the order of their names, which is the database's own."""
    found = []
    for _, same in groupby(rows, key=attrgetter("namespace")):
        mine = tuple(same)
        found.append(Namespace(mine, next((names[row.registry_id] for row in mine if row.is_repository), "")))
    return found
