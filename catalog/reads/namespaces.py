"""The namespaces of repositories, with how many stand in each and below."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

from django.db.models import Count

from catalog.models.repositories import RepositoryQuerySet

MOST: Final = 100  # in a list to choose from; the filter by name finds the others


@dataclass(frozen=True, slots=True, order=True)
class Namespace:
    name: str
    repositories: int


@dataclass(frozen=True, slots=True)
class Namespaces:
    """`largest` are in the order of their names; `repositories` counts also those without a namespace."""

    repositories: int
    count: int
    largest: tuple[Namespace, ...]


def count_namespaces(repositories: RepositoryQuerySet) -> Namespaces:
    """One query. A repository `a/b/c` counts for `a/b` and for `a`."""
    rows = list(repositories.order_by().values_list("namespace").annotate(Count("id")))
    totals: Counter[str] = Counter()
    for namespace, repositories_in_it in rows:
        parts = namespace.split("/") if namespace else []
        for depth in range(1, len(parts) + 1):
            totals["/".join(parts[:depth])] += repositories_in_it
    largest = sorted(Namespace(name, count) for name, count in totals.most_common(MOST))
    return Namespaces(
        repositories=sum(count for _, count in rows),
        count=sum(1 for namespace, _ in rows if namespace),
        largest=tuple(largest),
    )
