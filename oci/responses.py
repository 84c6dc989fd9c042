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
_END: Final = frozenset({b"\r\n", b"\n"})
# A name is a token (RFC 9110, 5.6.2), a value has no line break and no NUL (5.5); each begins where the other ends, so
# that no line takes longer to refuse than to read.
_BLOCK: Final = re.compile(r"(?:[!#$%&'*+.^_`|~0-9A-Za-z-]++:[^\0\r\n]*+\n)*+")
_FOLD: Final = re.compile(r"\n[ \t]++")  # a line that goes on (RFC 9112, 5.2)
_LENGTH: Final = re.compile(r"[0-9]{1,19}")


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
        self._found = {name.lower(): value for name, value in fields}
        if len(self._found) < len(fields):
            self._found = {n: ", ".join(v for name, v in fields if name.lower() == n) for n in self._found}

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
    lines: list[bytes] = []
    left = _SIZE
    while (line := stream.readline(left + 1)) not in _END:
        left -= len(line)
        if left < 0:
            raise LineTooLong("headers")
        if not line.endswith(b"\n"):  # where http.client would see the end of the headers
            raise RemoteDisconnected("the headers were cut short")
        lines.append(line)
        if len(lines) > _LINES:
            raise HTTPException("too many headers")
    block = b"".join(lines).decode("latin-1").replace("\r\n", "\n")
    if _FOLD.search(block):
        block = _FOLD.sub(" ", block)
    if not _BLOCK.fullmatch(block):
        raise HTTPException("a line that is no header")
    fields = []
    for field in block.split("\n")[:-1]:
        name, _, value = field.partition(":")
        fields.append((name, value.strip(" \t")))
    return fields


def _length(said: str | None) -> int | None:
    """Bytes of the body; several lengths must agree (RFC 9110, 8.6)."""
    if said is None:
        return None
    lengths = {length.strip() for length in said.split(",")}
    length = lengths.pop()
    if lengths or not _LENGTH.fullmatch(length):
        raise HTTPException("a length that is none")
    return int(length)
