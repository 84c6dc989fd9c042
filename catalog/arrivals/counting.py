"""Pulls and pushes counted: by the day, and pulls every few seconds on the row that lists sort too."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final

from django.db.models import Max, Sum
from django.utils import timezone

from catalog.models import Presence, PullDay, PushDay, Repository
from catalog.rows import execute, moment, table, update

KEPT: Final = timedelta(days=60)  # counts of pushes: lists draw the last two weeks
_TOGETHER: Final = 200  # presences that are told at once
_PRUNED: Final = 1_000  # counts of pushes that are dropped at once
_BY_DAY: Final = timedelta(days=90)  # of pulls; what was before is one count, so no image has ever more


def count(repository: Repository, pulls: Sequence[tuple[str, datetime, int]]) -> None:
    """Count pulls, each the digest, when it was and how many, of what the repository has; in the caller's transaction.

    Days are those of UTC.
    """
    places = _places(repository, {digest for digest, _, _ in pulls})
    days: dict[tuple[int, date], tuple[int, datetime]] = {}
    for digest, when, number in pulls:
        if digest in places:
            day = (places[digest], _day(when))
            before, last = days.get(day, (0, when))
            days[day] = before + number, max(last, when)
    execute(
        f"INSERT INTO {table(PullDay)} AS day (presence_id, day, pulls, last_at, is_folded)"  # noqa: S608  our own names
        " VALUES (%s, %s, %s, %s, %s) ON CONFLICT (presence_id, day) DO UPDATE SET pulls = day.pulls + excluded.pulls,"
        " last_at = CASE WHEN day.last_at < excluded.last_at THEN excluded.last_at ELSE day.last_at END,"
        " is_folded = excluded.is_folded",
        [(pk, str(day), number, moment(last), False) for (pk, day), (number, last) in days.items()],
    )


def count_pushes(repository: Repository, pushes: Sequence[tuple[datetime, int]]) -> None:
    """Count pushes to the repository, each when it was and how many; in the caller's transaction."""
    days = Counter[date]()
    for when, number in pushes:
        days[_day(when)] += number
    execute(
        f"INSERT INTO {table(PushDay)} AS day (repository_id, day, pushes) VALUES (%s, %s, %s)"  # noqa: S608  our own names
        " ON CONFLICT (repository_id, day) DO UPDATE SET pushes = day.pushes + excluded.pushes",
        [(repository.pk, str(day), number) for day, number in sorted(days.items())],
    )


def _day(when: datetime) -> date:
    return when.astimezone(UTC).date()


def _places(repository: Repository, digests: set[str]) -> Mapping[str, int]:
    rows = Presence.objects.present().filter(repository=repository, manifest__digest__in=digests)
    return dict(rows.values_list("manifest__digest", "pk"))


def prune(now: datetime) -> None:
    """Drop some of the counts that no list shows any more. Those of pulls stay: an image's own count is their sum."""
    old = PushDay.objects.filter(day__lt=_day(now - KEPT))
    PushDay.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:_PRUNED])).delete()


def are_due() -> bool:
    return PullDay.objects.filter(is_folded=False).exists()


def fold() -> int:
    """Tell the images of pulls that were counted since; how many. Inside the caller's transaction."""
    due = PullDay.objects.filter(is_folded=False)
    places = sorted(set(due.values_list("presence", flat=True)[:_TOGETHER]))
    _sum_up(places)
    sums = PullDay.objects.filter(presence__in=places).order_by().values_list("presence")
    rows = sums.annotate(pulls=Sum("pulls"), last=Max("last_at"))
    update(Presence, ("pulls", "pulled"), [(pulls, moment(last), pk) for pk, pulls, last in rows])
    due.filter(presence__in=places).update(is_folded=True)
    return len(places)


def _sum_up(places: Sequence[int]) -> None:
    first = _day(timezone.now() - _BY_DAY)
    old: dict[int, list[PullDay]] = {}
    for row in PullDay.objects.filter(presence__in=places, day__lt=first).order_by("presence", "day"):
        old.setdefault(row.presence_id, []).append(row)
    several = [rows for rows in old.values() if len(rows) > 1]
    sums = [(sum(row.pulls for row in rows), moment(max(row.last_at for row in rows)), rows[-1].pk) for rows in several]
    update(PullDay, ("pulls", "last_at"), sums)
    PullDay.objects.filter(pk__in=[row.pk for rows in several for row in rows[:-1]]).delete()
