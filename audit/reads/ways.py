"""Which way leads to the entries that are asked for, so that it takes as long in two million as in two thousand.

Lists are in the order of ids. An index that has what is asked for by id is walked as far as a page needs. Where more is
asked for than an index has, either something of it is rare, and all its entries are looked at; or the newest are looked
at, so many and no more, and what lies beyond is looked at by whoever wants to go on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final, Self

from django.db.models import F, IntegerField, Q, QuerySet, Subquery

from audit.models import Entry
from audit.reads.conditions import Condition, hidden
from audit.reads.filters import EntryFilter

FEW: Final = 5_000  # entries that may be looked at for one page: each may be a read of its own from a disk
# An entry may be dated so much before it gets its id, for which its act has to end.
_LATEST: Final = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Way:
    """How to find them: by `by` (None: by their ids), with `others` looked at in each. `way_to` makes it."""

    by: Condition | None = None
    others: tuple[Condition, ...] = ()
    after: int = 0  # their ids are larger than this,
    before: int | None = None  # and smaller than this
    when: Q = field(default_factory=Q)  # the time, of which ids tell nearly all
    is_bounded: bool = False  # only `few` are looked at, of what may be many more
    few: int = FEW

    @property
    def is_walked(self) -> bool:
        return self.by is None or self.by.is_ordered

    def below(self, start: int) -> Self:
        return replace(self, before=min(start, self.before or start))

    def above(self, start: int) -> Self:
        return replace(self, after=max(start, self.after))

    def rows(self, floor: int = 0) -> QuerySet[Entry]:
        """Each with its `place`, the larger the newer; none below `floor`."""
        rows = self._walked(floor) if self.is_walked else self._sorted()
        for other in self.others:
            rows = other.beside(rows)
        return rows.alias(told=hidden("at")).filter(self.when) if self.when else rows

    def floor(self, start: int | None) -> tuple[int, datetime] | None:
        """Id and time of the last entry that is looked at for a page of those before `start`, two queries at most.

        None where all are, or may be.
        """
        if not self.is_bounded:
            return None
        if self.by is not None:
            last = self._walked(0).filter(Q(pk__lt=start) if start else Q()).order_by("-pk")[self.few : self.few + 1]
        else:
            top = start or self.before or newest()
            last = Entry.objects.filter(pk__lte=top - self.few, pk__gt=self.after).order_by("-pk")[:1]
        return Entry.objects.filter(pk__in=last.values("pk")).values_list("pk", "at").first()

    def _walked(self, floor: int) -> QuerySet[Entry]:
        rows = Entry.objects.filter(self.by.q) if self.by else Entry.objects.all()
        if low := max(self.after, floor - 1):
            rows = rows.filter(pk__gt=low)
        return (rows if self.before is None else rows.filter(pk__lt=self.before)).annotate(place=F("id"))

    def _sorted(self) -> QuerySet[Entry]:
        """All are found, and then sorted: no index has the sum."""
        rows = Entry.objects.filter(self.by.q if self.by else Q()).annotate(place=F("id") + 0)
        if self.after:
            rows = rows.filter(place__gt=self.after)
        return rows if self.before is None else rows.filter(place__lt=self.before)


def way_to(asked: EntryFilter, few: int = FEW) -> Way:
    """Two queries at most: one for the time, one for how much there is of what is asked for."""
    way, conditions = replace(_way_of_time(asked), few=few), list(asked.conditions())
    if not conditions:
        return way
    if len(conditions) == 1 and conditions[0].is_ordered:
        return replace(way, by=conditions[0])
    if way.before is not None and way.before - way.after <= few:
        return replace(way, others=tuple(conditions))
    indexed = [condition for condition in conditions if condition.is_indexed]
    counts = _counts(indexed, few)
    rarest = min(indexed, key=lambda condition: counts[condition.name], default=None)
    if rarest and counts[rarest.name] < few:
        return replace(way, by=rarest, others=_without(conditions, rarest))
    walked = next((condition for condition in indexed if condition.is_ordered), None)
    return replace(way, by=walked, others=_without(conditions, walked), is_bounded=True)


def _without(conditions: Sequence[Condition], taken: Condition | None) -> tuple[Condition, ...]:
    return tuple(condition for condition in conditions if condition is not taken)


def _way_of_time(asked: EntryFilter) -> Way:
    """The ids between which the entries of a time are, and the time itself for those at the ends.

    What is dated long enough before was there when the first of them came, and what is dated long enough after came
    when the last was there.
    """
    if not asked.since and not asked.until:
        return Way()
    when, ends = Q(), {"top": Entry.objects.order_by("-pk")}
    if asked.since:
        when &= Q(told__gte=asked.since)
        ends["after"] = Entry.objects.filter(at__lte=_moved(asked.since, -_LATEST)).order_by("-at")
    if asked.until:
        when &= Q(told__lt=asked.until)
        ends["before"] = Entry.objects.filter(at__gte=_moved(asked.until, _LATEST)).order_by("at")
    newest = Entry.objects.order_by("-pk").annotate(
        **{f"of_{name}": Subquery(rows.values("pk")[:1]) for name, rows in ends.items()}
    )
    found = dict(zip(ends, newest.values_list(*(f"of_{name}" for name in ends)).first() or (), strict=False))
    top = found.get("top")
    before = found.get("before") or (None if top is None else top + 1)
    return Way(after=found.get("after") or 0, before=before, when=when)


def _moved(moment: datetime, by: timedelta) -> datetime:
    """No further than time goes."""
    try:
        return moment + by
    except OverflowError:
        return moment


def _counts(conditions: Sequence[Condition], most: int) -> dict[str, int]:
    """How many entries there are of each, `most` at most. One query."""
    counts = {
        f"of_{condition.name}": _CountOf(Entry.objects.filter(condition.q).order_by().values("pk")[:most])
        for condition in conditions
    }
    row = Entry.objects.order_by("-pk").annotate(**counts).values_list(*counts).first() if counts else None
    return dict(zip((condition.name for condition in conditions), row or [0] * len(counts), strict=True))


def newest() -> int:
    """The id of the newest entry; 0 where there is none."""
    return Entry.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


class _CountOf(Subquery):
    template = "(SELECT COUNT(*) FROM (%(subquery)s) counted)"

    def __init__(self, rows: QuerySet[Entry, Any]) -> None:
        super().__init__(rows, output_field=IntegerField())
