"""Opening files in a folder that strangers may have filled, without ever being led out of it.

Linux does it in one step (openat2, RESOLVE_NO_SYMLINKS: 0.6 microseconds more than open): the path is opened when no
part of it is a link. A link is rare, so only then is it worked out where the path really is, and that is opened the
same way. Elsewhere each part is looked at before the whole is opened, which is slower and leaves a moment between.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
import sys
from collections.abc import Callable
from typing import Final, TypeAlias

_FILE: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # O_NONBLOCK: a FIFO would wait for ever
_FOLDER: Final = _FILE | os.O_DIRECTORY

OpenPlain: TypeAlias = Callable[[bytes, int], int]  # a path, and the open folder that it begins in

NOWHERE: Final = -100  # AT_FDCWD: for paths that begin with a slash
_OPENAT2: Final = 437  # the same number on all architectures that Python is built for
_RESOLVE_NO_SYMLINKS: Final = 0x04


class _How(ctypes.Structure):
    _fields_ = [("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64)]


def by_steps(flags: int) -> OpenPlain:
    """What opens a path when no part of it is a link; OSError with ELOOP when one is."""

    def open_plain(path: bytes, folder: int) -> int:
        within = None if folder == NOWHERE else folder
        end = path.find(b"/", 1)
        while end > 0:
            if stat.S_ISLNK(os.stat(path[:end], dir_fd=within, follow_symlinks=False).st_mode):
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
            end = path.find(b"/", end + 1)
        return os.open(path, flags, dir_fd=within)

    return open_plain


def in_one_step(flags: int) -> OpenPlain | None:
    """The same by openat2; None where the system has none, or its sandbox refuses it."""
    if not sys.platform.startswith("linux"):
        return None
    call, errno_of = ctypes.CDLL(None, use_errno=True).syscall, ctypes.get_errno
    call.restype = ctypes.c_long
    call.argtypes = [ctypes.c_long, ctypes.c_int, ctypes.c_char_p, ctypes.POINTER(_How), ctypes.c_size_t]
    how, size = ctypes.pointer(_How(flags, 0, _RESOLVE_NO_SYMLINKS)), ctypes.sizeof(_How)

    def open_plain(path: bytes, folder: int) -> int:
        while True:
            opened: int = call(_OPENAT2, folder, path, how, size)
            if opened >= 0:
                return opened
            if (number := errno_of()) != errno.EINTR:
                raise OSError(number, os.strerror(number))

    try:
        os.close(open_plain(b"/", NOWHERE))
    except OSError:
        return None
    return open_plain


open_file: OpenPlain = in_one_step(_FILE) or by_steps(_FILE)
open_folder: OpenPlain = in_one_step(_FOLDER) or by_steps(_FOLDER)
