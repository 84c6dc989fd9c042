"""One Berth for one data folder."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from registry_ui.start.errors import StartError


@contextmanager
def locked(data: Path) -> Iterator[None]:
    """Hold the lock on `data`; it falls with this process, however that ends (children do not inherit it)."""
    descriptor = os.open(data / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if not _seize(descriptor):
            pid = os.read(descriptor, 20).decode(errors="replace").strip() or "unknown"
            raise StartError(
                f"Berth already runs on {data} (pid {pid}): stop it, or name another folder with --data (BERTH_DATA)."
            )
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        yield
    finally:
        os.close(descriptor)


def is_locked(data: Path) -> bool:
    """Whether a Berth runs on `data`."""
    try:
        descriptor = os.open(data / "lock", os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return not _seize(descriptor)
    finally:
        os.close(descriptor)


def _seize(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
