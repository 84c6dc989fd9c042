"""Whether somebody waits for a page: then a job that keeps this machine busy leaves them its processors.

A file in the data folder tells it, so it reaches the jobs of the same machine, which alone are in the way. It is a
hint: nothing rests on it.
"""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from django.conf import settings

_STAYS: Final = 0.25  # seconds for which a visit counts
_OFTEN: Final = 0.05  # seconds between two notes of one process
_noted = 0.0  # by time.monotonic()


def note() -> None:
    """Somebody asks for a page just now."""
    global _noted  # noqa: PLW0603  a clock of this process; two threads that both write do no harm
    if time.monotonic() < _noted + _OFTEN:
        return
    _noted = time.monotonic()
    with suppress(OSError):
        _file().touch()


def are_here() -> bool:
    try:
        visited = _file().stat().st_mtime
    except OSError:
        return False
    return abs(time.time() - visited) < _STAYS


def _file() -> Path:
    return Path(settings.DATA) / "visited"
