"""How much of a registry we take at most, so that it and its other users can live with us."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from registries.models import Registry

_MOST_AT_ONCE: Final = 32  # connections that a client keeps
_SLOWEST, _QUICKEST = 0.1, 1000.0  # requests per second
_LEAST, _MOST = 10_000, 10**12  # bytes per second: a piece of a layer may not take longer than a registry waits
_LARGEST_FLOOR: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Limits:
    """None is no limit. `quota_floor`: so many of the pulls that it grants stay unspent, for others at our address."""

    at_once: int | None = None  # requests
    requests_per_second: float | None = None  # of every method, those for tokens too
    bytes_per_second: int | None = None  # of bodies, over all that is copied from it
    quota_floor: int = 0

    @classmethod
    def of(cls, registry: Registry) -> Self:
        return cls(registry.at_once, registry.requests_per_second, registry.bytes_per_second, registry.quota_floor)

    def wrong(self) -> tuple[str, str] | None:
        """The first field that cannot be meant, and why; None where all can."""
        if self.at_once is not None and not 1 <= self.at_once <= _MOST_AT_ONCE:
            return "at_once", _("Between 1 and 32 requests can be under way at once.")
        pace = self.requests_per_second
        if pace is not None and not (math.isfinite(pace) and _SLOWEST <= pace <= _QUICKEST):
            return "requests_per_second", _("Give between 0.1 and 1,000 requests per second.")
        if self.bytes_per_second is not None and not _LEAST <= self.bytes_per_second <= _MOST:
            return "bytes_per_second", _("Give at least 10,000 bytes per second, or nothing for no limit.")
        if not 0 <= self.quota_floor <= _LARGEST_FLOOR:
            return "quota_floor", _("Between 0 and 1,000,000 pulls can stay unspent.")
        return None
