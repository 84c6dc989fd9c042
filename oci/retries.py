"""When a registry that is busy or silent is asked again."""

from __future__ import annotations

import email.utils
import random
import time
from typing import TYPE_CHECKING, Final

from oci.calls import CALL
from oci.pace import LONGEST_PAUSE

if TYPE_CHECKING:
    from collections.abc import Mapping

BUSY: Final = frozenset({429, 502, 503, 504})
_SINCE_1970: Final = 10**9  # seconds: as a pause it would be thirty years
# A DELETE whose answer was lost would be answered 404 when it is sent again, and look like a failure.
REPEATABLE: Final = frozenset({"GET", "HEAD", "PUT"})


def pause(tried: int, told: float | None) -> bool:
    """Wait before the next try, as long as the registry told us to; False when that would be too long."""
    wait = 0.1 * 2**tried * random.uniform(0.5, 1.5) if told is None else told  # noqa: S311  no secret
    if wait > LONGEST_PAUSE or wait >= CALL.remaining:
        return False
    time.sleep(wait)
    return True


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds by Retry-After, which is a number of them, a date, or the time since 1970 that some have there."""
    told = headers.get("Retry-After", "").strip()
    if told.isascii() and told.isdigit():
        seconds = float(told[:12])
        return seconds if seconds < _SINCE_1970 else max(0.0, seconds - time.time())
    try:
        return max(0.0, email.utils.parsedate_to_datetime(told).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None
