"""Patterns by which people name repositories and tags in rules: `*` crosses slashes, `?` is one character."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

PATTERN: Final = r"[A-Za-z0-9._/*?-]{1,255}"


def matches(pattern: str, name: str) -> bool:
    """`*` stands for any number of characters, slashes too, and `?` for one; capitals count."""
    return _compiled(pattern).fullmatch(name) is not None


@lru_cache(1_000)
def _compiled(pattern: str) -> re.Pattern[str]:
    first, *more = (_literal(part) for part in re.split(r"\*+", pattern))
    if not more:
        return re.compile(first)
    # The first place where what stands between two stars fits is as good as any later one: nothing is tried again.
    between = "".join(f"(?>.*?{part})" for part in more[:-1])
    return re.compile(f"{first}{between}.*{more[-1]}")


def _literal(part: str) -> str:
    return ".".join(map(re.escape, part.split("?")))
