"""A line to copy, and what of an image may stand in one."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import Final

from registries.models import Registry

_PLATFORM: Final = re.compile(r"[A-Za-z0-9._-]+/[A-Za-z0-9._-]+(?:/[A-Za-z0-9._-]+)?", re.ASCII)
_LONGEST_PLATFORM: Final = 100


@dataclass(frozen=True, slots=True)
class Command:
    """`verb` is what is always the same, `rest` what names this image; `tool` is a word of ours, never shown."""

    tool: str
    verb: str
    rest: str


def is_platform(text: str) -> bool:
    """Whether a shell may be given it: an index names its platforms as its pusher likes."""
    return len(text) <= _LONGEST_PLATFORM and _PLATFORM.fullmatch(text) is not None and not text.startswith("-")


def host_of(registry: Registry) -> str:
    """What clients sign in to: the name in pull commands without the path that may follow it."""
    return registry.pull_host.partition("/")[0]


def asks_who(registry: Registry) -> bool | None:
    """Whether a registry lets in only whom it knows; None where no test has told."""
    if registry.capability("auth") in {"basic", "bearer"}:
        return True
    return False if registry.capabilities and not registry.capability("problem") else None


def joined(*words: str | bool) -> str:
    """The words that are there, as one line."""
    return " ".join(word for word in words if isinstance(word, str) and word)


def in_shell(word: str) -> str:
    """`word` as a shell takes it for one: the brackets of an IPv6 address are a pattern to some."""
    return shlex.quote(word)


def in_yaml(text: str) -> str:
    """`text` as a value of YAML: what begins with a bracket would be a list."""
    return f'"{text}"' if text.startswith("[") else text
