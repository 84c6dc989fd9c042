"""Fields of a stranger's JSON, each read by itself: nonsense in one is an unknown value of it and nothing more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

from oci.document import Malformed, mapping, sequence, text

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_ENTRIES: Final = 10_000  # of any list or map; longer ones are unknown

_FieldT = TypeVar("_FieldT")


def read(reader: Callable[[Any, str], _FieldT], value: Any, unknown: _FieldT) -> _FieldT:
    """What `reader` makes of `value`, and `unknown` where it raises Malformed."""
    try:
        return reader(value, "")
    except Malformed:
        return unknown


def text_of(value: Any) -> str:
    return read(text, value, "")


def map_of(value: Any) -> dict[str, Any]:
    unknown: dict[str, Any] = {}
    return read(mapping, value, unknown)


def list_of(value: Any) -> list[Any]:
    return read(lambda v, where: sequence(v, where, MOST_ENTRIES), value, [])


def words_of(value: Any) -> tuple[str, ...] | None:
    """All of a list of text or nothing of it: half a command would be a lie."""
    return None if value is None else read(_all_words, value, None)


def keys_of(value: Any) -> tuple[str, ...]:
    keys = map_of(value)
    return tuple(key for key in keys if text_of(key)) if len(keys) <= MOST_ENTRIES else ()


def texts_of(value: Any) -> dict[str, str]:
    """Those of a map whose name and value are text."""
    pairs = map_of(value)
    if len(pairs) > MOST_ENTRIES:
        return {}
    return {k: v for k, v in pairs.items() if text_of(k) == k and isinstance(v, str) and text_of(v) == v}


def _all_words(value: Any, where: str) -> tuple[str, ...] | None:
    words = sequence(value, where, MOST_ENTRIES)
    if None in words:
        raise Malformed("null is no word")
    return tuple(text(word, where) for word in words)
