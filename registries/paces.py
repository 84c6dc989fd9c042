"""How fast a registry is asked and read from in this process: all that ask one that has limits share them."""

from __future__ import annotations

import threading
from typing import Final

from oci.pace import MOST, Pace
from oci.throttle import Throttle
from registries.limits import Limits
from registries.models import Registry

_QUEUE: Final = 64  # requests that may wait before one when they are spaced

# By the key of the registry: the address and the limits that it had, as both may change, and what it had under them.
_paces: dict[int, tuple[tuple[str, Limits], Pace]] = {}
_throttles: dict[int, tuple[tuple[str, int], Throttle]] = {}
_lock = threading.Lock()


def pace_for(registry: Registry) -> Pace | None:
    """The one of this registry under its limits of now; None where each client keeps one of its own.

    That is so of ours without limits: whoever scans one slows down for visitors, and they do not wait for the scan.
    """
    limits = Limits.of(registry)
    if registry.role == Registry.Role.CATALOG and not (limits.at_once or limits.requests_per_second):
        return None
    under = registry.url, Limits(limits.at_once, limits.requests_per_second)
    with _lock:
        kept = _paces.get(registry.pk)
        if kept is None or kept[0] != under:
            kept = _paces[registry.pk] = under, Pace(limits.at_once or MOST, limits.requests_per_second)
        return kept[1]


def throttle_for(registry: Registry) -> Throttle | None:
    """The one of this registry under its limit of now; None where it has none."""
    if not registry.bytes_per_second:
        return None
    under = registry.url, registry.bytes_per_second
    with _lock:
        kept = _throttles.get(registry.pk)
        if kept is None or kept[0] != under:
            kept = _throttles[registry.pk] = under, Throttle(registry.bytes_per_second)
        return kept[1]


def patience_for(registry: Registry) -> float:
    """Seconds that a request may wait for its turn, at least: where they are far apart, a queue of them takes long."""
    return _QUEUE / registry.requests_per_second if registry.requests_per_second else 0.0
