"""Logs as text for people or as JSON lines for machines; no secret passes either."""

from __future__ import annotations

import json
import logging
import re
from datetime import UTC, datetime
from typing import Any, Final

from django.core.exceptions import ImproperlyConfigured

_LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR")
# What stands between a name and its value, as a header, a query, Python or JSON write it (also JSON within JSON).
_IS: Final = r"""\\?["']?\s{0,3}[:=]\s{0,3}"""
_VALUE: Final = r"""(?:(?P<quote>["'])(?:(?!(?P=quote))[^\\]|\\.)+(?P=quote)|(\\?["']?)[^\s&,;'"\\)}\]]+)"""
_CREDENTIALS: Final = r"[A-Za-z0-9._~+/=-]"
_SECRETS: Final = (
    (re.compile(r"(://[^/\s:@]*):[^/\s@]+@"), r"\1:***@"),
    (re.compile(rf"""(?i)(authorization{_IS}\\?["']?(?:(?:basic|bearer|digest|negotiate)\s+)?)[^\s"'\\]+"""), r"\1***"),
    # Without its header a word after "bearer" is one only where it does not look like a word.
    (
        re.compile(
            rf"\b((?i:basic|bearer)\s+)(?!realm=)"
            rf"(?:(?={_CREDENTIALS}*(?:[0-9=]|[a-z][A-Z])){_CREDENTIALS}{{6,}}|{_CREDENTIALS}{{20,}})"
        ),
        r"\1***",
    ),
    (re.compile(rf"(?i)((?:password|passwd|token|secret)(?!\w{{0,20}}_file)\w{{0,20}}{_IS}){_VALUE}"), r"\1\2\3***\2"),
)


def redact(text: str) -> str:
    """`text` without passwords in URLs, Authorization headers, and values that are called a password or the like."""
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return text


class TextFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message, and the traceback of an exception."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": redact(record.getMessage()),
        }
        if record.exc_info:
            line["exception"] = redact(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False)


def logging_config(style: str, level: str) -> dict[str, Any]:
    """Django's LOGGING for `style` ("text" or "json") and `level`."""
    if style not in {"text", "json"}:
        raise ImproperlyConfigured(f"BERTH_LOG_FORMAT={style!r} cannot be used: say text or json")
    if level not in _LEVELS:
        raise ImproperlyConfigured(f"BERTH_LOG_LEVEL={level!r} cannot be used: say one of {', '.join(_LEVELS)}")
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "text": {
                "()": TextFormatter,
                "format": "%(asctime)s %(levelname)-7s %(name)s: %(message)s",
            },
            "json": {"()": JsonFormatter},
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": style}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django.request": {"level": "ERROR"},
            "axes": {"level": "WARNING"},
            "celery.beat": {"level": "WARNING"},
            "kombu": {"level": "WARNING"},
        },
    }
