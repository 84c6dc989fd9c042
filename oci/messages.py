"""A request as it is sent and its answer as it comes, between a Transport and its connections."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from oci.errors import BadAnswer, InvalidName, TooLarge
from oci.streams import Flow

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from requests import Response

    from oci.streams import Stream
    from oci.urls import Url

ANSWER_LIMIT: Final = 2**20  # bytes of an answer of which nobody said how large it may be
_ERROR_LIMIT: Final = 64 * 2**10


@dataclass(frozen=True, slots=True)
class Answer:
    """`headers` are found by any spelling of their name; `content` is what was sent, decompressed.

    Of an answer that is read as it comes, `content` is empty and `stream` the rest.
    """

    status: int
    headers: Mapping[str, str]
    content: bytes
    url: Url  # where it came from in the end
    stream: Stream | None = None


@dataclass(frozen=True, slots=True)
class Request:
    name: str  # as errors call it
    method: str
    url: Url
    headers: Mapping[str, str]
    body: bytes | Flow | None = None
    statuses: Collection[int] = (200,)
    limit: int = ANSWER_LIMIT
    kind: str = ""  # as its pace knows it
    lasting: float = 0.0  # seconds for which the token that it shows should last
    is_streamed: bool = False

    @property
    def goes_once(self) -> bool:
        """Whether its body is gone once it was sent."""
        return isinstance(self.body, Flow)


class Course:
    """How a request went, for the pace: the seconds until its answer began, and 0 for the status of none."""

    __slots__ = ("retry_after", "seconds", "status")

    def __init__(self) -> None:
        self.seconds, self.status = 0.0, 0
        self.retry_after: float | None = None


def read_body(request: Request, response: Response) -> bytes:
    """At most the request's limit, counted after decompression; of a refusal as much as a sensible one has."""
    is_wanted = response.status_code in request.statuses
    limit = request.limit if is_wanted else _ERROR_LIMIT
    raw = response.raw  # what requests reads by knows no limit
    if is_wanted and raw.length_remaining is None and not raw.chunked:
        raise BadAnswer(f"{request.name}: the answer does not say where it ends, so nobody knows that it is whole")
    content: bytes = raw.read(limit + 1, decode_content=True)
    if len(content) <= limit:
        return content
    if is_wanted:
        raise TooLarge(f"{request.name} was answered with more than {limit} bytes")
    return b""


def next_hop(name: str, answer: Answer) -> Url:
    """Where a redirect leads; BadAnswer where nothing of ours may follow."""
    try:
        url = answer.url.join(answer.headers.get("Location", ""))
    except InvalidName as error:
        raise BadAnswer(f"{name} was redirected to something that is no web address") from error
    if answer.url.origin.scheme == "https" and url.origin.scheme != "https":
        raise BadAnswer(f"{name} was redirected from https to plain http")
    return url
