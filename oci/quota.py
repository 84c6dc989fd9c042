"""What a registry says of how much may still be pulled (Docker Hub; draft-ietf-httpapi-ratelimit-headers-02)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

_FORM: Final = re.compile(r"\s*([0-9]{1,9})\s*(?:;\s*w\s*=\s*([0-9]{1,9}))?.*")


@dataclass(frozen=True, slots=True)
class Quota:
    """`remaining` pulls of `limit` in `window` seconds, which is 0 where it was not said."""

    remaining: int
    limit: int | None = None
    window: int = 0

    @classmethod
    def said(cls, headers: Mapping[str, str]) -> Self | None:
        """None where nothing is said, as to those who pay: then nothing is counted."""
        remaining = _FORM.fullmatch(headers.get("RateLimit-Remaining", ""))
        if remaining is None:
            return None
        limit = _FORM.fullmatch(headers.get("RateLimit-Limit", ""))
        window = remaining[2] or (limit and limit[2]) or 0
        return cls(int(remaining[1]), int(limit[1]) if limit else None, int(window))
