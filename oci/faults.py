"""What requests, urllib3, http.client and the system call a failed exchange, in the words of `oci.errors`.

Their own messages are not repeated: they quote addresses, and what the other side sent.
"""

from __future__ import annotations

import ssl
from http.client import HTTPException, IncompleteRead, RemoteDisconnected
from typing import TYPE_CHECKING

from urllib3.exceptions import DecodeError, InvalidHeader, NameResolutionError
from urllib3.exceptions import TimeoutError as LateError

from oci.connection import CALL
from oci.errors import BadAnswer, Unreachable, printable

if TYPE_CHECKING:
    from collections.abc import Iterator


class CutShort(BadAnswer):
    """The answer ended before its end: a bad one, yet the next may be whole."""


def translate(name: str, error: Exception) -> Unreachable | BadAnswer:
    """The error of ours for `error`; `name` is what was asked."""
    causes = tuple(_causes(error))
    if any(isinstance(cause, IncompleteRead) for cause in causes):
        return CutShort(f"{name}: the answer ended before its end")
    for cause in causes:
        if isinstance(cause, DecodeError | InvalidHeader):
            return BadAnswer(f"{name}: the answer is not encoded as it says")
        if isinstance(cause, HTTPException) and not isinstance(cause, RemoteDisconnected):
            return BadAnswer(f"{name}: what answers does not speak HTTP as it should")
    return Unreachable(f"{name}: {_why(causes)}")


def _why(causes: tuple[BaseException, ...]) -> str:
    if CALL.remaining <= 0:
        return "the time for it is over"
    for cause in causes:
        if isinstance(cause, NameResolutionError):
            return "the host name is not known"
        if isinstance(cause, ssl.SSLError):
            reason = getattr(cause, "verify_message", "") or cause.reason or "handshake failed"
            return f"no trusted TLS connection: {printable(str(reason), 120)}"
        if isinstance(cause, TimeoutError | LateError):
            return "no answer in time"
        if isinstance(cause, ConnectionRefusedError):
            return "connection refused"
    return "the connection broke"


def _causes(error: BaseException, depth: int = 6) -> Iterator[BaseException]:
    """The errors that are wrapped in `error`, innermost last."""
    yield error
    inner = [*error.args, getattr(error, "reason", None), error.__cause__, error.__context__]
    for cause in inner:
        if isinstance(cause, BaseException) and depth:
            yield from _causes(cause, depth - 1)
