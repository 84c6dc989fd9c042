"""What may be asked of the audit: one value for the pages, for the files and for the API."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Final

from django.db import connection
from django.db.models import Q
from django.utils.dateparse import parse_date, parse_datetime

from audit.models import Entry
from audit.reads.conditions import Condition
from audit.reads.patterns import Starred

_ACT = Entry.Act
# Acts as people think of them, beside the acts themselves.
GROUPS: Final[dict[str, tuple[str, ...]]] = {
    "pushes": (_ACT.PUSH, _ACT.PUSH_AGAIN, _ACT.MOVE),
    "moves": (_ACT.MOVE, _ACT.RETAG, _ACT.RENAME, _ACT.ROLL_BACK, _ACT.REVERT, _ACT.BREACH_MOVE),
    "deletes": (
        _ACT.DELETE_TAG, _ACT.DELETE_MANIFEST, _ACT.REMOVE_REPOSITORY, _ACT.EMPTY_TRASH, _ACT.DELETE_BLOB,
        _ACT.BREACH_DELETE,
    ),
    "breaches": (_ACT.BREACH_MOVE, _ACT.BREACH_DELETE),
}  # fmt: skip
NAMING: Final = (_ACT.PUSH, _ACT.MOVE, _ACT.RETAG, _ACT.COPY, _ACT.RENAME, _ACT.RESTORE, _ACT.ROLL_BACK, _ACT.REVERT)


@dataclass(frozen=True, slots=True)
class EntryFilter:
    """Nothing, "" or None, is no choice. Names are whole, but for `repository`, in which `*` stands for anything."""

    act: str = ""  # one of `Entry.Act`, or of `GROUPS`
    outcome: str = ""
    source: str = ""
    actor: str = ""
    address: str = ""
    registry: str = ""
    registry_id: int | None = None  # of the registry that has this name now; None where none has
    repository: str = ""
    tag: str = ""
    digest: str = ""  # before or after
    since: datetime | None = None
    until: datetime | None = None  # and no longer

    @property
    def any(self) -> bool:
        return self != EntryFilter()

    @property
    def is_of_persons(self) -> bool:
        """It asks for what only those who have signed in are told."""
        return bool(self.actor or self.address)

    def conditions(self) -> Iterator[Condition]:
        """All but the time, those first whose index says most."""
        if self.digest:
            # Of the entries without one before the index has none, so that is said too.
            before = Q(digest_before=self.digest, digest_before__gt="")
            yield Condition(Q(digest_after=self.digest) | before, "digest", is_ordered=False)
        yield from self._of_place()
        for field, value in (("address", self.address), ("actor", self.actor)):
            if value:
                yield Condition.equal(field, value)
        if self.act in GROUPS:
            yield Condition(Q(act__in=GROUPS[self.act]), "act", is_ordered=False)
        elif self.act:
            yield Condition.equal("act", self.act)
        if self.outcome == Entry.Outcome.DONE:
            yield Condition(Q(outcome=self.outcome), "outcome", is_ordered=False, is_indexed=False)
        elif self.outcome:
            undone = ~Q(outcome=Entry.Outcome.DONE)
            yield Condition(Q(outcome=self.outcome) & undone, "outcome")
        if self.source:
            yield Condition.equal("source", self.source)

    def _of_place(self) -> Iterator[Condition]:
        pattern = Starred.parse(self.repository)
        if self.registry_id and self.repository and self.tag and not pattern:
            place = Q(registry_id=self.registry_id, repository=self.repository, tag=self.tag)
            yield Condition(place, "tag")
            return
        if pattern:
            yield from pattern.conditions("repository", connection.vendor)
        elif self.repository:
            yield Condition.equal("repository", self.repository)
        if self.tag:
            yield Condition.equal("tag", self.tag)
        if self.registry_id:
            yield Condition.equal("registry_id", self.registry_id)
        elif self.registry:  # it was forgotten, or never was: its name is all that is left
            yield Condition(Q(registry=self.registry), "registry", is_ordered=False, is_indexed=False)


def moment_in(text: str, *, ends: bool = False) -> datetime | None:
    """A day or a moment as an address says it; a day that `ends` something is over when the next begins.

    None for nothing. Raises ValueError for what is neither.
    """
    if not text:
        return None
    day = parse_date(text)
    if day is not None:
        try:
            return datetime.combine(day + timedelta(days=ends), time.min, UTC)
        except OverflowError as error:
            raise ValueError(text) from error
    moment = parse_datetime(text.replace(" ", "+"))  # what a plus becomes in an address
    if moment is None:
        raise ValueError(text)
    try:
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except OverflowError as error:
        raise ValueError(text) from error


def known_act(text: str) -> str:
    """`text` where it is an act or a group of them, else nothing."""
    return text if text in GROUPS or text in _ACT.values else ""
