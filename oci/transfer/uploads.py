"""Uploads that may end in the middle: in one stream where that goes, else in chunks (distribution-spec, "Push").

Registries differ: some take no request above 4 MiB or 20 MB, some no chunk below 5 MiB but the last. What is streamed
is no blob before a request of its own closes it. So one that is given up ends as if that were all, and is then
cancelled: distribution 2.8 and 3 know no way to be rid of one that is cut off in the middle.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import urlencode

from oci import routes
from oci.errors import BadAnswer, Refused, RegistryError, TooManyRequests, Unavailable, Unreachable
from oci.faults import CutShort
from oci.stored import check_blob
from oci.streams import Body, Flow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from oci.client import RegistryClient
    from oci.model import Descriptor
    from oci.names import Digest, RepositoryName
    from oci.transport import Answer

CHUNK: Final = 4 * 2**20  # bytes: what the strictest registry takes at once
LARGEST_CHUNK: Final = 64 * 2**20  # bytes of memory that a registry can make us hold
_SMALLEST_CHUNK: Final = 2**20
_CLOSING: Final = 300.0  # seconds: a registry may read a large blob once more before it says yes
_SLOWEST: Final = 32 * 2**10  # bytes a second, below which an upload is given up
_SPARE: Final = 120.0  # seconds that any upload may take
_LASTING: Final = 60.0  # seconds that a token should last
_TOO_MUCH: Final = frozenset({413, 416})
_NO_STREAM: Final = frozenset({411, 413, 416, 501})
_OCTETS: Final = {"Content-Type": "application/octet-stream"}
_RANGE: Final = re.compile(r"(?:bytes=)?0-([0-9]{1,18})")


@dataclass(slots=True)
class Habits:
    """How a registry takes uploads, as far as it is known; threads share it."""

    chunk: int = 0  # bytes at most of one request; 0 where a blob goes in one however large it is


class ChunkRefused(Exception):  # noqa: N818  another size is tried
    """The registry takes no request as large as this one was; `habits` says by now what to try."""


class Session:
    """An open upload. It is closed by `send`, or owed a `cancel`."""

    def __init__(self, client: RegistryClient, repository: RepositoryName, habits: Habits, answer: Answer) -> None:
        self._transport, self._repository, self._habits = client.transport, repository, habits
        self._scope = routes.scope(repository, "pull", "push")
        self._path = self._led(answer)
        least = answer.headers.get("OCI-Chunk-Min-Length", "")
        self._least = min(int(least[:12]), LARGEST_CHUNK) if least.isascii() and least.isdigit() else 0

    @classmethod
    def begin(cls, client: RegistryClient, repository: RepositoryName, habits: Habits) -> Self:
        scope = routes.scope(repository, "pull", "push")
        path = routes.uploads(repository)
        return cls(
            client, repository, habits, client.transport.exchange("POST", path, accept_statuses=(202,), scope=scope)
        )

    @classmethod
    def mount(
        cls,
        client: RegistryClient,
        repository: RepositoryName,
        habits: Habits,
        blob: Descriptor,
        home: RepositoryName,
    ) -> Self | None:
        """None when the registry linked the blob of `home`; where it would not it may have opened an upload instead.

        Raises Refused and BadAnswer where it will hear of no mount: then `begin`.
        """
        path = f"{routes.uploads(repository)}?{urlencode({'mount': str(blob.digest), 'from': home})}"
        scope = f"{routes.scope(repository, 'pull', 'push')} {routes.scope(home, 'pull')}"
        answer = client.transport.exchange("POST", path, accept_statuses=(201, 202), scope=scope)
        if answer.status != 201:  # noqa: PLR2004  Created
            return cls(client, repository, habits, answer)
        check_blob(client.transport, repository, blob.digest, blob.size, answer)
        return None

    def send(self, digest: Digest, body: bytes | Body) -> None:
        """All of it, closed by the registry against the digest.

        Raises ChunkRefused where it is to be begun anew, what going through `body` raises, and RegistryError.
        """
        if isinstance(body, bytes):
            self._close(digest, len(body), body)
            return
        if self._habits.chunk:
            self._send_chunks(self._chunks(body))
        else:
            self._stream(body)
        self._close(digest, len(body))

    def cancel(self) -> None:
        """Leave nothing of it at the registry, if that can be asked to; silent where it cannot."""
        with suppress(RegistryError):
            self._transport.exchange("DELETE", self._path, accept_statuses=(202, 204), scope=self._scope)

    def _stream(self, body: Body) -> None:
        flow = Flow(body)
        try:
            answer = self._transport.exchange(
                "PATCH",
                self._path,
                headers=_OCTETS,
                body=flow,
                accept_statuses=(202, 204),
                scope=self._scope,
                read=_CLOSING,
                total=_SPARE + len(body) / _SLOWEST,
                lasting=_LASTING,
            )
        except Refused as refusal:
            if refusal.answered not in _NO_STREAM:
                raise
            self._habits.chunk = max(CHUNK, self._least)
            raise ChunkRefused from refusal
        self._path = self._led(answer)
        if flow.ended_by is not None:
            raise flow.ended_by
        self._check(answer, len(body))

    def _close(self, digest: Digest, size: int, body: bytes = b"") -> None:
        answer = self._transport.exchange(
            "PUT",
            f"{self._path}{'&' if '?' in self._path else '?'}{urlencode({'digest': str(digest)})}",
            headers=_OCTETS,
            body=body,
            accept_statuses=(201,),
            scope=self._scope,
            attempts=1,  # a closed upload is gone, so a second try would look like a failure
            read=_CLOSING,
            total=_SPARE + _CLOSING,
            lasting=_LASTING,
        )
        check_blob(self._transport, self._repository, digest, size, answer)

    def _chunks(self, body: Body) -> Iterator[bytes]:
        size, buffer = max(self._habits.chunk, self._least), bytearray()
        for piece in body:
            buffer += piece
            while len(buffer) >= size:
                yield bytes(buffer[:size])
                del buffer[:size]
        if buffer:
            yield bytes(buffer)

    def _send_chunks(self, chunks: Iterator[bytes]) -> None:
        sent = 0
        for chunk in chunks:
            self._patch(chunk, sent)
            sent += len(chunk)

    def _patch(self, chunk: bytes, start: int) -> None:
        try:
            answer = self._asked_to_take(chunk, start)
        except (Unreachable, CutShort, Unavailable, TooManyRequests):
            if self._taken() != start:
                raise  # part of it is there, or all: what is sent again would stand there twice
            answer = self._asked_to_take(chunk, start)
        self._path = self._led(answer)
        self._check(answer, start + len(chunk))

    def _check(self, answer: Answer, sent: int) -> None:
        if (taken := _length(answer)) is not None and taken != sent:
            raise BadAnswer(f"the registry has {taken} bytes of an upload of which {sent} were sent")

    def _asked_to_take(self, chunk: bytes, start: int) -> Answer:
        try:
            return self._transport.exchange(
                "PATCH",
                self._path,
                headers={**_OCTETS, "Content-Range": f"{start}-{start + len(chunk) - 1}"},
                body=chunk,
                accept_statuses=(202, 204),
                scope=self._scope,
                read=_CLOSING,
                total=_SPARE + len(chunk) / _SLOWEST,
                lasting=_LASTING,
            )
        except Refused as refusal:
            smaller = max(self._least, _SMALLEST_CHUNK, len(chunk) // 2)
            if refusal.answered not in _TOO_MUCH or smaller >= len(chunk):
                raise
            self._habits.chunk = smaller
            raise ChunkRefused from refusal

    def _taken(self) -> int | None:
        """Bytes of it that the registry has; None where it does not say."""
        try:
            answer = self._transport.exchange("GET", self._path, accept_statuses=(204,), scope=self._scope)
        except RegistryError:
            return None
        self._path = self._led(answer) if answer.headers.get("Location") else self._path
        return _length(answer)

    def _led(self, answer: Answer) -> str:
        return self._transport.follow(answer, answer.headers.get("Location", ""))


def _length(answer: Answer) -> int | None:
    """By the Range of an answer, which names the last byte; of nothing it is 0-0 with some, and absent with others."""
    said = _RANGE.fullmatch(answer.headers.get("Range", "").strip())
    return int(said[1]) + 1 if said and said[1] != "0" else 0 if said else None
