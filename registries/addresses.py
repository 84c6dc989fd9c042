"""Addresses of registries: their one normal form, what is refused, and the name that a host suggests."""

from __future__ import annotations

import ipaddress
import itertools
import re
from typing import Final
from urllib.parse import SplitResult, urlsplit

from django.utils.translation import gettext as _

from registries.models import NAME_LENGTH, RESERVED_NAMES, Registry

_SCHEMES: Final = {"http": 80, "https": 443}
_LABEL: Final = r"[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?"
_HOST: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
# What some resolvers read as an IPv4 address although it is not written as one: 2130706433, 0x7f.1, 127.1
_DISGUISED: Final = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)(?:\.(?:0x[0-9a-f]*|[0-9]+))*")
_OLD: Final = "-old"
_RETIRED: Final = re.compile(r"-old(?:-[0-9]+)?\Z")
_PATH: Final = re.compile(r"(?:/[A-Za-z0-9._~-]+)*")


class WrongAddress(ValueError):  # noqa: N818  the address is wrong, and the sentence says why
    """No address of a registry; the sentence never repeats it, since it may hold a password."""

    is_plain_http = False


class _PlainHttp(WrongAddress):
    is_plain_http = True


def normal_address(text: str, *, plain_http: bool) -> str:
    """`https://host[:port][/path]`, however it was typed. Raises WrongAddress."""
    text = text.strip()
    if not text.isprintable() or set(text) & set(' \\"<>%?#'):
        raise WrongAddress(_("An address holds no blanks and none of ? # % \\ < > and quotes."))
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        port = parts.port
    except ValueError as error:
        raise WrongAddress(_("That is no address: https://registry.example.org is one.")) from error
    if port == 0:
        raise WrongAddress(_("No registry is at port 0."))
    _check_form(parts, plain_http=plain_http)
    host = _host(parts.hostname or "")
    shown_port = "" if port in {None, _SCHEMES[parts.scheme]} else f":{port}"
    return f"{parts.scheme}://{host}{shown_port}{_path(parts.path)}"


def name_from(url: str, *, embedded: bool = False) -> str:
    """The name that an address suggests: `registry-example-org`, with its port where that is not the scheme's own.

    One on this machine is `local-5001`; our own is `local`.
    """
    if embedded:
        return "local"
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port
    if is_loopback(host):
        return f"local-{port or _SCHEMES[parts.scheme]}"
    suffix = f"-{port}" if port else ""
    return "-".join(re.findall(r"[a-z0-9]+", host))[: NAME_LENGTH - len(suffix)].strip("-") + suffix


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def free_name(name: str) -> str:
    """`name`, or the first of NAME-2, NAME-3, … that a registry may take."""
    taken = RESERVED_NAMES.union(Registry.objects.values_list("name", flat=True))
    suffixes = itertools.chain([""], (f"-{number}" for number in itertools.count(2)))
    candidates = (name[: NAME_LENGTH - len(suffix)].rstrip("-") + suffix for suffix in suffixes)
    return next(candidate for candidate in candidates if candidate not in taken)


def retired_name(name: str) -> str:
    """What one is called that gives up `name`: NAME-old, or NAME-old-2 and so on."""
    return free_name(name[: NAME_LENGTH - len(_OLD)].rstrip("-") + _OLD)


def name_before(name: str) -> str:
    """What one that is called `name` was called before it retired, where nobody is called that now."""
    before = _RETIRED.sub("", name)
    return before if before and free_name(before) == before else name


def _check_form(parts: SplitResult, *, plain_http: bool) -> None:
    if parts.scheme not in _SCHEMES:
        raise WrongAddress(_("An address begins with https:// or http://."))
    if "@" in parts.netloc:
        raise WrongAddress(_("User name and password go into fields of their own, not into the address."))
    if parts.scheme == "http" and not plain_http:
        raise _PlainHttp(_("http:// sends passwords and images unencrypted: that has to be allowed."))


def _host(host: str) -> str:
    if not host.isascii():
        try:
            host = host.encode("idna").decode()
        except UnicodeError as error:
            raise WrongAddress(_("That is no host name.")) from error
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        if not _HOST.fullmatch(host) or _DISGUISED.fullmatch(host):
            raise WrongAddress(_("That is no host name.")) from None
        return host
    mapped = getattr(address, "ipv4_mapped", None)
    if mapped is not None or address.is_unspecified or address.is_link_local or address.is_multicast:
        raise WrongAddress(_("No registry is at that address: it is a link-local, multicast or mapped one."))
    return f"[{address}]" if address.version == 6 else str(address)  # noqa: PLR2004  IPv6


def _path(path: str) -> str:
    path = path.rstrip("/").removesuffix("/v2")
    if not _PATH.fullmatch(path) or {".", ".."} & set(path.split("/")):
        raise WrongAddress(_("The path of an address is made of letters, digits and . _ ~ -"))
    return path
