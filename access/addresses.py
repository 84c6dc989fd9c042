"""Where a request comes from, as far as that can be known."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str | None:
    """The address of the client; None where there is none, as behind a socket of the file system.

    Behind a proxy it is the last entry of X-Forwarded-For, the one that the proxy itself wrote: what stands
    before it the client may have made up. Without a proxy the header is the client's own, and not looked at.
    """
    return address_of(request.META)


def address_of(environ: Mapping[str, Any]) -> str | None:
    """The same of a request that Django has not seen."""
    peer = _address(environ.get("REMOTE_ADDR", ""))
    if not settings.BEHIND_PROXY:
        return peer
    return _address(environ.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2]) or peer


def _address(text: str) -> str | None:
    """One spelling an address, as some proxies write it too: `[2001:db8::1]:4711` and `192.0.2.1:4711`."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return str(getattr(address, "ipv4_mapped", None) or address)
