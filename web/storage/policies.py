"""What each retention policy would free, by its newest plan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import BigIntegerField, Case, F, Sum, Value, When
from django.urls import reverse

from cleanup.models import RetentionRun, RunRepository
from registries.models import Registry

_RUNS: Final = 20  # the newest: one of a policy that is older says little
_MOST: Final = 12


@dataclass(frozen=True, slots=True)
class Freeing:
    """What the newest plan of one policy says, and when it was made; no `tags` where all of it was carried out.

    `size`: bytes that nothing else uses. `is_exact`: else it is that at least, since what only repositories share that
    all lose it is counted for the whole plan alone.
    """

    policy: str
    href: str
    tags: int
    size: int
    is_exact: bool
    as_of: datetime | None


def freeings_of(registries: Iterable[Registry]) -> list[Freeing]:
    """None while no policy has a plan. One query."""
    runs = RetentionRun.objects.filter(registry__in=list(registries), planned_at__isnull=False)
    rows = list(
        RunRepository.objects.filter(run__in=runs.newest_first().values("pk")[:_RUNS])
        .values("policy", "run_id", "run__state", "run__frees", "run__frees_is_exact", "run__planned_at")
        .annotate(going=Sum(_open("doomed")), size=Sum(_open("frees")))
        .order_by("-run_id", "policy")
    )
    policies = Counter(row["run_id"] for row in rows)
    found: dict[str, Freeing] = {}
    for row in rows:
        is_whole = policies[row["run_id"]] == 1 and row["run__state"] == RetentionRun.State.PLANNED
        found.setdefault(
            row["policy"],
            Freeing(
                row["policy"],
                reverse("cleanup-run", args=[row["run_id"]]),
                tags=row["going"],
                size=row["run__frees"] if is_whole else row["size"],
                is_exact=is_whole and row["run__frees_is_exact"],
                as_of=row["run__planned_at"],
            ),
        )
    return sorted(found.values(), key=lambda one: (-one.size, one.policy))[:_MOST]


def _open(name: str) -> Case:
    """What is still to be done of a repository."""
    return Case(When(state=RunRepository.State.PLANNED, then=F(name)), default=Value(0), output_field=BigIntegerField())
