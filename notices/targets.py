"""Where a webhook may be: not inside the network of Berth, unless the operator has said so; knows no Django.

The address is judged that is connected to, at that moment, so a name that leads somewhere else by then gains nothing.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self, TypeAlias

from oci.calls import Address, Barred
from oci.errors import BadAnswer
from oci.urls import Origin

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
# Global by their numbers, for Python, and yet the inside of a cloud: the wire server of Azure, the metadata of Oracle.
_INSIDE: Final = tuple(map(ipaddress.IPv4Network, ("168.63.129.16/32", "192.0.0.0/24")))


class Forbidden(BadAnswer):
    """Nothing is sent to that address."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """Hosts by name or address, and networks, that are private and may be told notices all the same."""

    hosts: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()

    @classmethod
    def parse(cls, words: Iterable[str]) -> Self:
        """Raises ValueError for a network that is none."""
        hosts, networks = set(), []
        for word in words:
            if "/" in word:
                networks.append(ipaddress.ip_network(word))
            else:
                hosts.add(word.lower().strip("[]"))
        return cls(frozenset(hosts), tuple(networks))

    def may_be(self, origin: Origin) -> bool:
        """Whether anything of this origin could be told, before its name was looked up."""
        return origin.scheme == "https" or self._names(origin.host) or self._holds_or_cannot_say(origin.host)

    def barred(self, origin: Origin) -> Barred:
        """For `oci.calls`: raises Forbidden for each address that is not to be connected to."""
        is_named = self._names(origin.host)

        def judge(address: Address) -> bool:
            if is_named or any(address in network for network in self.networks):
                return False
            if origin.scheme != "https":
                raise Forbidden("http:// is only for addresses that BERTH_NOTICE_PRIVATE_TARGETS names")
            if not is_public(address):
                raise Forbidden("the address is not a public one, and BERTH_NOTICE_PRIVATE_TARGETS does not name it")
            return False

        return judge

    def _names(self, host: str) -> bool:
        return host.strip("[]") in self.hosts

    def _holds_or_cannot_say(self, host: str) -> bool:
        try:
            address = ipaddress.ip_address(host.strip("[]"))
        except ValueError:
            return bool(self.networks)  # a name: where it leads is judged when it is connected to
        return any(address in network for network in self.networks)


def is_public(address: Address) -> bool:
    """Whether anybody reaches it from anywhere; of one that carries an IPv4 address, whether that is so."""
    if isinstance(address, ipaddress.IPv6Address):
        carried = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if address in _NAT64:
            return is_public(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
        if address.is_site_local or address.is_reserved or (carried is not None and not is_public(carried)):
            return False
    return address.is_global and not address.is_multicast and not any(address in inside for inside in _INSIDE)
