"""A small proxy that is one: CONNECT for https, absolute form for http; it writes down all that it is told.

    with ForwardProxy() as proxy:
        connect(registry.url, proxy=Proxy.parse(proxy.url))

What goes through a tunnel is kept too, as it went by, which TLS leaves nobody to read.
"""

from __future__ import annotations

import socket
import socketserver
import threading
from contextlib import suppress
from typing import Any, Final, Self
from urllib.parse import urlsplit

_HOP: Final = ("proxy-authorization", "proxy-connection")


class ForwardProxy:
    """`user` is what Proxy-Authorization has to say, where it is asked for at all; `answers` come instead of a way."""

    def __init__(self, user: str = "", *answers: bytes) -> None:
        self.heads: list[str] = []  # of requests to the proxy, as they came
        self.tunnelled = bytearray()  # what clients sent through
        self.connections = 0
        self._user, self._answers = user, list(answers)
        self._server = _Server(("127.0.0.1", 0), self._serve)
        self.port: int = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"

    @property
    def lines(self) -> list[str]:
        """The first line of each."""
        return [head.partition("\r\n")[0] for head in self.heads]

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _serve(self, client: socket.socket) -> None:
        self.connections += 1
        with suppress(OSError), client, client.makefile("rb") as stream:
            while head := _head(stream):
                self.heads.append(head)
                if not self._handle(client, stream, head):
                    return

    def _handle(self, client: socket.socket, stream: Any, head: str) -> bool:
        """Whether another request may follow on this connection."""
        if self._answers:
            client.sendall(self._answers.pop(0))
            return False
        if self._user and f"proxy-authorization: {self._user}\r\n".lower() not in head.lower():
            client.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            return False
        method, target, _ = head.partition("\r\n")[0].split(" ")
        if method == "CONNECT":
            host, _, port = target.rpartition(":")
            with socket.create_connection((host.strip("[]"), int(port))) as registry:
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                self._relay(client, registry)
            return False
        return _forward(client, stream, head, target)

    def _relay(self, client: socket.socket, registry: socket.socket) -> None:
        back = threading.Thread(target=_pour, args=(registry, client, bytearray()), daemon=True)
        back.start()
        _pour(client, registry, self.tunnelled)
        back.join()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], serve: Any) -> None:
        super().__init__(address, socketserver.BaseRequestHandler)
        self._serve = serve

    def finish_request(self, request: Any, client_address: Any) -> None:  # noqa: ARG002  as the server calls it
        self._serve(request)


def _head(stream: Any) -> str:
    lines = []
    for line in stream:
        lines.append(line.decode("latin-1"))
        if line == b"\r\n":
            return "".join(lines)
    return ""


def _forward(client: socket.socket, stream: Any, head: str, target: str) -> bool:
    parts = urlsplit(target)
    length = next((int(ln.partition(":")[2]) for ln in head.splitlines() if ln.lower().startswith("content-length")), 0)
    lines = [line for line in head.split("\r\n")[1:] if line.partition(":")[0].lower() not in _HOP]
    path = target.partition(parts.netloc)[2] or "/"
    first = f"{head.split(' ', maxsplit=1)[0]} {path} HTTP/1.1"
    with socket.create_connection((parts.hostname, parts.port or 80)) as registry:
        kept = [line for line in lines if line]
        registry.sendall("\r\n".join([first, *kept, "Connection: close", "", ""]).encode("latin-1"))
        if length:
            registry.sendall(stream.read(length))
        registry.shutdown(socket.SHUT_WR)
        _pour(registry, client, bytearray())
    return False


def _pour(source: socket.socket, target: socket.socket, kept: bytearray) -> None:
    with suppress(OSError):
        while piece := source.recv(65536):
            kept += piece
            target.sendall(piece)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
