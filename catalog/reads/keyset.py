"""Lists that are paged by key, so that page 1,000 costs what page 1 does, whatever is written meanwhile.

A page begins after the last row of the one before it, by (sort column, id). Its token is opaque to people and
trusted by nobody: one that was bent, or that belongs to another order, is page one.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Generic, Self, TypeVar

from django.db.models import Model, Q, QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_datetime

RowT = TypeVar("RowT", bound=Model)

SIZE: Final = 28  # of a page: what a person looks through, and a list may weigh
CAP: Final = 1000  # beyond it a count says "1,000+"
_LARGEST: Final = 2**63 - 1
_LONGEST_TOKEN: Final = 2000


@dataclass(frozen=True, slots=True)
class Column:
    """A column to sort by: a field that is bytes, an int or a datetime, and never null."""

    field: str
    kind: type[bytes | int | datetime]
    largest_first: bool = False  # what a first click on its head gives
    is_unique: bool = False  # no two rows are equal in it, so that it is the whole order


@dataclass(frozen=True, slots=True)
class Order:
    """A column and a direction, as `?sort=` names them: `size`, or `-size` for the other way round."""

    name: str
    column: Column
    descending: bool

    @classmethod
    def parse(cls, text: str | None, columns: Mapping[str, Column]) -> Self:
        """The order that `text` names; the first of `columns` for anything else."""
        name = (text or "").removeprefix("-")
        if name not in columns:
            name, text = next(iter(columns)), ""
        column = columns[name]
        return cls(name, column, column.largest_first != (text or "").startswith("-"))

    @property
    def text(self) -> str:
        return self.name if self.descending == self.column.largest_first else f"-{self.name}"

    @property
    def turned(self) -> str:
        """The same column the other way round."""
        return f"-{self.name}" if self.descending == self.column.largest_first else self.name


@dataclass(frozen=True, slots=True)
class Page(Generic[RowT]):
    """Some rows of a list, and how to go on in both directions."""

    rows: list[RowT]
    count: int
    count_is_capped: bool
    previous: str | None = None
    next: str | None = None

    @property
    def is_whole(self) -> bool:
        """Everything is on this page."""
        return not self.previous and not self.next


@dataclass(frozen=True, slots=True)
class _Place:
    """Beside which row a page begins, and on which side of it."""

    backward: bool
    value: bytes | int | datetime
    pk: int

    def write(self, order: Order) -> str:
        value: Any = self.value
        if isinstance(value, bytes):
            value = base64.b64encode(value).decode()
        elif isinstance(value, datetime):
            value = value.isoformat()
        text = json.dumps([order.text, int(self.backward), value, self.pk], separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def read(cls, token: str | None, order: Order) -> Self | None:
        """None for no token, a bent one, and one of another order."""
        if not token or len(token) > _LONGEST_TOKEN or not token.isascii():
            return None
        try:
            padded = token + "=" * (-len(token) % 4)
            name, backward, value, pk = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
            if name != order.text or backward not in {0, 1} or not _is_count(pk):
                return None
            return cls(bool(backward), _read_value(value, order.column), pk)
        except (ValueError, TypeError, OverflowError, binascii.Error, RecursionError):
            return None


def _read_value(value: Any, column: Column) -> bytes | int | datetime:
    if column.kind is int:
        if not _is_count(value):
            raise ValueError("not a count")
        return int(value)
    if not isinstance(value, str):
        raise TypeError("not a text")
    if column.kind is bytes:
        return base64.b64decode(value, validate=True)
    moment = parse_datetime(value)
    if moment is None or timezone.is_naive(moment):
        raise ValueError("not a moment")
    return moment.astimezone(UTC)  # here, where a moment before the first year is a bent token and no fault


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LARGEST


def is_token(text: str, order: Order) -> bool:
    """Whether `text` is the token of a page in `order`; what only a machine asks can be refused else."""
    return _Place.read(text, order) is not None


def place_of(token: str | None, order: Order) -> tuple[int, bool] | None:
    """The key of the row beside which a page begins, and whether it leads backward; None for what is no token."""
    place = _Place.read(token, order)
    return (place.pk, place.backward) if place else None


def paged(  # noqa: PLR0913  three ways in which lists differ
    rows: QuerySet[RowT],
    order: Order,
    token: str | None,
    *,
    size: int = SIZE,
    known: int | None = None,
    begins_anew: bool = True,
    whole: Callable[[Any], QuerySet[RowT]] | None = None,
) -> Page[RowT]:
    """One page of `rows` in `order`. Two queries: the rows, and a count that stops at `CAP`, unless it is `known`.

    `whole` joins to rows what is shown of them, and gives them the field of `order` where it is none of theirs. It is
    asked of the page alone: a database that must sort would else join everything that it sorts.
    Where the rows after a token are gone, page one follows; not so unless it `begins_anew`: then the page is empty,
    since whoever follows `next` until there is none would never end.
    """
    place = _Place.read(token, order)
    if whole is not None and known is None and place is None:
        return _first_page(rows, order, size, whole)
    count = rows.order_by()[: CAP + 1].count() if known is None else known
    found = _beside(rows, order, place, size, whole)
    if place and ((not found and begins_anew) or (place.backward and len(found) <= size)):
        place, found = None, _beside(rows, order, None, size, whole)  # the beginning was reached: show all of page one
    more, found = len(found) > size, found[:size]
    backward = bool(place and place.backward)
    if backward:
        found.reverse()
    return Page(
        rows=found,
        count=min(count, CAP),
        count_is_capped=count > CAP,
        previous=_token(found[0], order, backward=True) if place and found else None,
        next=_token(found[-1], order, backward=False) if found and (more or backward) else None,
    )


def _first_page(rows: QuerySet[RowT], order: Order, size: int, whole: Callable[[Any], QuerySet[RowT]]) -> Page[RowT]:
    """What is to be counted is read in order, so that what the page begins with need not be found once more."""
    ordering = _ordering(order, falling=order.descending)
    keys = list(rows.order_by(*ordering).values_list("pk", flat=True)[: CAP + 1])
    found = list(whole(rows.model._default_manager.filter(pk__in=keys[:size])).order_by(*ordering))  # noqa: SLF001
    following = _token(found[-1], order, backward=False) if found and len(keys) > size else None
    return Page(found, min(len(keys), CAP), count_is_capped=len(keys) > CAP, next=following)


def _beside(
    rows: QuerySet[RowT],
    order: Order,
    place: _Place | None,
    size: int,
    whole: Callable[[Any], QuerySet[RowT]] | None,
) -> list[RowT]:
    """`size` rows and one more, which says that there are more; going backward they come the wrong way round."""
    backward = bool(place and place.backward)
    falling = order.descending != backward
    if place:
        rows = rows.filter(_past(order.column, place, falling=falling))
    ordering = _ordering(order, falling=falling)
    found = rows.order_by(*ordering)[: size + 1]
    if whole is None:
        return list(found)
    return list(whole(rows.model._default_manager.filter(pk__in=found.values("pk"))).order_by(*ordering))  # noqa: SLF001


def _ordering(order: Order, *, falling: bool) -> list[str]:
    sign, fields = "-" if falling else "", (order.column.field, "pk")
    return [f"{sign}{field}" for field in (fields[:1] if order.column.is_unique else fields)]


def _past(column: Column, place: _Place, *, falling: bool) -> Q:
    """The rows after `place`. The outer bound is one range of the index; the inner choice settles ties."""
    beyond, field = ("lt" if falling else "gt"), column.field
    if column.is_unique:
        return Q(**{f"{field}__{beyond}": place.value})
    tie = Q(**{f"pk__{beyond}": place.pk})
    return Q(**{f"{field}__{beyond}e": place.value}) & (Q(**{f"{field}__{beyond}": place.value}) | tie)


def _token(row: Model, order: Order, *, backward: bool) -> str:
    value = getattr(row, order.column.field)
    return _Place(backward, bytes(value) if isinstance(value, memoryview) else value, row.pk).write(order)


def token_after(row: Model, order: Order) -> str:
    """The token of the page that begins after `row`."""
    return _token(row, order, backward=False)
