"""Turns at the processor: of the requests of a process one is worked on at a time.

Python works on one at a time anyway; begun together, each would only take as long as all of them. Whoever waits for a
registry gives the turn up meanwhile, and nobody waits for one for long, whatever holds it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

_PATIENCE: Final = 0.5  # seconds: what works for longer than that does not keep the others out

_turn = threading.Semaphore(1)
_mine = threading.local()


class Turns:
    """A WSGI application (PEP 3333) whose requests take turns."""

    def __init__(self, application: Callable[..., Iterable[bytes]], patience: float = _PATIENCE) -> None:
        self._application, self._patience = application, patience

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        _mine.is_held = _turn.acquire(timeout=self._patience)
        try:
            return self._application(environ, start_response)
        finally:
            _give_up()


@contextmanager
def given_up() -> Iterator[None]:
    """While others are waited for; afterwards the turn is asked for again."""
    had_one = _give_up()
    try:
        yield
    finally:
        if had_one:
            _mine.is_held = _turn.acquire(timeout=_PATIENCE)


def _give_up() -> bool:
    """Whether there was one."""
    had_one = bool(getattr(_mine, "is_held", False))
    _mine.is_held = False
    if had_one:
        _turn.release()
    return had_one
