"""Verifying the chain: every entry, link and anchor against the hashes, from the first to the head. It only reads."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Exists, OuterRef

from audit.canonical import COLUMNS, START, anchor_hash, link_hash
from audit.models import Anchor, Entry, Link, Unsealed

LATE: Final = timedelta(hours=1)  # no transaction is open for so long
_PAGE: Final = 500  # rows in memory
_UNREADABLE: Final = (ValueError, TypeError, AttributeError)  # SQLite keeps anything in any column; Django trusts it


class Broken(Exception):  # noqa: N818  it says what was found
    """The first row that is not as it was sealed. `what`: entry, link, anchor, unsealed, late or head."""

    def __init__(self, what: str, sentence: str, *, entry: int | None = None, position: int | None = None) -> None:
        super().__init__(sentence)
        self.what, self.sentence, self.entry, self.position = what, sentence, entry, position


@dataclass(frozen=True, slots=True)
class Verdict:
    entries: int  # that fit, from the first on, in whole batches
    waiting: int  # that are in no batch yet
    head: str  # the last anchor that fits; "" where there is none
    broken: Broken | None


def verify(noted: Mapping[int, str]) -> Verdict:
    """Walk the chain. `noted`: hashes of anchors in hex, by their last positions, as somebody has noted them elsewhere.

    What is sealed meanwhile may be walked or not. Entries that wait are proved by nothing yet.
    """
    walk, broken = _Walk(), None
    try:
        passed = {anchor.last for anchor in walk.along() if _is_as_noted(anchor, noted)}
        _check_noted(noted.keys() - passed, walk.position)
        _check_outside()
    except Broken as found:
        broken = found
    return Verdict(walk.position, Unsealed.objects.count(), str(walk.head or ""), broken)


_Row = tuple[Any, ...]


class _Pages:
    """Links with the entries that they name, read some hundred at a time."""

    def __init__(self) -> None:
        self._form = 0
        self._links: dict[int, Link] = {}
        self._rows: dict[int, _Row] = {}

    def at(self, position: int, form: int) -> tuple[Link, _Row | None]:
        """The link, and the columns of its entry as `form` has them. Raises Broken where there is no such link."""
        if position not in self._links or form != self._form:
            links = Link.objects.filter(position__gte=position, position__lt=position + _PAGE)
            self._links = {link.position: link for link in links}
            self._rows, self._form = _rows(form, [link.entry_id for link in self._links.values()]), form
        if position not in self._links:
            raise Broken("link", f"the link at position {position} was removed", position=position)
        link = self._links[position]
        return link, self._rows.get(link.entry_id)


@dataclass
class _Walk:
    """The way from anchor to anchor."""

    head: Anchor | None = None  # the last one that fits
    _pages: _Pages = field(default_factory=_Pages)
    _hash: bytes = START  # that the next link builds on
    _settled: int = 0  # the highest id that had been sealed for an hour when the batch at hand was
    _recent: deque[tuple[datetime, int]] = field(default_factory=deque)  # when others were, and the highest ids in them

    @property
    def position(self) -> int:
        return self.head.last if self.head else 0

    def along(self) -> Iterator[Anchor]:
        """Each anchor, once it and its batch fit. Raises Broken."""
        while True:
            # In this order: what is sealed in between has its anchor when its links are seen.
            stray = Link.objects.filter(position__gt=self.position).order_by("position").first()
            page = _anchors(self.position)
            if not page:
                break
            for anchor in page:
                self._check(anchor)
                yield anchor
        stray = stray or Link.objects.filter(position__lt=1).first()
        if stray:
            sentence = f"the link at position {stray.position} is in no batch: the anchor of it was removed"
            raise Broken("anchor", sentence, entry=stray.entry_id, position=stray.position)

    def _check(self, anchor: Anchor) -> None:
        is_readable = isinstance(anchor.last, int) and isinstance(anchor.sealed_at, datetime)
        if not is_readable or anchor.first != self.position + 1 or anchor.form not in COLUMNS:
            raise _does_not_fit(anchor)
        while self._recent and self._recent[0][0] <= anchor.sealed_at - LATE:
            self._settled = max(self._settled, self._recent.popleft()[1])
        before, highest = self._hash, 0
        for position in range(anchor.first, anchor.last + 1):
            link, row = self._pages.at(position, anchor.form)
            before = self._checked(anchor, before, link, row)
            highest = max(highest, link.entry_id)
        if anchor_hash(before, anchor) != anchor.hash:
            raise Broken("anchor", f"the anchor at position {anchor.last} was changed", position=anchor.last)
        self._hash, self.head = bytes(anchor.hash), anchor
        self._recent.append((anchor.sealed_at, highest))

    def _checked(self, anchor: Anchor, before: bytes, link: Link, row: _Row | None) -> bytes:
        """The hash of the link, which fits what is before it and the entry in `row`."""
        where: Any = {"entry": link.entry_id, "position": link.position}
        place = f"(position {link.position} of the chain)"
        if row is None:
            raise Broken("entry", f"entry {link.entry_id} was removed {place}", **where)
        hash_ = _link_hash(before, anchor.form, row)
        if hash_ == link.hash:
            if link.entry_id <= self._settled:
                sentence = f"entry {link.entry_id} was put in {place}, when higher ids had been sealed for an hour"
                raise Broken("late", sentence, **where)
            return hash_
        if _builds_on(hash_, anchor, link.position):
            raise Broken("link", f"the link of entry {link.entry_id} was changed, not the entry {place}", **where)
        if Anchor.objects.filter(first__lte=anchor.last, last__gt=anchor.last).exists():
            raise _does_not_fit(anchor)
        raise Broken("entry", f"entry {link.entry_id} was changed, or another is in its place {place}", **where)


def _does_not_fit(anchor: Anchor) -> Broken:
    sentence = f"the anchor at position {anchor.last} does not fit between what is before and after it"
    return Broken("anchor", f"{sentence}: it was changed, or one beside it removed", position=anchor.last)


def _anchors(after: int) -> list[Anchor]:
    """The next ones after a position. Raises Broken."""
    try:
        return list(Anchor.objects.filter(last__gt=after).order_by("last")[:_PAGE])
    except _UNREADABLE:
        raise Broken("anchor", f"an anchor after position {after} cannot be read: it was changed") from None


def _rows(form: int, ids: Collection[int]) -> dict[int, _Row]:
    """The columns of these entries, as `form` has them, by id; of one that cannot be read its id alone."""
    ids = [one for one in ids if isinstance(one, int)]
    rows = Entry.objects.values_list(*COLUMNS[form])
    try:
        return {row[0]: row for row in rows.filter(pk__in=ids)}
    except _UNREADABLE:
        return {one: _row(form, one) for one in Entry.objects.filter(pk__in=ids).values_list("pk", flat=True)}


def _row(form: int, one: int) -> _Row:
    try:
        row: _Row = Entry.objects.values_list(*COLUMNS[form]).get(pk=one)
    except _UNREADABLE:
        return (one,)
    return row


def _link_hash(before: bytes, form: int, row: _Row) -> bytes:
    try:
        return link_hash(before, form, row)
    except TypeError:
        return b""


def _builds_on(before: bytes, anchor: Anchor, position: int) -> bool:
    """Whether what comes after `position` in the batch was made when the hash there was `before`."""
    if position == anchor.last:
        return anchor_hash(before, anchor) == anchor.hash
    link = Link.objects.filter(position=position + 1).first()
    row = _rows(anchor.form, [link.entry_id]).get(link.entry_id) if link else None
    return bool(link and row and _link_hash(before, anchor.form, row) == link.hash)


def _is_as_noted(anchor: Anchor, noted: Mapping[int, str]) -> bool:
    """False where nobody noted it. Raises Broken where it is another one."""
    if anchor.last not in noted:
        return False
    if noted[anchor.last] != anchor.hash.hex():
        sentence = f"the anchor at position {anchor.last} is not the one that was noted: the chain was made anew"
        raise Broken("head", sentence, position=anchor.last)
    return True


def _check_noted(missed: Collection[int], end: int) -> None:
    """Raises Broken for the first noted position, where there is no anchor at it."""
    if missed:
        position = min(missed)
        where = f"the chain ends at {end}" if position > end else "no batch ends there"
        sentence = f"position {position} was noted, and {where}: the chain was cut or made anew"
        raise Broken("head", sentence, position=position)


def _check_outside() -> None:
    """Raises Broken for the first entry that is neither in the chain nor waiting, or waits and is no more."""
    sealed = Link.objects.filter(entry_id=OuterRef("pk"))
    waiting = Unsealed.objects.filter(entry_id=OuterRef("pk"))
    entries = Entry.objects.exclude(act=Entry.Act.PULL).filter(~Exists(sealed), ~Exists(waiting))
    one = entries.order_by("pk").values_list("pk", flat=True).first()
    if one is not None:
        raise Broken(
            "unsealed", f"entry {one} is in no batch, and was not recorded by Berth as it should be", entry=one
        )
    gone = Unsealed.objects.filter(~Exists(Entry.objects.filter(pk=OuterRef("entry_id")))).order_by("pk").first()
    if gone is not None:
        raise Broken("entry", f"entry {gone.entry_id} was removed before it was sealed", entry=gone.entry_id)
