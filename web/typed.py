"""What people type into a page's address: text without what no name can hold."""

from __future__ import annotations

from typing import Final

from django.http import HttpRequest

_LONGEST: Final = 255


def typed(request: HttpRequest, name: str, *, longest: int = _LONGEST) -> str:
    """The query parameter `name`, without control characters, cut to the length of the longest name."""
    text = request.GET.get(name, "")[:longest]
    return "".join(letter for letter in text if letter.isprintable()).strip()


def chosen(request: HttpRequest, name: str, choices: tuple[str, ...]) -> str:
    """The query parameter `name` where it is one of `choices`, else nothing."""
    value = request.GET.get(name, "")
    return value if value in choices else ""
