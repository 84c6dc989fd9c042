"""What a repository says of itself in lists: its newest image, its last change, what was pushed, what is broken."""

from __future__ import annotations

from typing import Any, Final

from django.db import connection

from catalog.facets import ATTACHED
from catalog.models import Presence, Repository, Tag
from catalog.models.repositories import LONG_AGO
from catalog.policy import MOST_BYTES
from catalog.rows import moment, table, update
from jobs.running import Lease

_COLUMNS: Final = ("newest_id", "changed_at", "pushed", "problem_count", "facets")
_HALF: Final = 2**20  # sizes are summed in two halves, since a pusher chooses them
_FOR_PEOPLE: Final = f"facets & {ATTACHED} = 0"


def unsettle(repository: Repository) -> None:
    """Say that `refresh` is due, in the transaction that writes in it: whoever is killed before that is found out.

    One that was never seen whole needs no saying.
    """
    if repository.is_settled and repository.scanned_at is not None:
        repository.is_settled = False
        update(Repository, ("is_settled",), [(False, repository.pk)])


def refresh(lease: Lease, repository_id: int, **settled: Any) -> None:
    """Work it out anew, write what differs, or all with what is `settled`. Plain SQL, since a scan asks for thousands.

    A repository last changed when an image came, or a tag moved or went.
    """
    newest = _newest(repository_id, _FOR_PEOPLE) or _newest(repository_id, "1 = 1")
    gone, moved, unreadable = _row(
        "SELECT MAX(gone_at), MAX(CASE WHEN moved_at > first_seen THEN moved_at END),"  # noqa: S608  our own names
        f" COUNT(CASE WHEN gone_at IS NULL AND problem <> '' THEN 1 END) FROM {table(Tag)} WHERE repository_id = %s",
        repository_id,
    )
    high, low, broken = _row(
        f"SELECT SUM(size / {_HALF}), SUM(MOD(size, {_HALF})), COUNT(CASE WHEN state <> 'whole' THEN 1 END)"  # noqa: S608  our own names
        f" FROM {table(Presence)} WHERE repository_id = %s AND tag_count > 0",
        repository_id,
    )
    dated = moment(newest[1]) if newest and newest[2] != Presence.DatedBy.FOUND.value else None
    values = (
        newest[0] if newest else None,
        max((when for when in (gone, moved, dated) if when is not None), default=moment(LONG_AGO)),
        min(MOST_BYTES, int(high or 0) * _HALF + int(low or 0)),
        unreadable + broken,
        _facets(repository_id),
    )
    if settled or not _is_as_it_was(repository_id, values):
        with lease.writing():
            update(Repository, (*_COLUMNS, *settled), [(*values, *settled.values(), repository_id)])


def _is_as_it_was(repository_id: int, values: tuple[Any, ...]) -> bool:
    before = _row(f"SELECT {', '.join(_COLUMNS)} FROM {table(Repository)} WHERE id = %s", repository_id)  # noqa: S608  our own names
    return bool((before[0], moment(before[1]), *before[2:]) == values)


def _newest(repository_id: int, condition: str) -> tuple[Any, ...] | None:
    """Id, date and what that rests on, of the newest image for which `condition` holds."""
    found: tuple[Any, ...] | None = _row(
        f"SELECT id, dated, dated_by FROM {table(Presence)} WHERE repository_id = %s AND tag_count > 0"  # noqa: S608  our own names
        f" AND {condition} ORDER BY dated DESC, lead_key DESC, id DESC LIMIT 1",
        repository_id,
    )
    return found


def _facets(repository_id: int) -> int:
    """Of all its tagged images together; SQLite cannot add bits up."""
    together = 0
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT DISTINCT facets FROM {table(Presence)} WHERE repository_id = %s AND tag_count > 0",  # noqa: S608  our own names
            (repository_id,),
        )
        for (facets,) in cursor.fetchall():
            together |= facets
    return together


def _row(statement: str, repository_id: int) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement, (repository_id,))
        return cursor.fetchone()
