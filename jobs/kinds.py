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
_writing: set[str] = set()


def register(kind: str, runner: Runner, *, writes: bool = False) -> None:
    """`writes`: it changes the registry that its jobs name as their parameter `registry`, or as their subject."""
    _runners[kind] = runner
    if writes:
        _writing.add(kind)


def writing() -> frozenset[str]:
    """Those that have to wait while a registry is closed to them (`jobs.closure`)."""
    return frozenset(_writing)


def runner_of(kind: str) -> Runner:
    """Raises KeyError for a kind that no installed app knows."""
    return _runners[kind]
