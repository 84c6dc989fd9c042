"""Web addresses, checked by one pattern: the only way by which text from a registry becomes a place to send to."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, replace
from typing import Final, NamedTuple, Self
from urllib.parse import unquote, urljoin

from oci.errors import InvalidName

# No user-info, no fragment, nothing outside printable ASCII, no percent sign that encodes nothing: parsers disagree on
# the rest. Both loops below are over sets of which no character is in two.
_URL: Final = re.compile(
    r"(?P<scheme>https?)://"
    r"(?P<host>[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\])"
    r"(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>/(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-F]{2})*)?"
    r"(?:\?(?P<query>(?:[!\"$&-\[\]-~]|%[0-9A-F]{2})*))?",
    re.IGNORECASE | re.ASCII,  # else the long s of Unicode would make https of another word
)
_LENGTH: Final = 8192
_PORTS: Final = {"http": 80, "https": 443}
_PRINTABLE: Final = re.compile(r"[!-\[\]-~]+")


class Origin(NamedTuple):
    """Whom a credential belongs to: all three must be the same."""

    scheme: str
    host: str
    port: int

    @property
    def has_usual_port(self) -> bool:
        """That of its scheme, which nobody writes down."""
        return self.port == _PORTS[self.scheme]

    def __str__(self) -> str:
        port = "" if self.has_usual_port else f":{self.port}"
        return f"{self.scheme}://{self.host}{port}"


@dataclass(frozen=True, slots=True)
class Url:
    """`path` begins with a slash and has no dot segments, `query` is without its question mark."""

    origin: Origin
    path: str = "/"
    query: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        match = _URL.fullmatch(text) if len(text) <= _LENGTH else None
        if match is None:
            raise InvalidName("web address", without_secrets(text))
        scheme = match["scheme"].lower()
        port = int(match["port"] or _PORTS[scheme])
        path = match["path"] or "/"
        if not 0 < port < 2**16 or _climbs(path) or not _is_host(match["host"]):
            raise InvalidName("web address", without_secrets(text))
        return cls(Origin(scheme, match["host"].lower(), port), path, match["query"] or "")

    def join(self, location: str) -> Url:
        """Where `location`, out of a header of the answer to this address, leads.

        Dots that climb are refused rather than resolved: no registry writes them, and readers differ on them.
        """
        location = location.strip().partition("#")[0]
        if not _PRINTABLE.fullmatch(location) or _climbs(location.partition("?")[0]):
            raise InvalidName("web address", without_secrets(location))
        try:
            return Url.parse(urljoin(str(self), location))
        except ValueError as error:  # urljoin's word for half an IPv6 address
            raise InvalidName("web address", without_secrets(location)) from error

    def asking(self, query: str) -> Url:
        """With `query` added to what it already asks."""
        return replace(self, query="&".join(part for part in (self.query, query) if part))

    @property
    def is_loopback(self) -> bool:
        if self.origin.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.origin.host.strip("[]")).is_loopback
        except ValueError:
            return False

    def __str__(self) -> str:
        query = f"?{self.query}" if self.query else ""
        return f"{self.origin}{self.path}{query}"


def without_secrets(text: str) -> str:
    """A rejected address as far as it may be repeated: no user-info, no query."""
    _, at, host = text.rpartition("@")
    return ("…@" if at else "") + re.split(r"[?#]", host, maxsplit=1)[0]


def _is_host(text: str) -> bool:
    """Whether brackets hold an IPv6 address, which not every parser asks."""
    if not text.startswith("["):
        return True
    try:
        ipaddress.IPv6Address(text[1:-1])
    except ValueError:
        return False
    return True


def _climbs(path: str) -> bool:
    """Whether a server could read dot segments in it, also after it has undone the percent signs."""
    segments = unquote(path).replace("\\", "/").split("/")
    return "." in segments or ".." in segments
