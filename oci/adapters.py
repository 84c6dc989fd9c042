"""`requests` on our own connections, without what it does for others: cookies, netrc, guesses at encodings.

Nor does it look for proxies in the environment: the only one is that which an endpoint names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from urllib3 import PoolManager, ProxyManager, Retry, Timeout

from oci.connection import Pool, TlsPool, check_written
from oci.streams import Flow

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

    from urllib3 import BaseHTTPResponse, HTTPConnectionPool

    from oci.proxy import Proxy
    from oci.urls import Origin, Url

_HOSTS: Final = 8  # to which a registry may lead before the connections to the first are closed
_ONCE: Final = Retry(total=False)  # which raises what went wrong, and not that the tries are used up


class Adapters:
    """The connections to a registry at the origin `home`, and apart from them those to wherever it leads.

    They have TLS contexts of their own, `at_home` and `elsewhere`: only the first may know who we are. `read` is
    seconds between two pieces of an answer. With a `proxy`, both go by it.
    """

    def __init__(  # noqa: PLR0913  each is a part of how it is reached
        self,
        home: Origin,
        at_home: ssl.SSLContext,
        elsewhere: ssl.SSLContext,
        *,
        connections: int,
        read: float,
        proxy: Proxy | None = None,
    ) -> None:
        self._home, self._timeout, self._proxy = home, Timeout(connect=read, read=read), proxy
        self._at_home = _OneOrigin(home, at_home, connections, proxy)
        self._elsewhere = _AnyOrigin(elsewhere, _HOSTS, connections, proxy)

    def send(self, method: str, url: Url, headers: Mapping[str, str], body: bytes | Flow | None) -> Response:
        """One request, whose answer is read and closed by the caller. Redirects come back as they are."""
        if self._proxy is not None:
            check_written(url.origin.host)
        adapter = self._at_home if url.origin == self._home else self._elsewhere
        request = _Request(method, url, headers, body)
        return adapter.send(request, stream=True, timeout=self._timeout)  # type: ignore[arg-type]  # it may be one

    def close(self) -> None:
        self._at_home.close()
        self._elsewhere.close()


class _Request(PreparedRequest):
    """Ready as it is made: the steps that `requests` prepares one by are for what people write."""

    def __init__(self, method: str, url: Url, headers: Mapping[str, str], body: bytes | Flow | None) -> None:
        super().__init__()
        self.method, self.url, self.body = method, str(url), body  # type: ignore[assignment]  # a flow goes in pieces
        self.target = url
        if body is not None and not isinstance(body, Flow):
            headers = {**headers, "Content-Length": str(len(body))}
        self.headers = headers  # type: ignore[assignment]  # no other spelling of their names is looked for


class _Response(Response):
    """Without a history, an encoding and, above all, the jar for its cookies, so it does not call `super()`."""

    def __init__(self, request: PreparedRequest, raw: BaseHTTPResponse) -> None:
        self._content, self._content_consumed, self._next = False, False, None  # type: ignore[assignment]
        self.request, self.url = request, request.url or ""
        self.raw, self.status_code, self.reason = raw, raw.status, raw.reason or ""
        self.headers = raw.headers  # type: ignore[assignment]  # found by any spelling of their names too


class _AnyOrigin(HTTPAdapter):
    """Its `send` is that of `requests`; what that calls looks for neither a proxy nor a file of certificates."""

    def __init__(self, context: ssl.SSLContext, hosts: int, connections: int, proxy: Proxy | None) -> None:
        self._context, self._proxy = context, proxy
        super().__init__(hosts, connections, max_retries=_ONCE)

    def init_poolmanager(self, connections: int, maxsize: int, *_: Any, **__: Any) -> None:
        settings: dict[str, Any] = {"maxsize": maxsize, "ssl_context": self._context, "cert_reqs": "CERT_REQUIRED"}
        pools = PoolManager(connections, **settings)
        if self._proxy is not None:
            # Shown to the proxy alone: in a CONNECT, or beside a request that it reads anyway.
            shown = {"Proxy-Authorization": self._proxy.authorization} if self._proxy.authorization else {}
            pools = ProxyManager(f"http://{self._proxy}", connections, proxy_headers=shown, **settings)
        pools.pool_classes_by_scheme = {"http": Pool, "https": TlsPool}
        self.poolmanager = pools

    def get_connection_with_tls_context(self, request: Any, *_: Any, **__: Any) -> HTTPConnectionPool:
        return self._pool(request.target.origin)

    def cert_verify(self, *_: Any) -> None:
        """Leave it to the context, for which the pools stand; `requests` would name them a file of its own."""

    def request_url(self, request: Any, *_: Any) -> str:
        url: Url = request.target
        if self._proxy is not None and url.origin.scheme == "http":
            return str(url)  # in absolute form, by which a proxy knows where to go (RFC 9112, 3.2.2)
        return f"{url.path}?{url.query}" if url.query else url.path

    def build_response(self, req: PreparedRequest, resp: BaseHTTPResponse) -> Response:
        return _Response(req, resp)

    def _pool(self, origin: Origin) -> HTTPConnectionPool:
        pool: HTTPConnectionPool = self.poolmanager.connection_from_host(origin.host, origin.port, origin.scheme)
        return pool


class _OneOrigin(_AnyOrigin):
    """It looks for its pool once, and not for each request."""

    def __init__(self, origin: Origin, context: ssl.SSLContext, connections: int, proxy: Proxy | None) -> None:
        super().__init__(context, 1, connections, proxy)
        self._only = self._pool(origin)

    def get_connection_with_tls_context(self, *_: Any, **__: Any) -> HTTPConnectionPool:
        return self._only
