"""The kinds of job that exist: each domain app adds its own when Django starts."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from jobs.running import Lease

Runner = Callable[["Lease"], str]
"""Does the work under a lease and returns how it ended, in a sentence for people."""

RESIDENT: Final = frozenset({"arrivals"})
"""Those that a process of its own does for as long as it lives (`jobs.resident`)."""

_runners: dict[str, Runner] = {}


def register(kind: str, runner: Runner) -> None:
    _runners[kind] = runner


def runner_of(kind: str) -> Runner:
    """Raises KeyError for a kind that no installed app knows."""
    return _runners[kind]
