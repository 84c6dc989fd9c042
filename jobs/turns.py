"""Taking turns at the one pen of SQLite, so that a job which writes much lets a page write soon."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from django.db import connection

_HELD: Final = 0.08  # seconds of writing in a row, after which others get a turn
# SQLite does not queue who waits: each looks again, after pauses that grow to 25 ms in the first tenth of a second.
# A gap of this length is seen by all of them.
_GAP: Final = 0.026
_CHECKPOINT: Final = 0.25  # seconds between two checkpoints of ours


class Turn:
    """How long somebody wrote with no gap that others could have used."""

    def __init__(self) -> None:
        self._held = self._left = self._checkpointed = 0.0

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Around a transaction: wait first, if others are due. A database that queues its writers needs none of it.

        Inside another transaction there is no gap to give, and no checkpoint can be made.
        """
        if connection.vendor == "sqlite" and not connection.in_atomic_block:
            self._let_others_write()
        began = time.monotonic()
        try:
            yield
        finally:
            self._left = time.monotonic()
            self._held += self._left - began

    def _let_others_write(self) -> None:
        gap = time.monotonic() - self._left
        if gap < _GAP and self._held > _HELD:
            self._checkpoint()
            time.sleep(max(0.0, _GAP - (time.monotonic() - self._left)))
            gap = _GAP
        if gap >= _GAP:
            self._held = 0.0

    def _checkpoint(self) -> None:
        """Move what was written from the log into the database: that locks nobody out, and is better done now."""
        if self._left - self._checkpointed > _CHECKPOINT:
            self._checkpointed = self._left
            with connection.cursor() as cursor:
                cursor.execute("PRAGMA wal_checkpoint(PASSIVE)")
