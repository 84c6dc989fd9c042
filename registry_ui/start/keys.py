"""The secrets that Berth makes for itself: one file each in DATA/keys, made once, read by nobody else."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Final

from cryptography.fernet import Fernet

from registry_ui.start.errors import StartError

_LENT: Final = "lent-"  # how the name of a secret begins that is there as long as a start runs
# The name of a file → what makes its content.
MAKERS: Final[dict[str, Callable[[], str]]] = {
    "secret-key": lambda: secrets.token_urlsafe(48),
    "credentials-key": lambda: Fernet.generate_key().decode(),
    "registry-secret": lambda: secrets.token_urlsafe(32),
    "events-secret": lambda: secrets.token_urlsafe(32),
}


def prepare(data: Path) -> dict[str, Path]:
    """The file of each key by its name; what is missing is made, and nobody else may read any."""
    folder = data / "keys"
    folder.mkdir(mode=0o700, exist_ok=True)
    folder.chmod(0o700)
    return {name: _ensure(folder / name, make) for name, make in MAKERS.items()}


def lend(data: Path, variable: str, secret: str) -> Path:
    """A file with a secret that only our own environment holds, until `take_back`."""
    path = data / "keys" / f"{_LENT}{variable.lower().replace('_', '-')}"
    write_private(path, secret)
    return path


def take_back(data: Path) -> None:
    for path in (data / "keys").glob(f"{_LENT}*"):
        path.unlink(missing_ok=True)


def write_private(path: Path, content: str) -> None:
    """Write all of `content` or nothing, mode 0600 from the first byte on."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _ensure(path: Path, make: Callable[[], str]) -> Path:
    if not path.exists():
        write_private(path, make())
    path.chmod(0o600)
    if not path.read_text().strip():
        raise StartError(
            f"The key {path} is empty: bring it back from a backup, or remove the file and a new one is made"
            " (what was encrypted or signed with the old one is then lost)."
        )
    return path
