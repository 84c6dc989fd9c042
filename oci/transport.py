"""One exchange with a registry: where it may go, how long it may take, how much it may bring, and who is told what.

All requests of Berth to registries go through here, on one pool of connections that threads share.
"""

from __future__ import annotations

import json
import threading
import time
from dataclasses import replace
from http.client import HTTPException
from typing import TYPE_CHECKING, Final, Self

from urllib3.exceptions import HTTPError

from oci.adapters import Adapters
from oci.auth import Authorizer, Credentials, Scheme
from oci.calls import CALL, call
from oci.connection import barred_from
from oci.endpoint import USER_AGENT, Endpoint
from oci.errors import BadAnswer, InvalidName, Reason, Refused, Unreachable
from oci.faults import PROXY_WANTS_USER, CertificateWanted, CutShort, ProxyRefused, translate
from oci.messages import ANSWER_LIMIT, Answer, Course, Request, next_hop, read_body
from oci.pace import Pace, kind_of
from oci.quota import Quota
from oci.retries import BUSY, REPEATABLE, pause, retry_after
from oci.streams import Stream
from oci.tls import contexts

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from types import TracebackType

    from oci.streams import Flow
    from oci.urls import Url

__all__ = ["Answer", "Credentials", "Endpoint", "Transport"]

_TOKEN_LIMIT: Final = 256 * 2**10
_CONNECTIONS: Final = 32
_HOPS: Final = 5
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_FOLLOWING: Final = frozenset({"GET", "HEAD"})
_UNAUTHORIZED: Final = 401


