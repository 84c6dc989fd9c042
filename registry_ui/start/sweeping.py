"""The commands by which the local registry is swept: a file as others have it, written anew by each start."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from registry_ui.start import keys, mode

FOLDER: Final = "cleanup"
_COMMANDS: Final = "commands.toml"
_MODE: Final = "mode"


def commands_file(data: Path) -> Path:
    """Where its commands are, once a start has written them."""
    return data / FOLDER / _COMMANDS


def prepare(data: Path, address: str, program: str, config: Path) -> Path:
    """Write the commands; the file that asks the supervisor for a mode, in which nobody has asked for any yet."""
    folder = data / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    folder.chmod(0o700)
    asked = folder / _MODE
    asked.unlink(missing_ok=True)
    ask = [sys.executable, "-I", "-S", mode.__file__, str(asked)]
    way = {
        "address": address,
        "read-only-on": [[*ask, "read-only"]],
        "garbage-collect": [program, "garbage-collect", str(config)],
        "read-only-off": [[*ask, "open"]],
        "environment": {"OTEL_TRACES_EXPORTER": "none"},
    }
    keys.write_private(commands_file(data), f"[[registry]]\n{_toml(way)}")
    return asked


def _toml(table: Mapping[str, Any]) -> str:
    """What JSON writes of texts and lists is TOML."""
    return "".join(f"{name} = {_value(value)}\n" for name, value in table.items())


def _value(value: object) -> str:
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{name} = {_value(text)}' for name, text in value.items())} }}"
    return json.dumps(value, ensure_ascii=False)
