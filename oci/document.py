"""JSON of strangers, read strictly: no duplicate keys, no NaN, no bombs, text that any database can hold."""

from __future__ import annotations

import json
from typing import Any, Final, NoReturn

from oci.errors import BadAnswer, printable

LARGEST: Final = 2**63 - 1  # what the spec's int64, SQLite and PostgreSQL can all hold
MOST_PARTS: Final = 600_000  # values in a document: four bytes of "[]," become a hundred in memory


class Malformed(ValueError):  # noqa: N818  it always becomes a BadAnswer
    """A document is not what it should be; the sentence says where."""


def load_object(content: bytes, what: str) -> dict[str, Any]:
    """The JSON object in `content`; BadAnswer, which calls it `what`, for anything else."""
    # Counts some that stand inside of text too; nothing sensible comes near.
    if content.count(b",") + content.count(b"[") + content.count(b"{") > MOST_PARTS:
        raise BadAnswer(f"{what} has more than {MOST_PARTS:,} parts")
    try:
        document = json.loads(
            content.decode(),
            parse_constant=_refuse_constant,
            object_pairs_hook=_without_duplicates,
        )
    except (ValueError, RecursionError) as error:
        raise BadAnswer(f"{what} cannot be read as JSON: {printable(str(error), 120)}") from error
    if not isinstance(document, dict):
        raise BadAnswer(f"{what} is not a JSON object")
    return document


def text(value: Any, where: str) -> str:
    """`value` when it is Unicode text without NUL, which no database could keep; "" for null."""
    if value is None:
        return ""
    if not isinstance(value, str) or "\0" in value:
        raise Malformed(f"{where} is not text")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise Malformed(f"{where} is not Unicode text") from None
    return value


def texts(value: Any, where: str) -> dict[str, str]:
    """A map of text to text; empty for null."""
    return {text(k, where): text(v, f"{where}.{printable(k, 40)}") for k, v in mapping(value, where).items()}


def mapping(value: Any, where: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Malformed(f"{where} is not an object")
    return value


def sequence(value: Any, where: str, most: int) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise Malformed(f"{where} is not a list")
    if len(value) > most:
        raise Malformed(f"{where} has {len(value)} entries, more than {most}")
    return value


def size(value: Any, where: str) -> int:
    if type(value) is not int or not 0 <= value <= LARGEST:  # a bool is an int to isinstance
        raise Malformed(f"{where} is not a whole number from 0 to 2^63-1")
    return value


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise Malformed("a key stands twice in one object, so readers would differ on its meaning")
    return document


def _refuse_constant(name: str) -> NoReturn:
    raise Malformed(f"{name} is not JSON")
