"""One exchange with a registry: where it may go, how long it may take, how much it may bring, and who is told what.

All requests of Berth to registries go through here, on one pool of connections that threads share.
"""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, replace
from http.client import HTTPException
from typing import TYPE_CHECKING, Final, Self

from urllib3.exceptions import HTTPError

from oci.adapters import Adapters
from oci.auth import Authorizer, Credentials, Scheme
from oci.calls import CALL, Barred, call
from oci.connection import barred_from
from oci.endpoint import USER_AGENT, Endpoint
from oci.errors import BadAnswer, InvalidName, Reason, Refused, TooLarge, Unreachable
from oci.faults import CertificateWanted, CutShort, translate
from oci.pace import Pace, kind_of
from oci.retries import BUSY, REPEATABLE, pause, retry_after
from oci.tls import contexts

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from types import TracebackType

    from requests import Response

    from oci.urls import Url

__all__ = ["Answer", "Credentials", "Endpoint", "Transport"]

ANSWER_LIMIT: Final = 2**20  # bytes of an answer of which nobody said how large it may be
_ERROR_LIMIT: Final = 64 * 2**10
_TOKEN_LIMIT: Final = 256 * 2**10
_CONNECTIONS: Final = 32
_HOPS: Final = 5
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_FOLLOWING: Final = frozenset({"GET", "HEAD"})
_UNAUTHORIZED: Final = 401


@dataclass(frozen=True, slots=True)
class Answer:
    """`headers` are found by any spelling of their name; `content` is what was sent, decompressed."""

    status: int
    headers: Mapping[str, str]
    content: bytes
    url: Url  # where it came from in the end


@dataclass(frozen=True, slots=True)
class _Request:
    name: str  # as errors call it
    method: str
    url: Url
    headers: Mapping[str, str]
    body: bytes | None = None
    statuses: Collection[int] = (200,)
    limit: int = ANSWER_LIMIT
    kind: str = ""  # as its pace knows it


class _Course:
    """How a request went, for the pace: the seconds until its answer began, and 0 for the status of none."""

    __slots__ = ("retry_after", "seconds", "status")

    def __init__(self) -> None:
        self.seconds, self.status = 0.0, 0
        self.retry_after: float | None = None


