"""Sums of bytes that a pusher chose: exact, and never more than a column holds."""

from __future__ import annotations

from typing import Any, Final

from django.db.models import F, QuerySet, Sum

from catalog.policy import MOST_BYTES

_HALF: Final = 2**20


def total_bytes(rows: QuerySet[Any], field: str = "size") -> int:
    """The exact sum of `field`, at most `MOST_BYTES`: in two halves, of which neither can overflow."""
    halves = rows.aggregate(high=Sum(F(field) / _HALF, default=0), low=Sum(F(field) % _HALF, default=0))
    return min(MOST_BYTES, int(halves["high"]) * _HALF + int(halves["low"]))
