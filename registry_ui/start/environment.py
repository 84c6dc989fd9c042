"""The environment of our children, and the record of a running start that `./run manage` finds it by."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from registry_ui.start import keys, lock
from registry_ui.start.options import Options

_RECORD: Final = "run.json"
# What no child but Django's needs to see.
_PLAIN: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "LD_LIBRARY_PATH")


def django(options: Options, key_files: Mapping[str, Path], redis_url: str) -> dict[str, str]:
    """What Django's processes are told on top of our own environment."""
    told = {
        "DJANGO_SETTINGS_MODULE": "registry_ui.settings",
        "PYTHONUNBUFFERED": "1",
        "BERTH_DATA": str(options.data),
        "BERTH_PUBLIC_URL": options.public_url,
        "BERTH_LOG_FORMAT": options.log_format,
        "BERTH_REGISTRY_URL": options.registry_url,
        "BERTH_REGISTRY_PLAIN_HTTP": str(options.plain_http).lower(),
        "BERTH_REGISTRY_EMBEDDED": str(not options.registry).lower(),
        **_secret("BERTH_SECRET_KEY", key_files["secret-key"]),
        **_secret("BERTH_CREDENTIALS_KEY", key_files["credentials-key"]),
    }
    if not options.redis_url:
        told["REDIS_URL"] = redis_url
    return told


def plain() -> dict[str, str]:
    """Enough to run a program that has no business with our settings and secrets."""
    return {name: os.environ[name] for name in _PLAIN if name in os.environ}


def _secret(variable: str, file: Path) -> dict[str, str]:
    """Ours, unless the operator keeps their own."""
    if os.environ.get(variable) or os.environ.get(f"{variable}_FILE"):
        return {}
    return {f"{variable}_FILE": str(file)}


@dataclass(frozen=True, slots=True)
class Record:
    """What a running start leaves in the data folder for whoever comes by; mode 0600."""

    pid: int
    folder: str  # of the socket; empty with an external Redis
    settings: dict[str, str]

    def write(self, data: Path) -> None:
        keys.write_private(data / _RECORD, json.dumps(asdict(self), indent=1))

    @staticmethod
    def remove(data: Path) -> None:
        (data / _RECORD).unlink(missing_ok=True)


def read(data: Path) -> Record | None:
    """The record in `data`, also one that a killed start has left."""
    try:
        return Record(**json.loads((data / _RECORD).read_text()))
    except (OSError, ValueError, TypeError):
        return None


def running(data: Path) -> Record | None:
    return read(data) if lock.is_locked(data) else None


def settings_in(environment: Mapping[str, str]) -> dict[str, str]:
    """Those variables that settings.py reads."""
    ours = ("BERTH_", "DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE")
    return {name: value for name, value in environment.items() if name.startswith(ours)}
