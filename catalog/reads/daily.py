"""How often images were pulled and repositories pushed to, by the day, as events told."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, timedelta
from typing import Final

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from catalog.models import Presence, PullDay, PushDay, Repository
from catalog.models.repositories import LONG_AGO
from catalog.reads.keyset import Page

PULLS: Final = 30  # days that are drawn
PUSHES: Final = 14


def pull_days_of(presences: Iterable[Presence]) -> dict[int, list[int]]:
    """By presence the pulls of each of the last `PULLS` days, the oldest first; those without any are left out.

    One query, and none where no event told of a pull.
    """
    pulled = [presence.pk for presence in presences if presence.pulled_at]
    if not pulled:
        return {}
    days = PullDay.objects.filter(presence__in=pulled, day__gte=_first(PULLS))
    return _by_day(days.values_list("presence", "day", "pulls"), PULLS)


def add_pushes(page: Page[Repository]) -> bool:
    """Each row gets `pushes_by_day`, of the last `PUSHES` days, the oldest first; whether there is any. One query."""
    days = PushDay.objects.filter(repository__in=[row.pk for row in page.rows], day__gte=_first(PUSHES))
    found = _by_day(days.values_list("repository", "day", "pushes"), PUSHES) if page.rows else {}
    for row in page.rows:
        row.pushes_by_day = found.get(row.pk, [])  # type: ignore[attr-defined]
    return bool(found)


def _first(days: int) -> date:
    return timezone.now().astimezone(UTC).date() - timedelta(days=days - 1)


def _by_day(counts: Iterable[tuple[int, date, int]], days: int) -> dict[int, list[int]]:
    first, found = _first(days), dict[int, list[int]]()
    for pk, day, number in counts:
        if 0 <= (place := (day - first).days) < days:  # a clock may be ahead
            found.setdefault(pk, [0] * days)[place] = number
    return found


def with_pulls(repositories: QuerySet[Repository]) -> QuerySet[Repository]:
    """Each with `tells_of_pulls`: whether an event told of a pull of an image in it."""
    pulled = Presence.objects.tagged().filter(repository=OuterRef("pk"), pulled__gt=LONG_AGO)
    return repositories.annotate(tells_of_pulls=Exists(pulled))
