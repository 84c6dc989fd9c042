"""Sort keys: bytes that compare the same on SQLite and PostgreSQL."""

from __future__ import annotations

import re
from typing import Final

_RUNS: Final = re.compile(r"[0-9]+|[^0-9]+")


def natural_runs(text: str) -> bytes:
    """Numbers by their value, the rest by letter without case: `a2` before `a10`.

    A run of digits becomes "0", one byte that says how many digits it has, and the digits, so that runs compare by
    length first.
    """
    key = bytearray()
    for run in _RUNS.findall(text):
        if run.isdigit():
            digits = run.lstrip("0") or "0"
            key += b"0" + bytes([min(len(digits), 255)]) + digits.encode()
        else:
            key += run.lower().encode()
    return bytes(key)


def name_key(repository: str) -> bytes:
    """Repositories by path, part by part: `a/b` before `a-b`."""
    return repository.replace("/", "\x01").encode()
