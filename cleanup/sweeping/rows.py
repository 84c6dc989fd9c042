"""The rows of a sweep, some at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from catalog.recording.chunks import by_number
from cleanup.models import SweptBlob
from cleanup.models.sweeps import SweptBlobQuerySet
from jobs.running import Lease

ROWS: Final = 1_000  # that one statement names


def in_parts(blobs: SweptBlobQuerySet) -> Iterator[list[SweptBlob]]:
    """Those that are there now, whatever their states become meanwhile."""
    for keys in by_number(list(blobs.in_order().values_list("pk", flat=True)), ROWS):
        yield list(SweptBlob.objects.filter(pk__in=keys).in_order())


def note(lease: Lease, blobs: Iterable[SweptBlob], state: SweptBlob.State) -> None:
    """That they are in this state. Raises LeaseLost."""
    keys = [blob.pk for blob in blobs]
    for some in by_number(keys, ROWS):
        with lease.writing():
            SweptBlob.objects.filter(pk__in=some).update(state=state)
