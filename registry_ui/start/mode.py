"""The mode of the local registry: whoever wants it otherwise writes a file, and the supervisor starts it anew.

Run as a script, `mode.py FILE read-only|open`, it asks for one; nothing but the standard library is imported. Each
asking is another, so that a registry that is open already is started anew too, and forgets what it remembers of blobs.
"""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path
from typing import Final

_READ_ONLY: Final = "read-only"
_MODES: Final = (_READ_ONLY, "open")
_SWITCH: Final = {"REGISTRY_STORAGE_MAINTENANCE_READONLY": '{"enabled":true}'}


def ask(file: Path, mode: str) -> None:
    """Ask for `mode`; whoever reads the file finds all of it."""
    part = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    part.write_text(f"{mode} {secrets.token_hex(8)}")
    part.replace(file)


def variables(file: Path) -> dict[str, str]:
    """What the registry is started with; none where nobody has asked for anything."""
    try:
        mode, _, asking = file.read_text().partition(" ")
    except (OSError, ValueError):
        return {}
    return {"BERTH_ASKING": asking, **(_SWITCH if mode == _READ_ONLY else {})}


def main(arguments: list[str]) -> int:
    if len(arguments) != 2 or arguments[1] not in _MODES:  # noqa: PLR2004
        sys.stderr.write(f"mode.py FILE {'|'.join(_MODES)}\n")
        return 2
    os.umask(0o077)
    ask(Path(arguments[0]), arguments[1])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
