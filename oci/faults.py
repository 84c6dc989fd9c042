"""What requests, urllib3, http.client and the system call a failed exchange, in the words of `oci.errors`.

Their own messages are not repeated: they quote addresses, and what the other side sent.
"""

from __future__ import annotations

import ssl
from http.client import HTTPException, IncompleteRead, RemoteDisconnected
from typing import TYPE_CHECKING, Final, Self

from urllib3.exceptions import (
    DecodeError,
    InvalidHeader,
    NameResolutionError,
    NewConnectionError,
    ProxyError,
    ReadTimeoutError,
)

from oci.calls import CALL
from oci.errors import BadAnswer, Unreachable, printable

if TYPE_CHECKING:
    from collections.abc import Iterator


PROXY_WANTS_USER: Final = 407


class CutShort(BadAnswer):
    """The answer ended before its end: a bad one, yet the next may be whole."""


class CertificateWanted(Unreachable):
    """The other side ended the TLS handshake for want of a client certificate that it trusts."""

    code = "client-certificate"


class ProxyRefused(Unreachable):
    """The proxy will not ask the registry for us."""

    code = "proxy"

    @classmethod
    def build(cls, status: int) -> Self:
        if status == PROXY_WANTS_USER:
            return cls("the proxy wants a user name and a password, and those that it is given are not right")
        return cls(f"the proxy does not let us there: it says {status}")


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
    if any(_wants_certificate(cause) for cause in causes):
        return CertificateWanted(f"{name}: it wants a client certificate that it trusts")
    if any(isinstance(cause, ProxyError) for cause in causes):
        return Unreachable(f"{name}: the proxy cannot be reached: {_why(causes)}")
    return Unreachable(f"{name}: {_why(causes)}")


def _why(causes: tuple[BaseException, ...]) -> str:
    """The first of these that is among the causes; urllib3 calls a refused connection a late one too."""
    if CALL.remaining <= 0:
        return "the time for it is over"
    for kind, words in _WORDS:
        if found := [cause for cause in causes if isinstance(cause, kind)]:
            return words.format(_tls_reason(found[0]))
    return "the connection broke"


_WORDS: Final[tuple[tuple[type[BaseException], str], ...]] = (
    (NameResolutionError, "the host name is not known"),
    (ssl.SSLError, "no trusted TLS connection: {}"),
    (ConnectionRefusedError, "connection refused"),
    (TimeoutError, "no answer in time"),
    (ReadTimeoutError, "no answer in time"),
    (NewConnectionError, "no way to connect"),
)


def _tls_reason(error: BaseException) -> str:
    reason = getattr(error, "verify_message", "") or getattr(error, "reason", "") or "handshake failed"
    return printable(str(reason), 120)


def _wants_certificate(error: BaseException) -> bool:
    """Whether it is an alert of the other side's (RFC 8446, 6.2) about a certificate, which can only be ours."""
    reason = str(getattr(error, "reason", "")) if isinstance(error, ssl.SSLError) else ""
    return "_ALERT_" in reason and ("CERTIFICATE" in reason or reason.endswith(("UNKNOWN_CA", "ACCESS_DENIED")))


def _causes(error: BaseException, depth: int = 6) -> Iterator[BaseException]:
    """The errors that are wrapped in `error`, innermost last."""
    yield error
    inner = [*error.args, getattr(error, "reason", None), error.__cause__, error.__context__]
    for cause in inner:
        if isinstance(cause, BaseException) and depth:
            yield from _causes(cause, depth - 1)
