"""Settings from the environment: read by kind, safe by default, and a clear complaint.

An empty variable is an absent one. Each name that is read is remembered in `READ`, which a test compares with
`docs/settings.md`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from django.core.exceptions import ImproperlyConfigured

T = TypeVar("T")

READ: Final[set[str]] = set()
_FLAGS: Final = {
    "true": True,
    "1": True,
    "yes": True,
    "on": True,
    "false": False,
    "0": False,
    "no": False,
    "off": False,
}


def text(name: str, default: str | None = None) -> str:
    """`NAME`; one without a default must be set."""
    READ.add(name)
    value = os.environ.get(name) or default
    if value is None:
        raise ImproperlyConfigured(f"{name} is not set (see docs/settings.md)")
    return value


def secret(name: str, default: str | None = None) -> str:
    """`NAME`, or the content of the file that `NAME_FILE` names: secrets stay out of process lists."""
    path = os.environ.get(f"{name}_FILE")
    if not path:
        return text(name, default)
    READ.add(name)
    if os.environ.get(name):
        raise ImproperlyConfigured(f"{name} and {name}_FILE are both set: keep one of them")
    return parse(f"{name}_FILE", path, lambda file: Path(file).read_text().strip())


def flag(name: str, *, default: bool) -> bool:
    value = text(name, str(default)).lower()
    if value not in _FLAGS:
        raise ImproperlyConfigured(f"{name}={value!r} cannot be used: say true or false")
    return _FLAGS[value]


def number(name: str, default: int) -> int:
    value = text(name, str(default))
    if not value.isdecimal():
        raise ImproperlyConfigured(f"{name}={value!r} cannot be used: say a whole number")
    return int(value)


def words(name: str, default: str = "") -> list[str]:
    """A list, separated by commas or spaces."""
    return text(name, default).replace(",", " ").split()


def parse(name: str, value: str, read: Callable[[str], T]) -> T:
    """`read(value)`, where a failure names the variable."""
    try:
        return read(value)
    except (ValueError, KeyError, OSError) as error:
        raise ImproperlyConfigured(f"{name}={value!r} cannot be used: {error}") from error
