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
from contextlib import suppress
from http.client import HTTPResponse, RemoteDisconnected
from typing import TYPE_CHECKING, Any, Final, Protocol, Self, TypeAlias

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from oci.errors import BadAnswer

if TYPE_CHECKING:
    from types import TracebackType


_HEAD: Final = 16 * 2**10  # bytes: what is larger is an upload, and may take as long as the call

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Barred: TypeAlias = Callable[[Address], bool]


class Call(threading.local):
    """What bounds the call that this thread is in."""

    deadline: float = float("inf")  # by time.monotonic()
    connect: float = 5.0
    read: float = 15.0
    patience: float = float("inf")  # seconds for which it may still wait for its turn
    barred: Barred | None = None  # set while a redirect, and not our configuration, chose the host

    def left(self, most: float = float("inf")) -> float:
        """Seconds that may still be spent, at most `most`; TimeoutError when there are none."""
        if self.remaining <= 0:
            raise TimeoutError
        return min(self.remaining, most)

    def waited(self, seconds: float) -> None:
        """Its clock stood still that long: who waits for a turn is not late for that."""
        self.deadline += seconds
        self.patience -= seconds

    @property
    def remaining(self) -> float:
        return self.deadline - time.monotonic()


CALL: Final = Call()


class call:  # noqa: N801  it reads as a verb, and costs a third of a generator
    """Bound everything that this thread sends and receives inside; that it waits for its turn, by as long again."""

    __slots__ = ("_connect", "_read", "_total")

    def __init__(self, *, connect: float, read: float, total: float) -> None:
        self._connect, self._read, self._total = connect, read, total

    def __enter__(self) -> Self:
        CALL.deadline, CALL.patience = time.monotonic() + self._total, self._total
        CALL.connect, CALL.read = self._connect, self._read
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        CALL.deadline, CALL.patience, CALL.barred = float("inf"), float("inf"), None


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
                return _connect(_Socket(family, kind, protocol), address, self.socket_options)
            except OSError as error:
                failure = error
        if isinstance(failure, TimeoutError):
            raise ConnectTimeoutError(self, "no answer to the connect") from failure
        raise NewConnectionError(self, str(failure)) from failure  # type: ignore[arg-type]

    def send(self: Any, data: Any) -> None:
        if self.sock is not None:  # urllib3 would give a whole upload no longer than a read
            self.sock.settimeout(CALL.left() if len(data) > _HEAD else CALL.left(CALL.read))
        super().send(data)  # type: ignore[misc]  # it stands before a connection


class _Socket(socket.socket):
    """Setting a timeout is a system call, for which Python lets another thread run: not when it is set already."""

    def settimeout(self, value: float | None) -> None:
        if value != self.gettimeout():
            super().settimeout(value)


class _Response(HTTPResponse):
    """Reads through `_TimedSocket`; everything that http.client reads, it reads from `fp`."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        self._timed = _TimedSocket(sock)
        super().__init__(self._timed, *args, **kwargs)  # type: ignore[arg-type]  # of a socket it only wants makefile

    def begin(self) -> None:
        """Read the headers, whose end http.client would also see in the end of the connection."""
        super().begin()
        if self._timed.is_at_end:
            self.close()
            raise RemoteDisconnected("the headers were cut short")


class _TimedSocket(socket.SocketIO):
    """What `socket.makefile` wraps, with the deadline of the call in every receive."""

    def __init__(self, sock: Any) -> None:
        super().__init__(sock, "r")
        sock._io_refs += 1  # noqa: SLF001  as makefile does, so that the socket stays open until this is closed
        self._receive = sock.recv_into
        self._limit = sock.settimeout
        self.is_at_end = False

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def readinto(self, buffer: Any) -> int:
        self._limit(CALL.left(CALL.read))
        read: int = self._receive(buffer)
        self.is_at_end = read == 0
        return read


class _Connection(_Timed, HTTPConnection):
    response_class = _Response


class _TlsConnection(_Timed, HTTPSConnection):
    response_class = _Response

    def send(self, data: Any) -> None:
        """Who closed the connection under our hands may have said why: then that is raised, and not the broken pipe."""
        try:
            super().send(data)
        except ssl.SSLEOFError:
            with suppress(ssl.SSLEOFError, ConnectionError):
                self.sock.settimeout(CALL.left(CALL.read))
                self.sock.recv(1)
            raise


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
