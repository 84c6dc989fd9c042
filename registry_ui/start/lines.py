"""What a process says, line by line, as objects for machines: time, level, logger, message, and what else it tells."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any, Final

_VALKEY: Final = re.compile(
    r"\d+:(?:[A-Z] \d\d \w{3} \d{4} [\d:.]+ (?P<mark>[.*#-])|signal-handler \(\d+\)) (?P<said>.*)"
)
_MARKS: Final = {".": "debug", "-": "debug", "*": "info", "#": "warning"}
_LEVELS: Final = {"warn": "warning", "fatal": "error", "panic": "error", "trace": "debug"}  # logrus' → ours


def as_object(logger: str, line: str, level: str = "info") -> dict[str, Any]:
    """`line` of the process `logger`; `level` where it does not say one itself."""
    if (said := _json(line)) is not None:
        message = said.pop("message", said.pop("msg", ""))
        known = {
            "time": said.pop("time", _now()),
            "level": _LEVELS.get(said.get("level", level), said.get("level", level)),
            "logger": said.pop("logger", logger),
            "message": message,
        }
        return known | {name: value for name, value in said.items() if name not in known}
    if match := _VALKEY.fullmatch(line):
        level, line = _MARKS.get(match["mark"] or "*", level), match["said"]
    return {"time": _now(), "level": level, "logger": logger, "message": line}


def dump(line: dict[str, Any]) -> str:
    return json.dumps(line, ensure_ascii=False)


def _json(line: str) -> dict[str, Any] | None:
    """The object that a line is already, if it is a log's."""
    if not line.startswith("{"):
        return None
    try:
        said = json.loads(line)
    except ValueError:
        return None
    return said if isinstance(said, dict) and isinstance(said.get("message", said.get("msg")), str) else None


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
