"""Lists of patterns, in which `!` in front of one takes out again what it fits. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from registries.patterns import PATTERN, matches

EXCLUDES: Final = "!"


def is_pattern(text: str) -> bool:
    return re.fullmatch(PATTERN, text.removeprefix(EXCLUDES)) is not None


def chosen(patterns: Sequence[str], name: str) -> bool:
    """Whether one of them fits all of `name` and none of those that exclude does; these alone choose all the others."""
    wanted = [pattern for pattern in patterns if not pattern.startswith(EXCLUDES)]
    if wanted and not any(matches(pattern, name) for pattern in wanted):
        return False
    return not any(matches(pattern[1:], name) for pattern in patterns if pattern.startswith(EXCLUDES))
