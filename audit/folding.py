"""Counting old pulls together: those of a day, by one puller, of one tag and digest, become one entry.

They are no part of the chain. Each batch is one transaction that adds as much to the counts as it takes away, so that
whoever is killed between two of them has neither lost nor doubled a pull.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Final, NamedTuple

from django.db import connection

from audit.canonical import COLUMNS, FORM
from audit.models import Entry, EntryQuerySet

BATCH: Final = 500  # entries: well under 200 ms
_SAME: Final = (
    *("registry_id", "registry", "repository", "tag", "digest_before", "digest_after"),
    *("actor", "actor_id", "source", "outcome"),
)
_WORKED_OUT: Final = frozenset({"id", "key", "at", "since", "act", "count"})
_LEFT: Final = tuple(name for name in COLUMNS[FORM] if name not in {*_WORKED_OUT, *_SAME})


class Folded(NamedTuple):
    were: int  # entries that are gone
    are: int  # entries that are new


def days_before(now: datetime, days: int) -> datetime:
    """The beginning of the day, in UTC, that was `days` ago: only whole days are folded."""
    return datetime.combine(now.astimezone(UTC).date() - timedelta(days=days), time.min, UTC)


def to_fold(before: datetime) -> EntryQuerySet:
    """The pulls older than this that are entries of their own; those that are counted together have `since`."""
    return Entry.objects.filter(act=Entry.Act.PULL, since=None, at__lt=before)


def fold(before: datetime) -> Folded:
    """Fold the oldest few of them, in the caller's transaction. Those of a day may take several calls."""
    pulls = list(to_fold(before).order_by("at", "pk")[:BATCH])
    if not pulls:
        return Folded(0, 0)
    groups: defaultdict[str, list[Entry]] = defaultdict(list)
    for pull in pulls:
        groups[_key(pull)].append(pull)
    earlier = list(Entry.objects.filter(key__in=groups))
    for entry in earlier:
        groups[entry.key].append(entry)
    _remove([*pulls, *earlier])
    Entry.objects.bulk_create([_as_one(key, rows) for key, rows in groups.items()])
    return Folded(len(pulls), len(groups) - len(earlier))


def _key(pull: Entry) -> str:
    """The same for all that become one."""
    same = [getattr(pull, name) for name in _SAME]
    text = json.dumps([pull.at.astimezone(UTC).date().isoformat(), *same])
    return f"pulls:{hashlib.sha256(text.encode()).hexdigest()[:56]}"


def _as_one(key: str, rows: Sequence[Entry]) -> Entry:
    """With the id of the last, so that it stands where that stood; of the rest what they all agree on."""
    one = Entry(
        id=max(row.pk for row in rows),
        key=key,
        at=max(row.at for row in rows),
        since=min(row.since or row.at for row in rows),
        act=Entry.Act.PULL,
        count=sum(row.count for row in rows),
        **{name: getattr(rows[0], name) for name in _SAME},
    )
    for name in _LEFT:
        values = {getattr(row, name) for row in rows}
        if len(values) == 1:
            setattr(one, name, values.pop())
    return one


def _remove(rows: Sequence[Entry]) -> None:
    """The only entries that are ever deleted. Raises LookupError where one is gone already: then nothing is folded."""
    places = ", ".join(["%s"] * len(rows))
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM audit_entry WHERE act = 'pull' AND id IN ({places})", [row.pk for row in rows])  # noqa: S608  places alone
        if cursor.rowcount != len(rows):
            raise LookupError("pulls that were to be counted together are gone")
