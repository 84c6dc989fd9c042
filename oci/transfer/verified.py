"""A blob on its way: read as it is sent on, hashed meanwhile, its last piece held back until all of it fits."""

from __future__ import annotations

import hashlib
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Self

from oci import routes
from oci.calls import call
from oci.errors import BadAnswer, DigestMismatch, RegistryError, TooLarge, Unreachable
from oci.faults import CutShort
from oci.retries import pause
from oci.streams import PIECE
from oci.transfer.sides import Side, at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from oci.client import RegistryClient
    from oci.model import Descriptor
    from oci.names import RepositoryName
    from oci.streams import Stream

_SILENCE: Final = 30.0  # seconds that the source may be silent
_PIECE: Final = 60.0  # seconds that a piece may take in all
_RESUMES: Final = 5  # in a row that brought nothing
_MOST_RESUMES: Final = 50  # of one blob, whatever each of them brought
_RANGE: Final = re.compile(r"bytes ([0-9]{1,18})-[0-9]{1,18}/(?:[0-9]{1,18}|\*)")


class Verified:
    """The body of one upload: the bytes of `blob`, of which the last are given only when all were right.

    So no registry ever has a whole blob that is not what its digest says. Going through it raises DigestMismatch when
    it is another, TooLarge when it does not end, and the errors of an exchange when the source gives no more; one that
    is cut is asked for the rest. `watch` is told of each piece, by its bytes, and may raise to end it.

    It is entered before it is sent, which asks the source for it, and left when it has been.
    """

    def __init__(
        self, source: RegistryClient, repository: RepositoryName, blob: Descriptor, watch: Callable[[int], None]
    ) -> None:
        self._source, self._repository, self._blob, self._watch = source, repository, blob, watch
        self._got = 0
        self._stream: Stream | None = None

    def __enter__(self) -> Self:
        with at(Side.SOURCE):
            self._stream = self._opened()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._stream is not None:
            self._stream.close()

    def __len__(self) -> int:
        return self._blob.size

    def __iter__(self) -> Iterator[bytes]:
        digest, held = hashlib.new(self._blob.digest.algorithm), b""
        for piece in self._pieces():
            if held:
                yield held
            digest.update(piece)
            held = piece
            self._watch(len(piece))
        if digest.hexdigest() != self._blob.digest.hex:
            with at(Side.SOURCE):
                raise DigestMismatch(f"{self._blob.digest} came with other bytes")
        if held:
            yield held

    def _pieces(self) -> Iterator[bytes]:
        """All of it, in as many answers as it takes."""
        in_vain = resumes = 0
        while True:
            before = self._got
            try:
                with at(Side.SOURCE):
                    self._stream = self._stream or self._opened()
                    yield from self._read(self._stream)
                    return
            except (CutShort, Unreachable):
                if self._stream is not None:
                    self._stream.close()
                    self._stream = None
                resumes, in_vain = resumes + 1, 0 if self._got > before else in_vain + 1
                if in_vain == _RESUMES or resumes == _MOST_RESUMES or not pause(in_vain, None):
                    raise

    def _read(self, stream: Stream) -> Iterator[bytes]:
        """What is left of it. Raises CutShort where it ends too soon."""
        while True:
            with call(connect=_SILENCE, read=_SILENCE, total=_PIECE):
                piece = stream.read()
            if not piece:
                break
            self._got += len(piece)
            if self._got > self._blob.size:
                raise TooLarge(f"{self._blob.digest} is longer than {self._blob.size} bytes, which the manifest says")
            yield piece
        if self._got < self._blob.size:
            raise CutShort(f"{self._blob.digest} ended after {self._got} of {self._blob.size} bytes")

    def _opened(self) -> Stream:
        """At the first byte that is still wanted."""
        start = self._got
        headers = {"Range": f"bytes={start}-"} if start else {}
        stream = self._source.transport.open(
            routes.blob(self._repository, self._blob.digest),
            headers=headers,
            accept_statuses=(200, 206) if start else (200,),
            scope=routes.scope(self._repository, "pull"),
        )
        try:
            self._go_to(start, stream)
        except BaseException:
            with suppress(RegistryError):
                stream.close()
            raise
        return stream

    def _go_to(self, start: int, stream: Stream) -> None:
        if stream.status == 206:  # noqa: PLR2004  Partial Content
            said = _RANGE.fullmatch(stream.headers.get("Content-Range", ""))
            if said is None or int(said[1]) != start:
                raise BadAnswer(f"{self._blob.digest} goes on at another place than it was asked for")
            return
        while start:  # it knows no ranges
            with call(connect=_SILENCE, read=_SILENCE, total=_PIECE):
                piece = stream.read(min(start, PIECE))
            if not piece:
                raise BadAnswer(f"{self._blob.digest} cannot be gone on with")
            start -= len(piece)
