"""The signals that ask us to end, and those that tell of a child."""

from __future__ import annotations

import select
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from types import FrameType


class Signals:
    """Signals as a count and a wake-up, so that nothing happens inside a handler."""

    def __init__(self) -> None:
        self.asked = 0
        self._before: dict[int, Callable[[int, FrameType | None], object] | int | None] = {}

    def catch(self) -> None:
        self._wake, self._woken = socket.socketpair()
        for end in (self._wake, self._woken):
            end.setblocking(False)  # noqa: FBT003 - the name of the standard library
        self._old_wakeup = signal.set_wakeup_fd(self._woken.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
            if signal.getsignal(number) != signal.SIG_IGN or number in (signal.SIGINT, signal.SIGCHLD):
                self._before[number] = signal.signal(number, self._note)  # nohup's ignored SIGHUP stays so

    def release(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._old_wakeup)
        self._wake.close()
        self._woken.close()

    def pause(self, seconds: float) -> None:
        """Sleep; a signal ends the sleep."""
        if select.select([self._wake], [], [], seconds)[0]:
            with suppress(BlockingIOError):
                self._wake.recv(4096)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if number != signal.SIGCHLD:
            self.asked += 1
