"""Pages of the audit: the entries that are asked for, the newest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from audit.models import Entry
from audit.reads.filters import EntryFilter
from audit.reads.ways import FEW, Way, way_to
from catalog.reads.keyset import CAP, SIZE, Column, Order, Page, paged, place_of, token_after

COLUMNS: Final = {"newest": Column("place", int, largest_first=True, is_unique=True)}
NEWEST_FIRST: Final = Order.parse(None, COLUMNS)


@dataclass(frozen=True, slots=True)
class Entries:
    """A page. Where `looked_back_to` says a time, what is older was not looked at, and the next page does."""

    page: Page[Entry]
    looked_back_to: datetime | None = None

    @property
    def ends_early(self) -> bool:
        """It has room left, and nobody knows whether there is more."""
        return self.looked_back_to is not None


def entries_of(
    asked: EntryFilter, token: str | None, *, size: int = SIZE, begins_anew: bool = True, few: int = FEW
) -> Entries:
    """Six queries at most. Of a token that leads nowhere comes page one, unless it does not begin anew."""
    way = way_to(asked, few)
    if way.is_bounded:
        return _looked_through(way, token, size)
    return Entries(_walked(way, token, size, begins_anew=begins_anew))


def _walked(way: Way, token: str | None, size: int, *, begins_anew: bool) -> Page[Entry]:
    """With one bound at the end where a page begins: of two a database may begin at the one that is farther."""
    place, count = place_of(token, NEWEST_FIRST), way.rows().order_by()[: CAP + 1].count()
    if place:
        start, is_backward = place
        beside = way.above(start) if is_backward else way.below(start)
        page = paged(beside.rows(), NEWEST_FIRST, token, size=size, known=count, begins_anew=False)
        if (page.rows and page.previous) or (not begins_anew and not is_backward):
            return page
    return paged(way.rows(), NEWEST_FIRST, None, size=size, known=count)


def _looked_through(way: Way, token: str | None, size: int) -> Entries:
    """A page of those that are looked at. It leads on only, and says of no more entries than it has."""
    place = place_of(token, NEWEST_FIRST)
    start = place[0] if place and not place[1] else None
    floor = way.floor(start)
    below = way.below(start) if start else way
    page = paged(
        below.rows(floor[0] if floor else 0),
        NEWEST_FIRST,
        token if start else None,
        size=size,
        known=0,
        begins_anew=False,
    )
    count = len(page.rows)
    if page.next or not floor:
        return Entries(Page(page.rows, count, count_is_capped=bool(page.next or start), next=page.next))
    return Entries(Page(page.rows, count, count_is_capped=True, next=token_to(floor[0])), looked_back_to=floor[1])


def token_to(entry_id: int) -> str:
    """The token of the page that begins after the entry of that id."""
    entry = Entry(pk=entry_id)
    entry.place = entry_id  # type: ignore[attr-defined]  # as `rows` gives it
    return token_after(entry, NEWEST_FIRST)
