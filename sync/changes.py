"""Which parts of a rule were changed, and from what to what: as the audit keeps it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from sync.details import Details
from sync.terms import Terms

NOTHING: Final = "nothing"  # what was or is not said
YES, NO = "yes", "no"
_LONGEST: Final = 60  # characters of a value that is told


def changes(before: Details, now: Details) -> list[str]:
    """As in "choice.newest: 3 → 5"; of what has no short value its name alone."""
    was, becomes = _flat(before), _flat(now)
    return [
        name if "" in (told := (_told(value), _told(becomes[name]))) else f"{name}: {told[0]} → {told[1]}"
        for name, value in was.items()
        if value != becomes[name]
    ]


def _flat(details: Details) -> dict[str, Any]:
    """In the order of `Details`; parts of parts by the way to them."""
    said = {name: getattr(details, name) for name in Details.__slots__} | Terms.of(details).written()
    return dict(_parts(said))


def _parts(said: Mapping[str, Any], way: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in said.items():
        if isinstance(value, Mapping):
            yield from _parts(value, f"{way}{name}.")
        else:
            yield f"{way}{name}", value


def _told(value: Any) -> str:
    """Nothing where it is too long, or would be taken for two."""
    match value:
        case bool():
            return YES if value else NO
        case list() | tuple():
            text = " ".join(value)
        case None:
            text = ""
        case _:
            text = str(value)
    return "" if len(text) > _LONGEST or "," in text else text or NOTHING