class Transport:
    """Times are seconds: to connect, between two pieces of an answer, and for a whole `exchange` with all in it.

    `pace` bounds how many requests the registry is asked at once; transports to one registry may share it. An
    `exchange` waits for its turns no longer than `patience`, or `total` where that is longer or not said, and that its
    clock does not count.
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
        patience: float = 0.0,
    ) -> None:
        self.endpoint = endpoint
        self.pace = pace or Pace()
        self.sent = 0  # requests so far, those of retries and redirects too
        self.quota: Quota | None = None  # what was said of it last
        self._counting = threading.Lock()
        self._connect, self._read, self._total, self._attempts = connect, read, total, attempts
        self._patience = patience
        self._headers = {"User-Agent": user_agent, "Accept-Encoding": "identity"}
        self._authorizer = Authorizer(endpoint.credentials, endpoint.realms, self._fetch_token)
        self._barred = barred_from(endpoint.base.origin.host, by_proxy=endpoint.proxy is not None)
        self._adapters = Adapters(
            endpoint.base.origin, *contexts(endpoint), connections=_CONNECTIONS, read=read, proxy=endpoint.proxy
        )

    def exchange(  # noqa: PLR0913  each is a bound or a part of the request
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | Flow | None = None,
        limit: int = ANSWER_LIMIT,
        accept_statuses: Collection[int] = (200,),
        scope: str = "",
        attempts: int | None = None,
        read: float | None = None,
        total: float | None = None,
        lasting: float = 0.0,
    ) -> Answer:
        """Ask, and come back with an answer of one of `accept_statuses` and at most `limit` bytes, or raise.

        `path` comes from `oci.routes` or `follow`. `scope` is what a token would have to allow, for `lasting` seconds
        from now. GET, HEAD and PUT are tried again, up to `attempts` times in all, when nobody answers or the registry
        is busy, if their body is in memory. `read` and `total` are bounds for this one.
        """
        request = Request(
            name=f"{method} {path.partition('?')[0]}",
            method=method,
            url=self.endpoint.at(path),
            headers={**self._headers, **(headers or {})},
            body=body,
            statuses=accept_statuses,
            limit=limit,
            kind=kind_of(method, path.partition("?")[0]),
            lasting=lasting,
        )
        most = (attempts or self._attempts) if method in REPEATABLE and not request.goes_once else 1
        with self._call(read or self._read, total or self._total, is_repeatable=most > 1):
            return self._asked(request, scope, most)

    def open(
        self,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        accept_statuses: Collection[int] = (200,),
        scope: str = "",
    ) -> Stream:
        """As `exchange` does for a GET, up to where the body begins, which is the caller's to read and to close."""
        request = Request(
            name=f"GET {path}",
            method="GET",
            url=self.endpoint.at(path),
            headers={**self._headers, **(headers or {})},
            statuses=accept_statuses,
            is_streamed=True,
        )
        with self._call(self._read, self._total, is_repeatable=True):
            stream = self._asked(request, scope, self._attempts).stream
        assert stream is not None  # noqa: S101  an answer that is accepted has one
        return stream

    def _call(self, read: float, total: float, *, is_repeatable: bool) -> call:
        patience = max(self._patience, total)
        return call(connect=self._connect, read=read, total=total, patience=patience, is_repeatable=is_repeatable)

    def _asked(self, request: Request, scope: str, most: int) -> Answer:
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

    def _tried(self, request: Request, scope: str, tried: int) -> Answer | None:
        """None where it is to be asked once more, which has been waited for."""
        try:
            answer = self._authorized(request, scope)
        except (Unreachable, CutShort) as error:
            if isinstance(error, CertificateWanted | ProxyRefused) or not pause(tried, None):
                raise
            return None
        return None if answer.status in BUSY and pause(tried, retry_after(answer.headers)) else answer

    def follow(self, answer: Answer, location: str) -> str:
        """The path for `exchange` to which a header of `answer` leads; BadAnswer when it leads away from here.

        A registry behind a proxy often knows neither the port nor the scheme that it is reached by: where it names its
        own host and no port, we stay where we are.
        """
        try:
            url = answer.url.join(location)
        except InvalidName as error:
            raise BadAnswer("the registry leads to something that is no web address") from error
        if url.origin.host == self.endpoint.base.origin.host and url.origin.has_usual_port:
            url = replace(url, origin=self.endpoint.base.origin)
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

    def _authorized(self, request: Request, scope: str) -> Answer:
        began = time.monotonic()
        sent = self._authorizer.offer(scope, request.lasting)
        answer = self._led(request, sent)
        if answer.status != _UNAUTHORIZED or not self.endpoint.holds(answer.url):
            return answer
        challenge = answer.headers.get("WWW-Authenticate", "")
        better = self._authorizer.answer(challenge, scope, sent, began)
        return self._led(request, better) if better and not request.goes_once else answer

    def _led(self, request: Request, authorization: str) -> Answer:
        """Follow redirects; the credentials are the registry's own and stay behind when one leads out of it."""
        CALL.barred = None
        for _ in range(_HOPS + 1):
            answer = self._once(request, authorization)
            if answer.status not in _REDIRECTS or answer.status in request.statuses:
                return answer
            if request.method not in _FOLLOWING:
                raise BadAnswer(f"{request.name} was answered with a redirect, which only a GET follows")
            request = replace(request, url=next_hop(request.name, answer))
            if not self.endpoint.holds(request.url):
                authorization = ""
            is_away = request.url.origin != self.endpoint.base.origin
            CALL.barred = self._barred if is_away else None
        raise BadAnswer(f"{request.name} was redirected more than {_HOPS} times")

    def _once(self, request: Request, authorization: str) -> Answer:
        """One request; those to the registry itself wait for their turn."""
        if request.url.origin != self.endpoint.base.origin:
            return self._sent(request, authorization, Course())
        return self._in_turn(request, authorization)

    def _in_turn(self, request: Request, authorization: str) -> Answer:
        try:
            self.pace.enter()
        except TimeoutError:
            raise Unreachable(f"{request.name}: others asked the registry all the time") from None
        course = Course()
        try:
            return self._sent(request, authorization, course)
        finally:
            self.pace.leave(request.kind, course.seconds, course.status, course.retry_after)

    def _sent(self, request: Request, authorization: str, course: Course) -> Answer:
        headers = {**request.headers, "Authorization": authorization} if authorization else request.headers
        with self._counting:
            self.sent += 1
        began = time.monotonic()
        try:
            response = self._adapters.send(request.method, request.url, headers, request.body)
            course.seconds, course.status = time.monotonic() - began, response.status_code
            if course.status in BUSY:
                course.retry_after = retry_after(response.headers)
            self.quota = Quota.said(response.headers) or self.quota
            if request.is_streamed and course.status in request.statuses:
                return Answer(course.status, response.headers, b"", request.url, Stream(request.name, response))
            try:
                content = read_body(request, response)
            finally:
                # What was not read to its end must not be taken for the next answer on this connection.
                response.close()
        except (HTTPError, HTTPException, OSError) as error:
            raise translate(request.name, error) from error
        if course.status == PROXY_WANTS_USER and self.endpoint.proxy:
            raise ProxyRefused.build(course.status)
        return Answer(course.status, response.headers, content, request.url)

    def _checked(self, request: Request, answer: Answer) -> Answer:
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
        hidden = self.endpoint.proxy.secrets if self.endpoint.proxy else ()
        return tuple(Reason(*(self._authorizer.redact(t, hidden) for t in (r.code, r.message))) for r in reasons)

    def _fetch_token(self, realm: Url, authorization: str) -> bytes:
        """For the authorizer, which has checked that `realm` is pinned. Redirects are not followed.

        It waits for its turn wherever the service is: a registry counts the tokens that it gives as well.
        """
        name = f"GET {realm.origin}{realm.path}"
        request = Request(name, "GET", realm, self._headers, limit=_TOKEN_LIMIT)
        CALL.barred = None
        return self._checked(request, self._in_turn(request, authorization)).content
