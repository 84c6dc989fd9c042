"""Mail handed in within so many seconds in all, however slowly the server answers.

`smtplib` limits each receive of its socket, so a server that sends a byte a second is never late. Here every receive is
given only what is left.
"""

from __future__ import annotations

import io
import smtplib
import socket
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from django.core.mail.backends import smtp

if TYPE_CHECKING:
    import ssl

_PIECE: Final = 16 * 2**10  # bytes: of a larger one TLS would make several, each with all the time that is left
_AT_ONCE: Final = 0.001  # seconds: 0 would mean something else


class EmailBackend(smtp.EmailBackend):
    """Django's, whose `EMAIL_TIMEOUT` is for all of a mail."""

    @property
    def connection_class(self) -> type[smtplib.SMTP]:  # it is made like either of its two
        return _Session


class _Session(smtplib.SMTP):
    """With a `context`, it is TLS from the first byte."""

    def __init__(
        self, host: str, port: int, *, timeout: float, context: ssl.SSLContext | None = None, **more: Any
    ) -> None:
        self._deadline, self._context = time.monotonic() + timeout, context
        super().__init__(host, port, timeout=timeout, **more)

    def connect(self, host: str = "localhost", port: int = 0, source_address: Any = None) -> tuple[int, bytes]:
        sock = self._reach(host, port, source_address)
        self.sock = self._context.wrap_socket(sock, server_hostname=host) if self._context else sock
        self.file = None
        return self.getreply()

    def send(self, s: Any) -> None:
        content = s.encode(self.command_encoding) if isinstance(s, str) else s
        for begin in range(0, len(content), _PIECE):
            self._hurry()
            super().send(content[begin : begin + _PIECE])

    def getreply(self) -> tuple[int, bytes]:
        if self.file is None and self.sock is not None:
            self.file = io.BufferedReader(_Answers(self._receive))
        code, text = super().getreply()
        self._hurry()  # before TLS begins
        return code, text

    def _reach(self, host: str, port: int, source: Any) -> socket.socket:
        """By the first of its addresses that answers; each has half of what is left, so that the next has its turn."""
        failure: OSError | None = None
        for *_, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            try:
                return socket.create_connection((str(address[0]), port), max(self._left / 2, _AT_ONCE), source)
            except OSError as error:
                failure = error
        raise failure or OSError("the name has no address")

    def _receive(self, into: Any) -> int:
        if self.sock is None or self._left <= 0:
            raise TimeoutError
        self._hurry()
        return self.sock.recv_into(into)

    def _hurry(self) -> None:
        if self.sock is not None:
            self.sock.settimeout(max(self._left, _AT_ONCE))

    @property
    def _left(self) -> float:
        return self._deadline - time.monotonic()


class _Answers(io.RawIOBase):
    def __init__(self, receive: Callable[[Any], int]) -> None:
        self._receive = receive

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        return self._receive(buffer)
