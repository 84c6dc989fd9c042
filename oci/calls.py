"""What bounds a call: how long it may take in all, how long each part, and which addresses are barred for it."""

from __future__ import annotations

import ipaddress
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Self, TypeAlias

if TYPE_CHECKING:
    from types import TracebackType

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Barred: TypeAlias = Callable[[Address], bool]
Bounds: TypeAlias = tuple[float, float, float, float, bool, Barred | None]


class Call(threading.local):
    """What bounds the call that this thread is in."""

    deadline: float = float("inf")  # by time.monotonic()
    connect: float = 5.0
    read: float = 15.0
    patience: float = float("inf")  # seconds for which it may still wait for its turn
    is_repeatable: bool = False  # so that a connection may turn out to be closed
    barred: Barred | None = None  # set while a redirect, and not our configuration, chose the host

    def left(self, most: float = float("inf")) -> float:
        """Seconds that may still be spent, at most `most`; TimeoutError when there are none."""
        if self.remaining <= 0:
            raise TimeoutError
        return min(self.remaining, most)

    def waited(self, seconds: float) -> None:
        """Its clock stood still that long: who waits for a turn is not late for that."""
        self.deadline += seconds
        self.patience -= seconds

    @property
    def bounds(self) -> Bounds:
        return self.deadline, self.patience, self.connect, self.read, self.is_repeatable, self.barred

    @bounds.setter
    def bounds(self, bounds: Bounds) -> None:
        self.deadline, self.patience, self.connect, self.read, self.is_repeatable, self.barred = bounds

    @property
    def remaining(self) -> float:
        return self.deadline - time.monotonic()


CALL: Final = Call()


class call:  # noqa: N801  it reads as a verb, and costs a third of a generator
    """Bound everything that this thread sends and receives inside; that it waits for its turn, by `patience`.

    Which is as long again, where it is not said.

    Inside another, as where the body of a request is asked for elsewhere while it is sent, only its own bounds hold.
    """

    __slots__ = ("_before", "_connect", "_is_repeatable", "_patience", "_read", "_total")

    def __init__(
        self,
        *,
        connect: float,
        read: float,
        total: float,
        patience: float | None = None,
        is_repeatable: bool = False,
    ) -> None:
        self._connect, self._read, self._total, self._is_repeatable = connect, read, total, is_repeatable
        self._patience = total if patience is None else patience

    def __enter__(self) -> Self:
        self._before = CALL.bounds
        CALL.deadline, CALL.patience = time.monotonic() + self._total, self._patience
        CALL.connect, CALL.read, CALL.is_repeatable = self._connect, self._read, self._is_repeatable
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        CALL.bounds = self._before
