"""Removing a repository's own folders, or an upload in it, and nothing that lies beside or below them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

# What makes it a repository goes last, so that one whose removal was cut short is still listed and can be removed.
_OWN: Final = ("_uploads", "_manifests", "_layers")
_GOING: Final = ".going"
_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def remove_below(top: int, parts: Sequence[str]) -> None:
    """`parts` are the levels of its name below the open folder `top`; no link is followed on the way.

    OSError when something cannot be removed. What is not there counts as removed.
    """
    opened: list[int] = []
    try:
        for part in parts:
            opened.append(os.open(part, _FOLDER, dir_fd=opened[-1] if opened else top))
        for name in _OWN:
            with suppress(FileNotFoundError):
                shutil.rmtree(name, dir_fd=opened[-1])
        for depth in reversed(range(len(parts))):
            with suppress(FileNotFoundError):
                try:
                    os.rmdir(parts[depth], dir_fd=opened[depth - 1] if depth else top)
                except OSError:
                    return  # other repositories lie in it
    except FileNotFoundError:
        return
    finally:
        for descriptor in opened:
            os.close(descriptor)


def remove_untouched(uploads: int, name: str, since: float) -> bool:
    """Remove the folder `name` of the open folder `uploads`, unless it or its data was written to after `since`.

    It gets another name first: whoever dies while they remove it leaves nothing that looks like an upload just written
    to, and the next one who is asked for it removes the rest.
    """
    going = f"{name}{_GOING}"
    with suppress(FileNotFoundError):
        shutil.rmtree(going, dir_fd=uploads)
    opened = os.open(name, _FOLDER, dir_fd=uploads)
    try:
        if os.fstat(opened).st_mtime > since:
            return False
        with suppress(FileNotFoundError):
            if os.stat("data", dir_fd=opened, follow_symlinks=False).st_mtime > since:
                return False
    finally:
        os.close(opened)
    os.rename(name, going, src_dir_fd=uploads, dst_dir_fd=uploads)
    shutil.rmtree(going, dir_fd=uploads)
    return True
