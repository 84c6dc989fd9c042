"""A gate before a real registry: it lets everything through, until it is told to refuse."""

from __future__ import annotations

import http.client
from collections.abc import Callable

from tests.hostile import Asked, Hostile, Raw, Reply
from tests.real_registry import RealRegistry

_OWN = frozenset({"connection", "content-length", "transfer-encoding"})


class Gate:
    def __init__(self, front: Hostile, behind: RealRegistry) -> None:
        self._behind, self.url = behind, front.url
        self.passed: list[Asked] = []
        self.open()
        front.otherwise(self._answer)

    def open(self) -> None:
        self._reply: Reply | Raw | None = None
        self._method, self._left, self._for_all, self._is_shut = "", 0, False, False
        self._is_heard: bool | Callable[[Asked], object] = False
        self._times = 0
        self._then: Reply | None = None
        self._at: dict[str, Reply] = {}
        self._meanwhile: tuple[str, Callable[[], object]] | None = None
        self._passing, self._among, self._is_first = 0, "", False

    def answer(self, path: str, reply: Reply) -> None:
        """Say this to whoever asks for what is at a path that ends so."""
        self._at[path] = reply

    def meanwhile(
        self, method: str, happens: Callable[[], object], *, after: int = 0, path: str = "", first: bool = False
    ) -> None:
        """Have something happen once `after` requests of this method and another one have passed.

        Only those count whose path ends with `path`. `first`: it happens right before that one is passed on.
        """
        self._meanwhile, self._passing, self._among, self._is_first = (method, happens), after, path, first

    def refuse(  # noqa: PLR0913  each is one way to be odd
        self,
        *,
        after: int,
        method: str,
        reply: Reply | Raw,
        for_all: bool = False,
        heard: bool | Callable[[Asked], object] = False,
        times: int = 1_000,
        then: Reply | None = None,
    ) -> None:
        """Let `after` more requests of a method through, and answer those that follow, or all that follow, so.

        Questions about rights, which name a digest that is nowhere, are let through. What is `heard` is done all the
        same, or so; after so many `times` the gate is open again, or `then` answers, and nothing is heard any more.
        """
        self._reply, self._method, self._left, self._for_all, self._is_shut = reply, method, after, for_all, False
        self._is_heard, self._times, self._then = heard, times, then

    def _answer(self, asked: Asked) -> Reply | Raw:
        if self._reply is not None:
            if self._is_shut and self._for_all:
                return self._reply
            if asked.method == self._method and not self._asks_for_rights(asked):
                if self._left <= 0:
                    return self._shut(asked, self._reply)
                self._left -= 1
        for end, reply in self._at.items():
            if asked.path.endswith(end):
                return reply
        self.passed.append(asked)
        happens = self._happens_with(asked)
        if happens and self._is_first:
            happens()
        answer = self._forward(asked)
        if happens and not self._is_first:
            happens()
        return answer

    def _happens_with(self, asked: Asked) -> Callable[[], object] | None:
        if self._meanwhile is None or asked.method != self._meanwhile[0] or not asked.path.endswith(self._among):
            return None
        self._passing -= 1
        if self._passing >= 0:
            return None
        happens, self._meanwhile = self._meanwhile[1], None
        return happens

    def _shut(self, asked: Asked, reply: Reply | Raw) -> Reply | Raw:
        self._is_shut = True
        if callable(self._is_heard):
            self._is_heard(asked)
        elif self._is_heard:
            self._forward(asked)
        self._times -= 1
        if not self._times:
            self._reply, self._is_heard = self._then, False
        return reply

    def _asks_for_rights(self, asked: Asked) -> bool:
        if asked.method == "PUT":
            return "/manifests/sha256:" in asked.target
        digest = asked.target.rpartition("/")[2]
        return digest.startswith("sha256:") and not self._is_there(asked.target)

    def _is_there(self, target: str) -> bool:
        accept = {"Accept": "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json"}
        return self._forward(Asked("HEAD", target, _headers(accept), b"")).status == 200

    def _forward(self, asked: Asked) -> Reply:
        connection = http.client.HTTPConnection("127.0.0.1", self._behind.port, timeout=10)
        headers = {name: value for name, value in asked.headers.items() if name.lower() not in _OWN}
        try:
            connection.request(asked.method, asked.target, asked.body or None, headers)
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        kept = {name: value for name, value in answer.getheaders() if name.lower() not in _OWN}
        if asked.method == "HEAD":
            kept["Content-Length"] = answer.getheader("Content-Length") or "0"
        return Reply(answer.status, content, kept)


def _headers(values: dict[str, str]) -> http.client.HTTPMessage:
    message = http.client.HTTPMessage()
    for name, value in values.items():
        message[name] = value
    return message
