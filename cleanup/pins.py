"""Pins: what clusters say they run stays, until they have not said so for a while."""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from audit.models import Entry
from audit.services import record
from catalog.models import Blob, IndexEntry, Manifest, Presence, Repository
from catalog.policy import MAX_DEPTH
from catalog.recording.chunks import by_number
from catalog.rows import insert, moment, select, table
from cleanup.models import Pin, PinHolder
from cleanup.models.pins import HOLDER
from oci.errors import InvalidName, printable
from oci.names import Digest
from registries.models import Registry
from tagging.permission import check_may_administer

if TYPE_CHECKING:
    from access.models import User

MOST: Final = 100_000  # digests of one report
HOURS: Final = 72  # that a pin holds, where a report does not say
MOST_HOURS: Final = 24 * 366
_SHOWN: Final = 5  # of what was no digest
_SHOWN_LENGTH: Final = 120
_TOGETHER: Final = 500  # rows that are written in one transaction
_PRUNED: Final = 5_000
_HOLDER: Final = re.compile(HOLDER)
_IN_USE: Final = gettext_noop("in use, says %(holder)s until %(time)s UTC")
SENTENCES: Final = (_IN_USE,)


class InvalidReport(Exception):  # noqa: N818  it says what cannot be taken, by `field`
    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field, self.sentence = field, sentence


@dataclass(frozen=True, slots=True)
class Told:
    """What a report came to: `unread` is how much of it was no digest, and `samples` the first of that."""

    holder: str
    digests: int
    until: datetime
    unread: int
    samples: tuple[str, ...]


def digest_in(text: object) -> str | None:
    """The digest in what a cluster or docker calls an image; None where there is none.

    `sha256:…`, or whatever ends in `@sha256:…` or `//sha256:…`, as docker-pullable://team/app@sha256:….
    """
    if not isinstance(text, str):
        return None
    try:
        return str(Digest.parse(text.strip().rpartition("@")[2].rpartition("/")[2]))
    except InvalidName:
        return None


def report(holder: str, texts: Collection[object], person: User, hours: int = HOURS) -> Told:
    """Pin these digests for so long. What the holder had said before, and does not say now, ends at its own time.

    Raises NotPermitted and InvalidReport.
    """
    check_may_administer(person)
    if not _HOLDER.fullmatch(holder):
        raise InvalidReport("holder", "a name of letters, digits, and . _ - after the first, 63 at most")
    if not 1 <= hours <= MOST_HOURS:
        raise InvalidReport("for_hours", f"from 1 to {MOST_HOURS:,}")
    if len(texts) > MOST:
        raise InvalidReport("digests", f"{MOST:,} at most; split them among several holders")
    found: dict[str, None] = {}
    unread: list[object] = []
    for text in texts:
        if (digest := digest_in(text)) is None:
            unread.append(text)
        else:
            found[digest] = None
    now = timezone.now()
    until = now + timedelta(hours=hours)
    row, _ = PinHolder.objects.get_or_create(name=holder)
    _write(row, found, until)
    with transaction.atomic():
        PinHolder.objects.filter(pk=row.pk).update(
            told_at=now, told_by=str(person), told=len(found), unread=len(unread)
        )
        record([_entry(Entry.Act.PIN, holder, len(found), person, now)])
    samples = tuple(printable(str(text), _SHOWN_LENGTH) for text in unread[:_SHOWN])
    return Told(holder, len(found), until, len(unread), samples)


def _write(holder: PinHolder, digests: Iterable[str], until: datetime) -> None:
    """In short transactions: whoever dies in between has pinned some of them, and nothing less than before."""
    for piece in by_number(digests, _TOGETHER):
        with transaction.atomic():
            Pin.objects.filter(holder=holder, digest__in=piece).update(until=until)
            insert(Pin, ("holder_id", "digest", "until"), [(holder.pk, digest, moment(until)) for digest in piece])


def forget(holder: PinHolder, person: User) -> int:
    """Let go of all that a holder has pinned, at once; how much that was. Raises NotPermitted."""
    check_may_administer(person)
    now = timezone.now()
    held = holder.pins.filter(until__gt=now).count()
    _empty(Pin.objects.filter(holder=holder).values_list("pk", flat=True))
    with transaction.atomic():
        holder.delete()
        record([_entry(Entry.Act.UNPIN, holder.name, held, person, now)])
    return held


def prune(now: datetime) -> None:
    """Forget pins that ended, and holders that have had none for as long as a pin holds."""
    _empty(Pin.objects.filter(until__lte=now).values_list("pk", flat=True))
    PinHolder.objects.filter(pins=None, told_at__lte=now - timedelta(hours=HOURS)).delete()


def _empty(keys: Iterable[int]) -> None:
    for piece in by_number(list(keys), _PRUNED):
        for some in by_number(piece, _TOGETHER):
            Pin.objects.filter(pk__in=some).delete()


