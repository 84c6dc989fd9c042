"""Expressions of other tools as patterns of ours that fit the same tags. Pure."""

from __future__ import annotations

import re
from typing import Final

_LONGEST: Final = 255  # characters of a pattern of ours
_PLAIN: Final = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_ANCHORED: Final = re.compile(r"\^((?![*+?{])(?:[^|^$\\]|\\.)*)\$", re.DOTALL)
_ESCAPED_OR_CLASS: Final = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)
_GROUP: Final = re.compile(r"\([^()]*\)")
_GLOB_WORDS: Final = re.compile(r"\\\.|\.\*|\.\+|\.|[A-Za-z0-9_/-]+|(?P<other>.)", re.ASCII | re.DOTALL)
_AS_GLOB: Final = {r"\.": ".", ".*": "*", ".+": "?*", ".": "?"}


def anchored(expression: str) -> str:
    """Of `^…$`, as regsync reads an expression: that of `a|b` begins with a, or ends with b."""
    if expression == ".*":
        return "*"
    if _PLAIN.fullmatch(expression):
        return expression
    return f"/.*(?:^{expression}$).*/" if has_alternatives(expression) else f"/{expression}/"


def unanchored(expression: str) -> str:
    """Of an expression that is looked for anywhere in a tag, as skopeo does it."""
    if _PLAIN.fullmatch(expression):
        return f"*{expression}*"
    if match := _ANCHORED.fullmatch(expression):
        return anchored(match[1])
    return f"/.*(?:{expression}).*/"


def has_alternatives(expression: str) -> bool:
    """Whether it has a bar outside of all groups. One that is too long is refused anyway, and not looked at."""
    if len(expression) > _LONGEST:
        return False
    rest = _ESCAPED_OR_CLASS.sub("", expression)
    while (shorter := _GROUP.sub("", rest)) != rest:
        rest = shorter
    return "|" in rest


def as_glob(expression: str) -> str | None:
    """None of one that says more than a glob can."""
    words = list(_GLOB_WORDS.finditer(expression))
    if any(word["other"] for word in words):
        return None
    return "".join(_AS_GLOB.get(word[0], word[0]) for word in words)
