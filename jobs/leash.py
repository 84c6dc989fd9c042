"""Ties a process to its parent: when the parent dies, in whatever way, the kernel kills it.

Run as a script, `leash.py PARENT COMMAND…`, it ties itself and becomes the command; nothing but the standard
library is imported, so that this costs a few hundredths of a second.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from typing import Final

_PR_SET_PDEATHSIG: Final = 1  # linux/prctl.h


def die_with(parent: int) -> None:
    """Be killed when `parent`, which started this process, dies; end at once where it is dead already.

    The signal follows the *thread* that forked, so a parent forks from its main thread only.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)  # it died between our birth and the line above


if __name__ == "__main__":
    die_with(int(sys.argv[1]))
    try:
        os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606 - this is what it is for
    except OSError as error:
        sys.exit(f"{sys.argv[2]} cannot be started: {error.strerror}")
