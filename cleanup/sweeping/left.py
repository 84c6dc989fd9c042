"""Uploads that were begun and that nobody went on with: a sweep notes them in its plan, and removes them after that."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from django.utils import timezone
from django.utils.translation import gettext_noop

from audit.models import Entry
from audit.services import record
from catalog.recording.chunks import by_number
from cleanup.models import Sweep, SweptUpload
from jobs.running import Lease
from oci.names import RepositoryName, parse_repository
from oci.storage import StorageFolder, Upload

LEAST: Final = 3600  # seconds that nobody has written to an upload, however short the grace time is: pushes rest
_ROWS: Final = 1_000
_TOGETHER: Final = 50  # uploads that go before it is told of
_SECOND: Final = 10**9  # nanoseconds
_ENTRY: Final = gettext_noop("%(n)s uploads with %(bytes)s bytes, which nobody went on with")
SENTENCES: Final = (_ENTRY,)


class LeftUploads:
    def __init__(self, sweep: Sweep, lease: Lease, folder: StorageFolder) -> None:
        self._sweep, self._lease, self._folder = sweep, lease, folder
        self._grace = max(sweep.grace_seconds, LEAST)

    def plan(self, repositories: Iterable[RepositoryName], now_ns: int) -> tuple[int, int]:
        """Note those that are older than the grace time: how many they are, and their bytes."""
        before_ns = now_ns - self._grace * _SECOND
        rows = [
            SweptUpload(sweep=self._sweep, repository=name, uuid=upload.uuid, size=upload.size)
            for name in sorted(repositories)
            for upload in self._folder.uploads(name)
            if _is_left(upload, before_ns)
        ]
        with self._lease.writing():
            self._sweep.uploads.all().delete()  # of an attempt that ended in the middle
        for some in by_number(rows, _ROWS):
            with self._lease.writing():
                SweptUpload.objects.bulk_create(some)
        return len(rows), sum(row.size for row in rows)

    def forget_moved(self) -> None:
        """Before any is removed: those that ended since the plan. What is not there after that, we removed."""
        for some in self._open():
            there = self._there(some)
            self._forget([row for row in some if row.uuid not in there])

    def remove(self, now_ns: int) -> None:
        """Raises StorageFault; of what went it is told. What somebody has written to since stays, and is forgotten."""
        before = now_ns / _SECOND - self._grace
        for some in self._open():
            for row in some:
                self._folder.remove_upload(parse_repository(row.repository), row.uuid, untouched_since=before)
            there = self._there(some)
            self._forget([row for row in some if row.uuid in there])
            self._tell([row for row in some if row.uuid not in there])
            self._lease.tell(phase="clearing")

    def _open(self) -> Iterator[list[SweptUpload]]:
        """Some of one repository at a time."""
        by_repository: dict[str, list[SweptUpload]] = {}
        for row in self._sweep.uploads.open().in_order():
            by_repository.setdefault(row.repository, []).append(row)
        for rows in by_repository.values():
            yield from by_number(rows, _TOGETHER)

    def _there(self, rows: Sequence[SweptUpload]) -> set[str]:
        """The uploads of their repository."""
        return {upload.uuid for upload in self._folder.uploads(parse_repository(rows[0].repository))}

    def _forget(self, rows: Sequence[SweptUpload]) -> None:
        if not rows:
            return
        with self._lease.writing():
            SweptUpload.objects.filter(pk__in=[row.pk for row in rows]).delete()

    def _tell(self, rows: Sequence[SweptUpload]) -> None:
        if not rows:
            return
        with self._lease.writing():
            SweptUpload.objects.filter(pk__in=[row.pk for row in rows]).update(removed_at=timezone.now())
            record([_entry(self._sweep, rows)])


def _is_left(upload: Upload, before_ns: int) -> bool:
    """One whose beginning cannot be told is the registry's own to purge."""
    if upload.started_at is None:
        return False
    return upload.touched_ns < before_ns and upload.started_at.timestamp() * _SECOND < before_ns


def _entry(sweep: Sweep, rows: Sequence[SweptUpload]) -> Entry:
    mark = hashlib.sha256(" ".join(sorted(row.uuid for row in rows)).encode()).hexdigest()[:24]
    return Entry(
        key=f"sweep:{sweep.pk}:{mark}",
        act=Entry.Act.CLEAR_UPLOADS,
        outcome=Entry.Outcome.DONE,
        actor=sweep.actor,
        actor_id=sweep.requested_by_id,
        registry=sweep.registry.name,
        registry_id=sweep.registry_id,
        repository=rows[0].repository,
        count=len(rows),
        detail=_ENTRY % {"n": f"{len(rows):,}", "bytes": f"{sum(row.size for row in rows):,}"},
    )
