"""What people type into a page's address: text without what no name can hold; and what they choose in a form."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from django.http import HttpRequest

_LONGEST: Final = 255
_DIGITS: Final = 18  # of a key: more than that no database holds


def typed(request: HttpRequest, name: str, *, longest: int = _LONGEST) -> str:
    """The query parameter `name`, without control characters, cut to the length of the longest name."""
    text = request.GET.get(name, "")[:longest]
    return "".join(letter for letter in text if letter.isprintable()).strip()


def chosen(request: HttpRequest, name: str, choices: tuple[str, ...]) -> str:
    """The query parameter `name` where it is one of `choices`, else nothing."""
    value = request.GET.get(name, "")
    return value if value in choices else ""


def keys(texts: Iterable[str]) -> list[int]:
    """Those of `texts` that can be keys of rows."""
    return [int(text) for text in texts if text.isascii() and text.isdecimal() and len(text) <= _DIGITS]


def names(request: HttpRequest, name: str) -> list[str]:
    """All that a form says as `name`, but for what no name can be, and a database may choke on."""
    return [text for text in request.POST.getlist(name) if text.isprintable()]
