"""Which labels and annotations search knows, and how much of each. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

MOST: Final = 32  # of one image
_LONGEST: Final = 255
# Prose and moments: nobody looks for an image by them, and they would be most of the table.
_LEFT_OUT: Final = frozenset(
    {
        "org.opencontainers.image.created",
        "org.opencontainers.image.description",
        "org.label-schema.build-date",
        "org.label-schema.description",
        "build-date",
        "description",
        "io.k8s.description",
        "summary",
    }
)


def searchable(pairs: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Names and values, cut and on one line, each name once; the first `MOST` that say anything."""
    found: dict[str, str] = {}
    for name, value in pairs:
        if len(found) == MOST:
            break
        short, said = one_line(name), one_line(value)
        if short and said and name not in _LEFT_OUT:
            found.setdefault(short, said)
    return tuple(found.items())


def one_line(text: str) -> str:
    """As it is kept and looked for: without what cannot be seen, cut."""
    shown = "".join(letter if letter.isprintable() else " " for letter in text[: 2 * _LONGEST])
    return " ".join(shown.split())[:_LONGEST]
