"""Connections that keep to a deadline: no read, write or connect of ours can outlast the call that it serves.

urllib3 limits each receive of a socket, so a peer that sends a byte a second is never late. Here every receive (of the
status line, the headers, the sizes of chunks and the body alike) is given only what is left of the whole call, and so
slow headers end like slow bodies. Only the look-up of a name has a bound of its own, the resolver's.

By a proxy, only the proxy's own name is looked up here. Where the names of registries lead is the proxy's to find out,
and its rules say where it may go: it stands in another place of the network, so what we would find says nothing of what
it reaches. Only what is an address already is held against the same bars.
"""

from __future__ import annotations

import ipaddress
import math
import socket
import ssl
import time
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Protocol

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from oci.calls import CALL, Address, Barred
from oci.errors import BadAnswer, Unreachable
from oci.faults import ProxyRefused
from oci.responses import Response
from oci.streams import PIECE

if TYPE_CHECKING:
    from http.client import HTTPResponse

_SMALL: Final = PIECE + 32  # bytes: what is larger, a piece and its length, may take as long as the call
_GIVEN: Final = 200
_FAULTY: Final = 500
_FRESH: Final = 0.1  # seconds after a request during which its connection is not suspected to be closed


def barred_from(home: str, *, by_proxy: bool) -> Barred:
    """Besides those where no registry ever is: the loopback, unless the registry at the host `home` is there too."""

    @cache  # a name is looked up only when somebody has to know
    def is_at_home() -> bool:
        if by_proxy:
            written = _written(home)
            return written is not None and written.is_loopback
        try:
            return any(_plain(str(found[4][0])).is_loopback for found in socket.getaddrinfo(home.strip("[]"), None))
        except (OSError, UnicodeError):
            return False

    return lambda address: address.is_loopback and not is_at_home()


def check_written(host: str) -> None:
    """As far as it is an address that a proxy would be asked for. Raises BadAnswer."""
    address = _written(host)
    if address is not None:
        _check_address(address, CALL.barred)


class _Host(Protocol):
    """The parts of an urllib3 connection that the mix-in below rests on."""

    _dns_host: str
    proxy: Any
    host: str
    port: int
    sock: Any
    socket_options: Any


class _Timed:
    """Mixed into both kinds of urllib3 connection."""

    response_class: type[HTTPResponse]
    _fresh_until = -math.inf  # by time.monotonic()

    def _new_conn(self: _Host) -> socket.socket:
        try:
            found = socket.getaddrinfo(self._dns_host.strip("[]"), self.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise NameResolutionError(self.host, self, error) from error  # type: ignore[arg-type]
        failure: OSError | None = None
        for family, kind, protocol, _name, address in found:
            # That of a proxy was chosen by us, whoever chose where it is asked to go.
            _check_address(_plain(str(address[0])), CALL.barred if self.proxy is None else None)
            try:
                return _connect(_Socket(family, kind, protocol), address, self.socket_options)
            except OSError as error:
                failure = error
        if isinstance(failure, TimeoutError):
            raise ConnectTimeoutError(self, "no answer to the connect") from failure
        raise NewConnectionError(self, str(failure)) from failure  # type: ignore[arg-type]

    @property
    def is_connected(self: Any) -> bool:
        """Whether it may be used again.

        To look lets other threads go first, and costs them and us as much as half a small request. So where it answered
        just now it is taken to be there, if the call can be repeated should it not be.
        """
        if self.sock is not None and CALL.is_repeatable and time.monotonic() < self._fresh_until:
            return True
        return bool(super().is_connected)  # type: ignore[misc]  # it stands before a connection

    def send(self: Any, data: Any) -> None:
        self._fresh_until = time.monotonic() + _FRESH
        if self.sock is not None:  # urllib3 would give a whole upload no longer than a read
            self.sock.settimeout(CALL.left() if len(data) > _SMALL else CALL.left(CALL.read))
        super().send(data)  # type: ignore[misc]  # it stands before a connection


class _Socket(socket.socket):
    """Setting a timeout is a system call, for which Python lets another thread run: not when it is set already."""

    def settimeout(self, value: float | None) -> None:
        if value != self.gettimeout():
            super().settimeout(value)


class _Connection(_Timed, HTTPConnection):
    response_class = Response


class _TlsConnection(_Timed, HTTPSConnection):
    response_class = Response

    def send(self, data: Any) -> None:
        """Who closed the connection under our hands may have said why: then that is raised, and not the broken pipe."""
        try:
            super().send(data)
        except ssl.SSLEOFError:
            with suppress(ssl.SSLEOFError, ConnectionError):
                self.sock.settimeout(CALL.left(CALL.read))
                self.sock.recv(1)
            raise

    def _tunnel(self: Any) -> None:
        """Ask the proxy for a way to the registry (RFC 9110, 9.3.6): what follows is between the registry and us."""
        host: str = self._tunnel_host
        where = f"[{host}]:{self._tunnel_port}" if ":" in host else f"{host}:{self._tunnel_port}"
        headers = {"Host": where, **self._tunnel_headers}
        lines = [f"CONNECT {where} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        self.send("\r\n".join([*lines, "", ""]).encode("ascii"))
        answer = self.response_class(self.sock, method="CONNECT")
        try:
            answer.begin()
        finally:
            answer.close()
        if answer.status >= _FAULTY:
            raise Unreachable(f"the proxy finds no way there: it says {answer.status}")
        if not _GIVEN <= answer.status < _GIVEN + 100:
            raise ProxyRefused.build(answer.status)


class Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class TlsPool(HTTPSConnectionPool):
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


def _check_address(plain: Address, barred: Barred | None) -> None:
    """Asked of the very address that is then connected to, so that a name cannot change its mind in between."""
    if barred and barred(plain):  # first, since what bars it may raise a sentence of its own
        raise BadAnswer("the registry redirects to an address that only this machine can reach")
    if plain.is_link_local or plain.is_unspecified or plain.is_multicast:
        raise BadAnswer("the name leads to an address where no registry may be, but cloud metadata is")


def _plain(address: str) -> Address:
    parsed = ipaddress.ip_address(address.partition("%")[0])
    return getattr(parsed, "ipv4_mapped", None) or parsed


def _written(host: str) -> Address | None:
    """The address that a host is, also as some resolvers read it: 2130706433, 0x7f.1, 127.1; None for a name."""
    if host == "localhost" or host.endswith(".localhost"):
        return ipaddress.IPv4Address("127.0.0.1")
    try:
        return _plain(host.strip("[]"))
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host))
    except OSError:
        return None
