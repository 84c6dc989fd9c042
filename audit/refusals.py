"""Callers who do not show the secret of the registry that they say they are: counted, by where they call from."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from typing import Final

from django.db.models import F
from django.utils import timezone

from audit.models import Refused

_QUIET: Final = 1.0  # seconds between two writes for one address: whoever calls on and on does not write as often
_MOST_ADDRESSES: Final = 100  # of a registry; what comes from others is counted together

log = logging.getLogger(__name__)


class Refusals:
    """Those of one process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._unwritten: Counter[tuple[str, str]] = Counter()
        self._written: dict[tuple[str, str], float] = {}

    def note(self, registry: str, address: str) -> None:
        """Count one more, at least. What comes within a second of one that was written is written with the next."""
        caller, now = (registry, address), time.monotonic()
        with self._lock:
            if len(self._written) > 10 * _MOST_ADDRESSES:
                self._written.clear()
                self._unwritten.clear()
            self._unwritten[caller] += 1
            if now - self._written.get(caller, -_QUIET) < _QUIET:
                return
            self._written[caller] = now
            count = self._unwritten.pop(caller)
        log.warning("a caller from %s at the address of %s does not show its secret", address or "nowhere", registry)
        _write(registry, address, count)


def _write(registry: str, address: str, count: int) -> None:
    now = timezone.now()
    if _add(registry, address, count):
        return
    if Refused.objects.filter(registry=registry).count() >= _MOST_ADDRESSES:
        address = ""
    values = {"count": 0, "first_at": now, "last_at": now}
    Refused.objects.get_or_create(registry=registry, address=address, defaults=values)
    _add(registry, address, count)


def _add(registry: str, address: str, count: int) -> bool:
    rows = Refused.objects.filter(registry=registry, address=address)
    return bool(rows.update(count=F("count") + count, last_at=timezone.now()))


note: Final = Refusals().note