def pinned_among(registry: Registry, digests: Collection[str]) -> dict[str, str]:
    """Which of these manifests are in use, each with a sentence that says who says so.

    Pinned is what a pin names, by its own digest or that of its config; each index in the registry that lists, at any
    depth, what is pinned; and all that such an index lists. A few queries for each 5,000 digests.
    """
    if not Pin.objects.filter(until__gt=timezone.now()).exists():
        return {}
    family = _Family(registry, digests)
    said = directly_pinned({*digests, *family.names})
    pinned = {name: said[text] for text in family.names.keys() & said.keys() for name in family.names[text]}
    pinned |= {digest: said[digest] for digest in digests if digest in said}  # also what the catalog never read
    family.spread(pinned)
    return {digest: pinned[digest] for digest in digests if digest in pinned}


def directly_pinned(digests: Collection[str]) -> dict[str, str]:
    """Those that a pin names itself; of several, the one that lasts longest says so."""
    lasting = f"until > '{moment(timezone.now())}'"
    longest: dict[str, tuple[datetime, int]] = {}
    for digest, until, holder in select(Pin, ("digest", "until", "holder_id"), "digest", digests, lasting):
        longest[digest] = max(longest.get(digest, (_as_moment(until), holder)), (_as_moment(until), holder))
    names = dict(PinHolder.objects.values_list("pk", "name")) if longest else {}
    return {
        digest: _IN_USE % {"holder": names[holder], "time": _minute(until)}
        for digest, (until, holder) in longest.items()
        if holder in names
    }


class _Family:
    """Manifests with the indexes above them and all that these list, as the catalog knows them.

    `names`: which manifests are meant by each digest, of themselves or of their configs.
    """

    def __init__(self, registry: Registry, digests: Collection[str]) -> None:
        self.names: dict[str, set[str]] = {}
        self._registry = registry
        self._digests: dict[int, str] = {}
        self._configs: dict[int, set[str]] = {}
        self._lists: dict[str, set[str]] = {}  # what each index lists
        self._ascend(self._read("digest", digests))
        self._descend()
        for blob, digest in select(Blob, ("id", "digest"), "id", self._configs):
            self.names.setdefault(digest, set()).update(self._configs[blob])

    def spread(self, pinned: dict[str, str]) -> None:
        """Add to `pinned` the indexes that list what is pinned, and then what these list."""
        for _ in range(MAX_DEPTH):
            for index, listed in self._lists.items():
                if index not in pinned and (child := next((child for child in listed if child in pinned), None)):
                    pinned[index] = pinned[child]
        for _ in range(MAX_DEPTH):
            for index in self._lists.keys() & pinned.keys():
                for child in self._lists[index]:
                    pinned.setdefault(child, pinned[index])

    def _read(self, column: str, among: Collection[object]) -> set[int]:
        rows = select(Manifest, ("id", "digest", "config_id"), column, among)
        for pk, digest, config in rows:
            self._digests[pk] = digest
            self.names.setdefault(digest, set()).add(digest)
            if config is not None:
                self._configs.setdefault(config, set()).add(digest)
        return {pk for pk, _, _ in rows}

    def _ascend(self, level: set[int]) -> None:
        for _ in range(MAX_DEPTH):
            above = {index for (index,) in select(IndexEntry, ("index_id",), "child_id", level)}
            level = self._read("id", self._here(above - self._digests.keys()))

    def _descend(self) -> None:
        level = set(self._digests)
        for _ in range(MAX_DEPTH):
            below: set[int] = set()
            for index, digest, child in select(IndexEntry, ("index_id", "digest", "child_id"), "index_id", level):
                self._lists.setdefault(self._digests[index], set()).add(digest)
                self.names.setdefault(digest, set()).add(digest)
                if child is not None:
                    below.add(child)
            level = self._read("id", below - self._digests.keys())

    def _here(self, manifests: Collection[int]) -> set[int]:
        """Those that are, or were, in the registry: what no tag reaches any more may lie there still."""
        mine = f"repository_id IN (SELECT id FROM {table(Repository)} WHERE registry_id = {self._registry.pk:d})"  # noqa: S608  our own names
        return {pk for (pk,) in select(Presence, ("manifest_id",), "manifest_id", manifests, mine)}


def _as_moment(value: Any) -> datetime:
    """As a driver gives it: SQLite's has no zone, and is UTC."""
    at = datetime.fromisoformat(value) if isinstance(value, str) else value
    assert isinstance(at, datetime)  # noqa: S101  the column holds nothing else
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _minute(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M}"


def _entry(act: Entry.Act, holder: str, digests: int, person: User, now: datetime) -> Entry:
    return Entry(
        key=f"{act.value}:{secrets.token_hex(16)}",
        at=now,
        act=act,
        outcome=Entry.Outcome.DONE,
        actor=str(person),
        actor_id=person.pk,
        detail=f"{holder} ({digests:,})",
    )
