"""An entry and an anchor as bytes, the same on every database, and the hashes over them.

The bytes are a list in JSON, in ASCII and without blanks: what it is, the number of the form, then the columns in the
order of that form. Moments are microseconds since 1970 in UTC. No two rows have the same bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from audit.models import Anchor

START: Final = bytes(32)  # the hash before the first link
FORM: Final = 1  # what is sealed now
# A form is never changed, since rows were sealed in it: when entries get a column, that is a new form.
COLUMNS: Final = {
    1: (
        "id", "key", "at", "since", "source", "act", "outcome", "actor", "actor_id", "registry", "registry_id",
        "repository", "tag", "digest_before", "digest_after", "why", "detail", "plan_id", "count", "from_repository",
        "claimed_at", "address", "user_agent", "event_id",
    ),
}  # fmt: skip
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def link_hash(before: bytes, form: int, values: Sequence[Any]) -> bytes:
    """Of the link that follows the hash `before`; `values` are those of the columns of `form`.

    Raises TypeError for a value that no such column can hold.
    """
    return _hash(before, ["entry", form, *values])


def anchor_hash(before: bytes, anchor: Anchor) -> bytes:
    """Of the anchor whose last link has the hash `before`; the next batch begins with it."""
    return _hash(before, ["anchor", anchor.form, anchor.first, anchor.last, anchor.sealed_at])


def _hash(before: bytes, row: Sequence[Any]) -> bytes:
    return hashlib.sha256(before + json.dumps(row, separators=(",", ":"), default=_microseconds).encode()).digest()


def _microseconds(value: object) -> int:
    if not isinstance(value, datetime):
        raise TypeError(f"no column of the audit holds {type(value).__name__}")
    return (value - _EPOCH) // _MICROSECOND
