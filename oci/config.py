"""The config of an image: how it runs, and how it was made (image-spec, "image configuration").

Whoever pushes an image writes every character of this, so each field is read by itself: nonsense in one is an
unknown value of that field and nothing more.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar

from oci.document import Malformed, load_object, mapping, sequence, text
from oci.model import Platform

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

CONFIG_LIMIT: Final = 8 * 2**20  # bytes
MOST_ENTRIES: Final = 10_000  # of any list or map in it; longer ones are unknown

_TIME: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,12})?([Zz]|[+-][0-9]{2}:[0-9]{2})",
)
# Reproducible builds write the epoch, or the first moment that a zip file can tell.
_NO_DATE: Final = date(1980, 1, 1)
_NO_YEAR: Final = 9999
_FieldT = TypeVar("_FieldT")


@dataclass(frozen=True, slots=True)
class HistoryStep:
    created_by: str = ""
    created: datetime | None = None
    comment: str = ""
    author: str = ""
    empty_layer: bool = False


@dataclass(frozen=True, slots=True)
class ImageConfig:
    platform: Platform | None = None
    created: datetime | None = None
    author: str = ""
    user: str = ""
    entrypoint: tuple[str, ...] | None = None
    cmd: tuple[str, ...] | None = None
    env: tuple[str, ...] = ()
    working_dir: str = ""
    exposed_ports: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict, hash=False)
    stop_signal: str = ""
    healthcheck: tuple[str, ...] | None = None
    history: tuple[HistoryStep, ...] = ()
    diff_ids: tuple[str, ...] = ()
    content: bytes = field(default=b"", repr=False)


def parse_config(content: bytes) -> ImageConfig:
    """The config in `content`; BadAnswer when it is no JSON object at all."""
    document = load_object(content, "the image config")
    run = _map(document.get("config"))
    return ImageConfig(
        platform=_read(_platform, document, None),
        created=parse_time(document.get("created")),
        author=_text(document.get("author")),
        user=_text(run.get("User")),
        entrypoint=_words(run.get("Entrypoint")),
        cmd=_words(run.get("Cmd")),
        env=_words(run.get("Env")) or (),
        working_dir=_text(run.get("WorkingDir")),
        exposed_ports=_keys(run.get("ExposedPorts")),
        volumes=_keys(run.get("Volumes")),
        labels=_labels(run.get("Labels")),
        stop_signal=_text(run.get("StopSignal")),
        healthcheck=_words(_map(run.get("Healthcheck")).get("Test")),
        history=tuple(_step(entry) for entry in _list(document.get("history"))),
        diff_ids=_words(_map(document.get("rootfs")).get("diff_ids")) or (),
        content=content,
    )


@dataclass(frozen=True, slots=True)
class Summary:
    """What lists and search show of a config: its platform, when it was created, its labels."""

    platform: Platform | None
    created: datetime | None
    labels: Mapping[str, str] = field(default_factory=dict, hash=False)


def summarise(content: bytes) -> Summary:
    """The same as `parse_config` says of these, at a third of its cost; BadAnswer where that says so."""
    document = load_object(content, "the image config")
    labels = _labels(_map(document.get("config")).get("Labels"))
    return Summary(_read(_platform, document, None), parse_time(document.get("created")), labels)


def _read(reader: Callable[[Any, str], _FieldT], value: Any, unknown: _FieldT) -> _FieldT:
    try:
        return reader(value, "")
    except Malformed:
        return unknown


def _text(value: Any) -> str:
    return _read(text, value, "")


def _map(value: Any) -> dict[str, Any]:
    unknown: dict[str, Any] = {}
    return _read(mapping, value, unknown)


def _list(value: Any) -> list[Any]:
    return _read(lambda v, where: sequence(v, where, MOST_ENTRIES), value, [])


def _words(value: Any) -> tuple[str, ...] | None:
    """All of a list of text or nothing of it: half a command would be a lie."""
    return None if value is None else _read(_all_words, value, None)


def _all_words(value: Any, where: str) -> tuple[str, ...] | None:
    words = sequence(value, where, MOST_ENTRIES)
    if None in words:
        raise Malformed("null is no word")
    return tuple(text(word, where) for word in words)


def _keys(value: Any) -> tuple[str, ...]:
    keys = _map(value)
    return tuple(key for key in keys if _text(key)) if len(keys) <= MOST_ENTRIES else ()


def _labels(value: Any) -> dict[str, str]:
    labels = _map(value)
    if len(labels) > MOST_ENTRIES:
        return {}
    return {k: v for k, v in labels.items() if _text(k) == k and isinstance(v, str) and _text(v) == v}


def _platform(document: Any, _where: str) -> Platform | None:
    return Platform.from_json(document)


def _step(value: Any) -> HistoryStep:
    step = _map(value)
    return HistoryStep(
        created_by=_text(step.get("created_by")),
        created=parse_time(step.get("created")),
        comment=_text(step.get("comment")),
        author=_text(step.get("author")),
        empty_layer=step.get("empty_layer") is True,
    )


def parse_time(value: Any) -> datetime | None:
    """An RFC 3339 time in UTC; None for what cannot be read, or is written in place of a time."""
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        return None
    try:
        moment = datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return None if moment.date() <= _NO_DATE or moment.year == _NO_YEAR else moment
