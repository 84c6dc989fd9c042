"""Bodies that are never whole in memory: those that come from a registry, and those that go to one."""

from __future__ import annotations

from http.client import HTTPException
from typing import TYPE_CHECKING, Final, Protocol

from urllib3.exceptions import HTTPError

from oci.faults import translate

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from requests import Response

PIECE: Final = 256 * 2**10  # bytes: larger ones cost more memory and no less time, smaller ones more time


class Body(Protocol):
    """What is to be sent piece by piece, as many bytes as its length."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[bytes]: ...


class Flow:
    """A body as it is sent, once: where the other one raises, it ends, and `ended_by` says why.

    It has no length, and no `read`, or it would be taken for a file and read past whoever checks its pieces.
    """

    def __init__(self, body: Body) -> None:
        self._body = body
        self.ended_by: Exception | None = None

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._body
        except Exception as error:  # noqa: BLE001  it is raised when the answer is there
            self.ended_by = error


class Stream:
    """The body of an answer, read as it comes; to be closed, which leaves the rest of it unread."""

    def __init__(self, name: str, response: Response) -> None:
        self._name, self._response = name, response

    @property
    def status(self) -> int:
        return self._response.status_code

    @property
    def headers(self) -> Mapping[str, str]:
        return self._response.headers

    def read(self, most: int = PIECE) -> bytes:
        """The next bytes, `most` of them or what is left; b"" at the end.

        Raises CutShort where the other side ended it before, and Unreachable and BadAnswer as an exchange does.
        """
        try:
            piece: bytes = self._response.raw.read(most, decode_content=False)
        except (HTTPError, HTTPException, OSError) as error:
            raise translate(self._name, error) from error
        return piece

    def close(self) -> None:
        self._response.close()
