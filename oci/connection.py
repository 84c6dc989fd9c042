"""Connections that keep to a deadline: no read, write or connect of ours can outlast the call that it serves.

urllib3 limits each receive of a socket, so a peer that sends a byte a second is never late. Here every receive (of the
status line, the headers, the sizes of chunks and the body alike) is given only what is left of the whole call, and so
slow headers end like slow bodies. Only the look-up of a name has a bound of its own, the resolver's.
"""

from __future__ import annotations

import io
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager
from functools import lru_cache
from http.client import HTTPResponse, RemoteDisconnected
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

from requests.adapters import DEFAULT_CA_BUNDLE_PATH, HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from oci.errors import BadAnswer

if TYPE_CHECKING:
    from collections.abc import Iterator


Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Barred: TypeAlias = Callable[[Address], bool]


class Call(threading.local):
    """What bounds the call that this thread is in."""

    deadline: float = float("inf")  # by time.monotonic()
    connect: float = 5.0
    read: float = 15.0
    barred: Barred | None = None  # set while a redirect, and not our configuration, chose the host

    def left(self, most: float = float("inf")) -> float:
        """Seconds that may still be spent, at most `most`; TimeoutError when there are none."""
        if self.remaining <= 0:
            raise TimeoutError
        return min(self.remaining, most)

    @property
    def remaining(self) -> float:
        return self.deadline - time.monotonic()


CALL: Final = Call()


@contextmanager
def call(*, connect: float, read: float, total: float) -> Iterator[None]:
    """Bound everything that this thread sends and receives inside."""
    CALL.deadline, CALL.connect, CALL.read = time.monotonic() + total, connect, read
    try:
        yield
    finally:
        CALL.deadline, CALL.barred = float("inf"), None


class Adapter(HTTPAdapter):
    """`requests` on connections of this module, with one TLS context for all of them."""

    def __init__(self, context: ssl.SSLContext, connections: int) -> None:
        self._context = context
        super().__init__(pool_connections=8, pool_maxsize=connections, max_retries=0)

    def init_poolmanager(self, connections: int, maxsize: int, *_: Any, **__: Any) -> None:
        self.poolmanager = PoolManager(connections, maxsize=maxsize, ssl_context=self._context)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}

    def cert_verify(self, conn: Any, *_: Any, **__: Any) -> None:
        """Leave it to the context; requests would read the certificates anew for every connection."""
        conn.cert_reqs = ssl.CERT_REQUIRED


def tls_context(authority: str | None) -> ssl.SSLContext:
    """Trust the public authorities and `authority`, PEM text or the path of a PEM file.

    OSError or ssl.SSLError (which is one) when that cannot be read.
    """
    if not authority:
        return _public_context()
    context = _public_context.__wrapped__()
    if "-----BEGIN" in authority:
        context.load_verify_locations(cadata=authority)
    else:
        context.load_verify_locations(cafile=authority)
    return context


@lru_cache(1)
def _public_context() -> ssl.SSLContext:
    """Reading the public authorities takes longer than a scan of a small registry; all clients may share it."""
    return ssl.create_default_context(cafile=DEFAULT_CA_BUNDLE_PATH)


def barred_from(home: str) -> Barred:
    """Besides those where no registry ever is: the loopback, unless the registry at the host `home` is there too."""
    try:
        at_home = any(_plain(str(found[4][0])).is_loopback for found in socket.getaddrinfo(home.strip("[]"), None))
    except (OSError, UnicodeError):
        at_home = False

    return lambda address: address.is_loopback and not at_home


class _Host(Protocol):
    """The parts of an urllib3 connection that the mix-in below rests on."""

    _dns_host: str
    host: str
    port: int
    sock: Any
    socket_options: Any


class _Timed:
    """Mixed into both kinds of urllib3 connection."""

    response_class: type[HTTPResponse]

    def _new_conn(self: _Host) -> socket.socket:
        try:
            found = socket.getaddrinfo(self._dns_host.strip("[]"), self.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise NameResolutionError(self.host, self, error) from error  # type: ignore[arg-type]
        failure: OSError | None = None
        for family, kind, protocol, _name, address in found:
            _check_address(str(address[0]))
            try:
                return _connect(socket.socket(family, kind, protocol), address, self.socket_options)
            except OSError as error:
                failure = error
        if isinstance(failure, TimeoutError):
            raise ConnectTimeoutError(self, "no answer to the connect") from failure
        raise NewConnectionError(self, str(failure)) from failure  # type: ignore[arg-type]

    def send(self: Any, data: Any) -> None:
        if self.sock is not None:  # urllib3 would give a whole upload no longer than a connect
            self.sock.settimeout(CALL.left())
        super().send(data)  # type: ignore[misc]  # it stands before a connection


class _Response(HTTPResponse):
    """Reads through `_TimedSocket`; everything that http.client reads, it reads from `fp`."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self._timed = _TimedSocket(sock, self.fp.detach())
        self.fp = io.BufferedReader(self._timed)

    def begin(self) -> None:
        """Read the headers, whose end http.client would also see in the end of the connection."""
        super().begin()
        if self._timed.is_at_end:
            self.close()
            raise RemoteDisconnected("the headers were cut short")


class _TimedSocket(io.RawIOBase):
    def __init__(self, sock: socket.socket, raw: io.RawIOBase) -> None:
        self._sock, self._raw = sock, raw
        self.is_at_end = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(CALL.left(CALL.read))
        read = self._raw.readinto(buffer)
        self.is_at_end = read == 0
        return read

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Connection(_Timed, HTTPConnection):
    response_class = _Response


class _TlsConnection(_Timed, HTTPSConnection):
    response_class = _Response


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


def _connect(sock: socket.socket, address: Any, options: Any) -> socket.socket:
    try:
        for option in options or ():
            sock.setsockopt(*option)
        sock.settimeout(CALL.left(CALL.connect))
        sock.connect(address)
    except BaseException:
        sock.close()
        raise
    return sock


def _check_address(address: str) -> None:
    """Asked of the very address that is then connected to, so that a name cannot change its mind in between."""
    plain = _plain(address)
    if plain.is_link_local or plain.is_unspecified or plain.is_multicast:
        raise BadAnswer("the name leads to an address where no registry may be, but cloud metadata is")
    if CALL.barred and CALL.barred(plain):
        raise BadAnswer("the registry redirects to an address that only this machine can reach")


def _plain(address: str) -> Address:
    parsed = ipaddress.ip_address(address.partition("%")[0])
    return getattr(parsed, "ipv4_mapped", None) or parsed
