"""The config of an image: how it runs, and how it was made (image-spec, "image configuration").

Whoever pushes an image writes every character of this, so each field is read by itself: nonsense in one is an
unknown value of that field and nothing more.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final

from oci.document import load_object, size
from oci.lenient import keys_of, list_of, map_of, read, text_of, texts_of, words_of
from oci.model import Platform

if TYPE_CHECKING:
    from collections.abc import Mapping

CONFIG_LIMIT: Final = 8 * 2**20  # bytes

_TIME: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,12})?([Zz]|[+-][0-9]{2}:[0-9]{2})",
)
# Reproducible builds write the epoch, or the first moment that a zip file can tell.
_NO_DATE: Final = date(1980, 1, 1)
_NO_YEAR: Final = 9999


@dataclass(frozen=True, slots=True)
class HistoryStep:
    created_by: str = ""
    created: datetime | None = None
    comment: str = ""
    author: str = ""
    empty_layer: bool = False


@dataclass(frozen=True, slots=True)
class HealthTiming:
    """Seconds; 0 is "as the engine likes"."""

    interval: float = 0
    timeout: float = 0
    start_period: float = 0
    retries: int = 0


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
    health_timing: HealthTiming | None = None
    shell: tuple[str, ...] | None = None
    on_build: tuple[str, ...] = ()
    history: tuple[HistoryStep, ...] = ()
    diff_ids: tuple[str, ...] = ()
    content: bytes = field(default=b"", repr=False)


def parse_config(content: bytes) -> ImageConfig:
    """The config in `content`; BadAnswer when it is no JSON object at all."""
    document = load_object(content, "the image config")
    run = map_of(document.get("config"))
    health = map_of(run.get("Healthcheck"))
    return ImageConfig(
        platform=read(_platform, document, None),
        created=parse_time(document.get("created")),
        author=text_of(document.get("author")),
        user=text_of(run.get("User")),
        entrypoint=words_of(run.get("Entrypoint")),
        cmd=words_of(run.get("Cmd")),
        env=words_of(run.get("Env")) or (),
        working_dir=text_of(run.get("WorkingDir")),
        exposed_ports=keys_of(run.get("ExposedPorts")),
        volumes=keys_of(run.get("Volumes")),
        labels=texts_of(run.get("Labels")),
        stop_signal=text_of(run.get("StopSignal")),
        healthcheck=words_of(health.get("Test")),
        health_timing=_timing(health),
        shell=words_of(run.get("Shell")),
        on_build=words_of(run.get("OnBuild")) or (),
        history=tuple(_step(entry) for entry in list_of(document.get("history"))),
        diff_ids=words_of(map_of(document.get("rootfs")).get("diff_ids")) or (),
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
    labels = texts_of(map_of(document.get("config")).get("Labels"))
    return Summary(read(_platform, document, None), parse_time(document.get("created")), labels)


def _platform(document: Any, _where: str) -> Platform | None:
    return Platform.from_json(document)


def _timing(health: Mapping[str, Any]) -> HealthTiming | None:
    """Docker's image spec 1.2 counts nanoseconds."""
    interval, timeout, start = (_count(health.get(name)) / 10**9 for name in ("Interval", "Timeout", "StartPeriod"))
    timing = HealthTiming(interval, timeout, start, _count(health.get("Retries")))
    return None if timing == HealthTiming() else timing


def _count(value: Any) -> int:
    return read(size, value, 0)


def _step(value: Any) -> HistoryStep:
    step = map_of(value)
    return HistoryStep(
        created_by=text_of(step.get("created_by")),
        created=parse_time(step.get("created")),
        comment=text_of(step.get("comment")),
        author=text_of(step.get("author")),
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
