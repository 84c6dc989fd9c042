"""Lengths of time as people type them in a form: 90 min, 24 h, 7 d."""

from __future__ import annotations

import re
from typing import Any, Final

from django import forms
from django.utils.translation import gettext

from web.plain_text import PLAIN

_UNITS: Final = {"s": 1, "min": 60, "h": 3600, "d": 24 * 3600}
_TYPED: Final = re.compile(r"([0-9]{1,7})\s*(s|min|h|d)", re.ASCII)
_LONGEST: Final = 20


def seconds(text: str) -> int:
    """Raises ValueError for what is no length of time."""
    match = _TYPED.fullmatch(text.strip().lower())
    if match is None:
        raise ValueError(text)
    return int(match[1]) * _UNITS[match[2]]


def written(length: int) -> str:
    """In the largest unit that leaves no rest."""
    unit = next(unit for unit in reversed(_UNITS) if not length % _UNITS[unit])
    return f"{length // _UNITS[unit]} {unit}" if length else "0 s"


def in_words(length: int) -> str:
    """The same in the language of who reads it."""
    words = {"s": gettext("%(n)s s"), "min": gettext("%(n)s min"), "h": gettext("%(n)s h"), "d": gettext("%(n)s d")}
    number, _, unit = written(length).partition(" ")
    return words[unit] % {"n": number}


class Duration(forms.CharField):
    """Seconds, as in "24 h"."""

    def __init__(self, **more: Any) -> None:
        super().__init__(max_length=_LONGEST, widget=forms.TextInput(attrs=PLAIN), **more)

    def clean(self, value: Any) -> Any:
        text = str(super().clean(value))
        try:
            return seconds(text)
        except ValueError as error:
            raise forms.ValidationError(gettext("A number and a unit, as in 90 min, 24 h or 7 d.")) from error

    def prepare_value(self, value: Any) -> Any:
        return written(value) if isinstance(value, int) else value
