"""Dates of images: when they were pushed where a storage folder tells, else what a config or an annotation says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from catalog.models import IndexEntry, Manifest, Presence
from catalog.policy import MAX_DEPTH
from catalog.rows import execute, moment, select, table, update

_INDEX: Final = ("index_id",)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def date_indexes(manifest_ids: Iterable[int]) -> set[int]:
    """Give the indexes above these manifests, and these, the date of their newest child; those that changed."""
    changed: set[int] = set()
    level = set(manifest_ids)
    for _ in range(MAX_DEPTH):
        above = {index for column in ("index_id", "child_id") for (index,) in select(IndexEntry, _INDEX, column, level)}
        level = _date(above)
        if not level:
            break
        changed |= level
    return changed


def _date(index_ids: set[int]) -> set[int]:
    """Those of these indexes whose newest child is newer than what they say."""
    entries = select(IndexEntry, ("index_id", "child_id"), "index_id", index_ids, "child_id IS NOT NULL")
    children = {child for _, child in entries}
    created = _created(children | index_ids)
    newest: dict[int, Any] = {}
    for index, child in entries:
        if child in created and (index not in newest or newest[index] < created[child]):
            newest[index] = created[child]
    rows = [(when, pk) for pk, when in newest.items() if pk not in created or created[pk] < when]
    update(Manifest, ("created",), rows)
    return {pk for _, pk in rows}


def date_presences(manifest_ids: Iterable[int]) -> None:
    """Date by creation what was there when Berth first looked; a date from the future is nobody's."""
    created, found = Presence.DatedBy.CREATED.value, Presence.DatedBy.FOUND.value
    dates = _created(set(manifest_ids))
    execute(
        f"UPDATE {table(Presence)} SET dated = %s, dated_by = %s WHERE manifest_id = %s AND dated_by IN (%s, %s)"  # noqa: S608  our own names
        " AND first_seen >= %s AND dated <> %s",
        [(when, created, pk, found, created, when, when) for pk, when in dates.items()],
    )


def _created(manifest_ids: set[int]) -> dict[int, Any]:
    """When those of them were created that say so."""
    rows = select(Manifest, ("id", "created"), "id", manifest_ids, "created IS NOT NULL")
    return {pk: moment(created) for pk, created in rows}


def date_by_links(newest: Mapping[int, int], now: datetime) -> None:
    """Date presences by the newest link to each, ns since 1970: the only push time that a registry keeps.

    A link from the future is a clock's mistake and says nothing; one that is older than another tag's changes nothing.
    """
    pushed, rows = Presence.DatedBy.PUSHED.value, []
    for pk, linked_ns in newest.items():
        linked = _EPOCH + timedelta(microseconds=linked_ns // 1000)
        if linked <= now:
            rows.append((moment(linked), pushed, pk, pushed, moment(linked)))
    execute(
        f"UPDATE {table(Presence)} SET dated = %s, dated_by = %s WHERE id = %s AND (dated_by <> %s OR dated < %s)",  # noqa: S608  our own names
        rows,
    )
