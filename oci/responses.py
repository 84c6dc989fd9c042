"""Answers as http.client has them, each receive of which keeps to the deadline of the call, with strictly read headers.

`http.client` reads headers by the parser for e-mails: it takes for a header what is none, ends them at a line that it
does not understand, and costs as much as all else that is done for a small answer.
"""

from __future__ import annotations

import io
import re
import socket
from http.client import HTTPException, HTTPMessage, HTTPResponse, LineTooLong, RemoteDisconnected
from typing import TYPE_CHECKING, Any, Final

from oci.calls import CALL

if TYPE_CHECKING:
    from io import BufferedIOBase

_LINES: Final = 100
_SIZE: Final = 64 * 2**10  # bytes of all headers together
_INTERIM: Final = 8  # answers before the answer, as 103 Early Hints
_SWITCHING: Final = 101
_FINAL: Final = 200
_EMPTY: Final = frozenset({204, 304})
_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # a token of RFC 9110, 5.6.2
_LENGTH: Final = re.compile(r"[0-9]{1,19}")
_UNFIT: Final = re.compile(r"[\0\r\n]")  # for a value, RFC 9110, 5.5


class Response(HTTPResponse):
    """Reads through `_TimedSocket`; everything that http.client reads, it reads from `fp`."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(_TimedSocket(sock), *args, **kwargs)  # type: ignore[arg-type]  # it only wants its makefile

    def begin(self) -> None:
        """Read up to the body, in place of http.client's.

        HTTPException when it is no HTTP, RemoteDisconnected when it ends before the body.
        """
        for _ in range(_INTERIM):
            version, status, reason = self._read_status()  # type: ignore[attr-defined]
            headers = _Headers(_read_fields(self.fp))
            if status >= _FINAL or status == _SWITCHING:
                break
        else:
            raise HTTPException("nothing but interim answers")
        if not version.startswith("HTTP/1."):
            raise HTTPException("another version of HTTP")
        self.version = 10 if version == "HTTP/1.0" else 11
        self.code, self.status, self.reason = status, status, reason.strip()
        self.headers = self.msg = headers
        self._find_end(headers)

    def _find_end(self, headers: _Headers) -> None:
        """How the end of the body is known (RFC 9112, 6.3), and whether another answer may come after it."""
        coding = headers.get("Transfer-Encoding", "").lower()
        if coding not in {"", "chunked"}:
            raise HTTPException("a transfer coding that nobody asked for")
        self.chunked, self.chunk_left = bool(coding), None
        self.length = None if self.chunked else _length(headers.get("Content-Length"))
        if self.status in _EMPTY or self._method == "HEAD":  # type: ignore[attr-defined]
            self.length = 0
        is_open = self.length is None and not self.chunked
        self.will_close = is_open or self._check_close()  # type: ignore[attr-defined]


class _Headers(HTTPMessage):
    """The part of a message that http.client and urllib3 ask for."""

    def __init__(self, fields: list[tuple[str, str]]) -> None:
        super().__init__()
        self._headers = fields
        self._found: dict[str, str] = {}  # by lower-case names, as there are no others here
        for name, value in self._headers:
            known = self._found.get(name.lower())
            self._found[name.lower()] = value if known is None else f"{known}, {value}"

    def get(self, name: str, failobj: Any = None) -> Any:
        return self._found.get(name.lower(), failobj)

    def items(self) -> list[tuple[str, Any]]:
        return list(self._headers)

    def is_multipart(self) -> bool:
        return False

    def get_payload(self, *_: Any, **__: Any) -> None:
        """None: of a body it has nothing."""


class _TimedSocket(socket.SocketIO):
    """What `socket.makefile` wraps, with the deadline of the call in every receive."""

    def __init__(self, sock: Any) -> None:
        super().__init__(sock, "r")
        sock._io_refs += 1  # noqa: SLF001  as makefile does, so that the socket stays open until this is closed
        self._receive = sock.recv_into
        self._limit = sock.settimeout

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def readinto(self, buffer: Any) -> int:
        self._limit(CALL.left(CALL.read))
        read: int = self._receive(buffer)
        return read


def _read_fields(stream: BufferedIOBase) -> list[tuple[str, str]]:
    """Names and values as they came, up to the empty line (RFC 9112, 5)."""
    fields: list[tuple[str, str]] = []
    left = _SIZE
    for _ in range(_LINES + 1):
        line = stream.readline(left + 1).decode("latin-1")
        left -= len(line)
        if left < 0:
            raise LineTooLong("headers")
        if not line.endswith("\n"):  # where http.client would see the end of the headers
            raise RemoteDisconnected("the headers were cut short")
        if line in {"\r\n", "\n"}:
            return fields
        if line[0] in " \t":  # what goes on from the line before (5.2)
            name, before = fields.pop() if fields else ("", "")
            fields.append(_field(name, f"{before} {line.strip()}"))
        else:
            name, _colon, value = line.partition(":")
            fields.append(_field(name, value))
    raise HTTPException("too many headers")


def _field(name: str, value: str) -> tuple[str, str]:
    value = value.strip(" \t\r\n")
    if not _NAME.fullmatch(name) or _UNFIT.search(value):
        raise HTTPException("a line that is no header")
    return name, value


def _length(said: str | None) -> int | None:
    """Bytes of the body; several lengths must agree (RFC 9110, 8.6)."""
    if said is None:
        return None
    lengths = {length.strip() for length in said.split(",")}
    length = lengths.pop()
    if lengths or not _LENGTH.fullmatch(length):
        raise HTTPException("a length that is none")
    return int(length)
