"""Logs as text for people or as JSON lines for machines; no secret passes either."""

from __future__ import annotations

import json
import logging
import re
from datetime import UTC, datetime
from typing import Any, Final

from django.core.exceptions import ImproperlyConfigured

_LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR")
_SECRETS: Final = (
    (re.compile(r"(://[^/\s:@]*):[^/\s@]+@"), r"\1:***@"),
    (re.compile(r"(?i)\b(basic|bearer)\s+[A-Za-z0-9._~+/=-]{6,}"), r"\1 ***"),
    (re.compile(r"(?i)\b(password|token|secret|authorization)(\W{1,3})[^\s&,;'\"]+"), r"\1\2***"),
)


def redact(text: str) -> str:
    """`text` without passwords in URLs, Authorization values and the like."""
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
