"""What ends a bench that cannot measure."""

from __future__ import annotations


class BenchError(Exception):
    """A part of the bench did not work, so there is no figure; the sentence says which, and the cure where one is."""