class Transport:
    """Times are seconds: to connect, between two pieces of an answer, and for a whole `exchange` with all in it.

    `pace` bounds how many requests the registry is asked at once; transports to one registry may share it. An
    `exchange` waits for its turns no longer than `total`, and that its clock does not count.
    """

    def __init__(  # noqa: PLR0913  each is a bound of its own
        self,
        endpoint: Endpoint,
        pace: Pace | None = None,
        *,
        user_agent: str = USER_AGENT,
        connect: float = 5.0,
        read: float = 15.0,
        total: float = 60.0,
        attempts: int = 3,
    ) -> None:
        self.endpoint = endpoint
        self.pace = pace or Pace()
        self.sent = 0  # requests so far, those of retries and redirects too
        self._counting = threading.Lock()
        self._connect, self._read, self._total, self._attempts = connect, read, total, attempts
        self._headers = {"User-Agent": user_agent, "Accept-Encoding": "identity"}
        self._authorizer = Authorizer(endpoint.credentials, endpoint.realms, self._fetch_token)
        self._barred: Barred | None = None
        self._adapters = Adapters(endpoint.base.origin, *contexts(endpoint), connections=_CONNECTIONS, read=read)

    def exchange(  # noqa: PLR0913  each is a bound or a part of the request
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        limit: int = ANSWER_LIMIT,
        accept_statuses: Collection[int] = (200,),
        scope: str = "",
        attempts: int | None = None,
    ) -> Answer:
        """Ask, and come back with an answer of one of `accept_statuses` and at most `limit` bytes, or raise.

        `path` comes from `oci.routes` or `follow`. `scope` is what a token would have to allow. GET, HEAD and PUT
        are tried again, up to `attempts` times in all, when nobody answers or the registry is busy.
        """
        plain = path.partition("?")[0]
        request = _Request(
            name=f"{method} {plain}",
            method=method,
            url=self.endpoint.at(path),
            headers={**self._headers, **(headers or {})},
            body=body,
            statuses=accept_statuses,
            limit=limit,
            kind=kind_of(method, plain),
        )
        most = (attempts or self._attempts) if method in REPEATABLE else 1
        with call(connect=self._connect, read=self._read, total=self._total, is_repeatable=most > 1):
            tried = 1
            try:
                while tried < most:
                    if (answer := self._tried(request, scope, tried)) is not None:
                        return self._checked(request, answer)
                    tried += 1
                return self._checked(request, self._authorized(request, scope))
            except Refused as refusal:
                refusal.tried = tried
                raise

    def _tried(self, request: _Request, scope: str, tried: int) -> Answer | None:
        """None where it is to be asked once more, which has been waited for."""
        try:
            answer = self._authorized(request, scope)
        except (Unreachable, CutShort) as error:
            if isinstance(error, CertificateWanted) or not pause(tried, None):
                raise
            return None
        return None if answer.status in BUSY and pause(tried, retry_after(answer.headers)) else answer

    def follow(self, answer: Answer, location: str) -> str:
        """The path for `exchange` to which a header of `answer` leads; BadAnswer when it leads away from here."""
        try:
            url = answer.url.join(location)
        except InvalidName as error:
            raise BadAnswer("the registry leads to something that is no web address") from error
        if not self.endpoint.holds(url):
            raise BadAnswer(f"the registry leads away, to {url.origin}{url.path}"[:200])
        return str(url).removeprefix(str(self.endpoint.base))

    @property
    def scheme(self) -> Scheme:
        """How the registry challenged us so far."""
        return self._authorizer.scheme

    def close(self) -> None:
        self._adapters.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _authorized(self, request: _Request, scope: str) -> Answer:
        began = time.monotonic()
        sent = self._authorizer.offer(scope)
        answer = self._led(request, sent)
        if answer.status != _UNAUTHORIZED or not self.endpoint.holds(answer.url):
            return answer
        challenge = answer.headers.get("WWW-Authenticate", "")
        better = self._authorizer.answer(challenge, scope, sent, began)
        return self._led(request, better) if better else answer

    def _led(self, request: _Request, authorization: str) -> Answer:
        """Follow redirects; the credentials are the registry's own and stay behind when one leads out of it."""
        CALL.barred = None
        for _ in range(_HOPS + 1):
            answer = self._once(request, authorization)
            if answer.status not in _REDIRECTS or answer.status in request.statuses:
                return answer
            if request.method not in _FOLLOWING:
                raise BadAnswer(f"{request.name} was answered with a redirect, which only a GET follows")
            request = replace(request, url=_next_hop(request.name, answer))
            if not self.endpoint.holds(request.url):
                authorization = ""
            is_away = request.url.origin != self.endpoint.base.origin
            CALL.barred = self._barred_hosts() if is_away else None
        raise BadAnswer(f"{request.name} was redirected more than {_HOPS} times")

    def _once(self, request: _Request, authorization: str) -> Answer:
        """One request; those to the registry itself wait for their turn."""
        if request.url.origin != self.endpoint.base.origin:
            return self._sent(request, authorization, _Course())
        try:
            self.pace.enter()
        except TimeoutError:
            raise Unreachable(f"{request.name}: others asked the registry all the time") from None
        course = _Course()
        try:
            return self._sent(request, authorization, course)
        finally:
            self.pace.leave(request.kind, course.seconds, course.status, course.retry_after)

    def _sent(self, request: _Request, authorization: str, course: _Course) -> Answer:
        headers = {**request.headers, "Authorization": authorization} if authorization else request.headers
        with self._counting:
            self.sent += 1
        began = time.monotonic()
        try:
            response = self._adapters.send(request.method, request.url, headers, request.body)
            course.seconds, course.status = time.monotonic() - began, response.status_code
            if course.status in BUSY:
                course.retry_after = retry_after(response.headers)
            try:
                content = _read_body(request, response)
            finally:
                # What was not read to its end must not be taken for the next answer on this connection.
                response.close()
        except (HTTPError, HTTPException, OSError) as error:
            raise translate(request.name, error) from error
        return Answer(response.status_code, response.headers, content, request.url)

    def _checked(self, request: _Request, answer: Answer) -> Answer:
        if answer.status in request.statuses:
            return answer
        if answer.status < 400:  # noqa: PLR2004  where refusals begin in HTTP
            raise BadAnswer(f"{request.name} was answered with the status {answer.status}")
        refusal = Refused.build(request.name, answer.status, self._reasons(answer.content))
        refusal.retry_after = retry_after(answer.headers)
        raise refusal

    def _reasons(self, content: bytes) -> tuple[Reason, ...]:
        """Why it was refused, without the secrets of ours that a registry may repeat to us."""
        try:
            reasons = Reason.listed(json.loads(content))
        except (ValueError, RecursionError):
            return ()
        redact = self._authorizer.redact
        return tuple(Reason(redact(reason.code), redact(reason.message)) for reason in reasons)

    def _fetch_token(self, realm: Url, authorization: str) -> bytes:
        """For the authorizer, which has checked that `realm` is pinned. Redirects are not followed."""
        name = f"GET {realm.origin}{realm.path}"
        request = _Request(name, "GET", realm, self._headers, limit=_TOKEN_LIMIT)
        CALL.barred = None
        return self._checked(request, self._once(request, authorization)).content

    def _barred_hosts(self) -> Barred:
        if self._barred is None:
            self._barred = barred_from(self.endpoint.base.origin.host)
        return self._barred


def _read_body(request: _Request, response: Response) -> bytes:
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


def _next_hop(name: str, answer: Answer) -> Url:
    try:
        url = answer.url.join(answer.headers.get("Location", ""))
    except InvalidName as error:
        raise BadAnswer(f"{name} was redirected to something that is no web address") from error
    if answer.url.origin.scheme == "https" and url.origin.scheme != "https":
        raise BadAnswer(f"{name} was redirected from https to plain http")
    return url
