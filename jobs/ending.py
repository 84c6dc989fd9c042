"""Whether this worker was asked to end: a byte that it shares with the processes of its pool.

Celery tells only its main process, which then waits for the jobs that run; those would not know.
"""

from __future__ import annotations

import mmap
from typing import Any, Final

from celery.signals import worker_shutting_down

_asked: Final = mmap.mmap(-1, 1)  # made before the pool is forked, so that all of it sees the same byte


@worker_shutting_down.connect
def ask(**_: Any) -> None:
    _asked[0] = 1


def asked() -> bool:
    return bool(_asked[0])
