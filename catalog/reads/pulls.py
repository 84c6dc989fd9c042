"""How often images were pulled, by the day, as events told."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, timedelta
from typing import Final

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from catalog.models import Presence, PullDay, Repository
from catalog.models.repositories import LONG_AGO

DAYS: Final = 30


def pull_days_of(presences: Iterable[Presence]) -> dict[int, list[int]]:
    """By presence the pulls of each of the last `DAYS` days, the oldest first; those without any are left out.

    One query, and none where no event told of a pull.
    """
    pulled = [presence.pk for presence in presences if presence.pulled_at]
    if not pulled:
        return {}
    first = timezone.now().astimezone(UTC).date() - timedelta(days=DAYS - 1)
    found: dict[int, list[int]] = {}
    days = PullDay.objects.filter(presence__in=pulled, day__gte=first)
    for presence, day, pulls in days.values_list("presence", "day", "pulls"):
        if (place := (day - first).days) < DAYS:  # a clock may be ahead
            found.setdefault(presence, [0] * DAYS)[place] = pulls
    return found


def with_pulls(repositories: QuerySet[Repository]) -> QuerySet[Repository]:
    """Each with `tells_of_pulls`: whether an event told of a pull of an image in it."""
    pulled = Presence.objects.tagged().filter(repository=OuterRef("pk"), pulled__gt=LONG_AGO)
    return repositories.annotate(tells_of_pulls=Exists(pulled))
