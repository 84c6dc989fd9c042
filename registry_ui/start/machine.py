"""What others call this machine: its name and the addresses of its interfaces, asked of the system."""

from __future__ import annotations

import fcntl
import ipaddress
import re
import socket
import struct
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

_SIOCGIFADDR: Final = 0x8915  # linux/sockios.h: the IPv4 address of an interface
_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?")
# For documentation, so nobody is there (RFC 5737, RFC 3849); nothing is sent to them either.
_ELSEWHERE: Final = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))


def addresses() -> list[str]:
    """Addresses by which other machines may reach this one, the one of the way out first."""
    found = dict.fromkeys([*_ways_out(), *_of_interfaces(), *_of_the_name()])
    return [address for address in found if _is_for_others(address)]


def names() -> list[str]:
    """The host name, and its first part where it has several."""
    name = socket.gethostname().lower()
    found = dict.fromkeys([name, name.partition(".")[0]])
    return [name for name in found if _NAME.fullmatch(name) and name != "localhost"]


def _ways_out() -> Iterator[str]:
    """Where a packet to elsewhere would leave from: connecting a datagram socket asks that, and sends nothing."""
    for family, elsewhere in _ELSEWHERE:
        with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as asked:
            asked.connect((elsewhere, 9))
            yield str(asked.getsockname()[0])


def _of_interfaces() -> Iterator[str]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        for _, name in socket.if_nameindex():
            with suppress(OSError):  # it has no IPv4 address
                answer = fcntl.ioctl(asked, _SIOCGIFADDR, struct.pack("256s", name.encode()[:15]))
                yield socket.inet_ntoa(answer[20:24])


def _of_the_name() -> Iterator[str]:
    with suppress(OSError, UnicodeError):
        for *_, address in socket.getaddrinfo(socket.gethostname(), None, type=socket.SOCK_STREAM):
            yield str(address[0])


def _is_for_others(text: str) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return not (address.is_loopback or address.is_link_local or address.is_unspecified or address.is_multicast)
