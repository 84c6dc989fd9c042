"""A registry that does what no real one would: it answers by a script, and writes down everything it is asked.

    with Hostile() as registry:
        registry.on("GET", "/v2/a/tags/list", Reply(503), Reply.json({"tags": ["1"]}))

The answers to one method and path are given in turn, and the last one for ever. An answer may be a function of the
request. A rule's path with a `?` matches the whole target, one without matches any query. What no rule speaks of is a
plain 404, or what `otherwise` says. A second `Hostile` without rules makes "the other host", which must not hear
anything it should not.
"""

from __future__ import annotations

import json
import socket
import socketserver
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from email.message import Message
from email.parser import Parser
from http import HTTPStatus
from pathlib import Path
from typing import Any, Self, TypeAlias


@dataclass(frozen=True)
class Asked:
    """A request as it came; headers are found by any spelling."""

    method: str
    target: str
    headers: Message
    body: bytes

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]


@dataclass(frozen=True)
class Reply:
    """`pieces` are sent one after the other, `pause` seconds apart; `announced` is the Content-Length if it lies."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    announced: int | None = None
    pause: float = 0.0
    delay: float = 0.0

    @classmethod
    def json(cls, document: Any, status: int = 200, **headers: str) -> Reply:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return cls(status, json.dumps(document).encode(), {"Content-Type": "application/json", **named})

    @classmethod
    def errors(cls, status: int, code: str, message: str = "", **headers: str) -> Reply:
        """A refusal of the spec's shape."""
        return cls.json({"errors": [{"code": code, "message": message}]}, status, **headers)

    @classmethod
    def redirect(cls, location: str, status: int = 307) -> Reply:
        return cls(status, headers={"Location": location})

    @classmethod
    def challenge(cls, value: str) -> Reply:
        return cls(401, b'{"errors":[{"code":"UNAUTHORIZED"}]}', {"WWW-Authenticate": value})

    def pieces(self, *, is_head: bool) -> Sequence[bytes]:
        """Head and body, byte by byte from the body on when it drips."""
        length = len(self.body) if self.announced is None else self.announced
        lines = {"Content-Length": str(length), **self.headers}
        head = f"HTTP/1.1 {self.status} {_phrase(self.status)}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in lines.items()) + "\r\n"
        body = b"" if is_head or self.status == HTTPStatus.NOT_MODIFIED else self.body
        if self.pause:
            return [head.encode(), *(body[i : i + 1] for i in range(len(body)))]
        return [head.encode() + body]

    @property
    def is_whole(self) -> bool:
        return self.announced in (None, len(self.body))


@dataclass(frozen=True)
class Raw:
    """Bytes instead of HTTP, `pause` seconds apart one by one when given; then the connection ends."""

    content: bytes
    pause: float = 0.0

    def pieces(self, *, is_head: bool) -> Sequence[bytes]:  # noqa: ARG002  as Reply's
        return [self.content[i : i + 1] for i in range(len(self.content))] if self.pause else [self.content]

    delay = 0.0
    is_whole = False


Answer: TypeAlias = Reply | Raw | Callable[[Asked], Reply | Raw]


class Hostile:
    def __init__(self, certificate: tuple[Path, Path] | None = None) -> None:
        """With a certificate and its key (two paths), it speaks TLS."""
        self.requests: list[Asked] = []
        self.connections = 0
        self._rules: dict[tuple[str, str], list[Answer]] = {}
        self._otherwise: Answer = Reply(404, b"404 page not found\n", {"Content-Type": "text/plain"})
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._context: ssl.SSLContext | None = None
        if certificate:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(*certificate)
        self._server = _Server(("127.0.0.1", 0), self._serve)
        self.port: int = self._server.server_address[1]
        self.url = f"http{'s' if certificate else ''}://127.0.0.1:{self.port}"

    def on(self, method: str, path: str, *answers: Answer) -> None:
        with self._lock:
            self._rules[method, path] = list(answers)

    def otherwise(self, answer: Answer) -> None:
        """What is answered where no rule speaks."""
        self._otherwise = answer

    def asked(self, path: str = "") -> list[Asked]:
        """What was asked so far, of one path or at all."""
        with self._lock:
            return [request for request in self.requests if path in ("", request.path)]

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        with self._lock:
            for connection in self._open:
                _shut(connection)

    def _serve(self, connection: socket.socket) -> None:
        with self._lock:
            self.connections += 1
            self._open.add(connection)
        try:
            if self._context:
                connection = self._context.wrap_socket(connection, server_side=True)
            with connection, connection.makefile("rb") as stream:
                while self._turn(connection, stream):
                    pass
        except OSError:
            pass  # the client left, or the test is over
        finally:
            with self._lock:
                self._open.discard(connection)

    def _turn(self, connection: socket.socket, stream: Any) -> bool:
        """Answer one request; whether another may follow on this connection."""
        words = stream.readline().decode("latin-1").split()
        if len(words) < 3:
            return False
        lines = iter(lambda: stream.readline().decode("latin-1"), "\r\n")
        headers = Parser().parsestr("".join(lines))
        request = Asked(words[0], words[1], headers, _body(headers, stream))
        answer = self._answer(request)
        time.sleep(answer.delay)
        for piece in answer.pieces(is_head=request.method == "HEAD"):
            connection.sendall(piece)
            time.sleep(getattr(answer, "pause", 0.0))
        return answer.is_whole

    def _answer(self, request: Asked) -> Reply | Raw:
        with self._lock:
            self.requests.append(request)
            answers = self._rules.get((request.method, request.target)) or self._rules.get(
                (request.method, request.path),
            )
            answer = self._otherwise if not answers else answers.pop(0) if len(answers) > 1 else answers[0]
        return answer(request) if callable(answer) else answer


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], serve: Callable[[socket.socket], None]) -> None:
        super().__init__(address, socketserver.BaseRequestHandler)
        self._serve = serve

    def finish_request(self, request: Any, client_address: Any) -> None:  # noqa: ARG002  socketserver's
        self._serve(request)


def _body(headers: Message, stream: Any) -> bytes:
    if headers.get("Transfer-Encoding", "") != "chunked":
        content: bytes = stream.read(int(headers.get("Content-Length", "0")))
        return content
    pieces = []
    while size := int(stream.readline() or b"0", 16):
        pieces.append(stream.read(size))
        stream.readline()
    stream.readline()
    return b"".join(pieces)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Strange"


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    finally:
        connection.close()
