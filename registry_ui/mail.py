"""Where mail is handed in, from one address: `smtp://user:password@host:587?tls=starttls`."""

from __future__ import annotations

import ipaddress
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

_PORTS: Final = {"smtp": 587, "smtps": 465}
_TLS: Final = frozenset({"starttls", "none"})
_SECONDS: Final = 20  # for one mail in all: well within the time for which a notice is claimed


def mail_settings(address: str) -> dict[str, Any]:
    """Django's settings for it. The complaint never repeats the address, which holds a password."""
    try:
        return _settings(address)
    except ValueError as error:
        raise ImproperlyConfigured(f"BERTH_EMAIL_URL cannot be used: {error}") from None


def _settings(address: str) -> dict[str, Any]:
    parts = urlsplit(address)
    if parts.scheme not in _PORTS or not parts.hostname or parts.path.strip("/") or parts.fragment:
        raise ValueError("smtp://user:password@host:587 is one, and smtps://user:password@host:465")
    told = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
    tls = told.pop("tls", "starttls")
    if told or tls not in _TLS:
        raise ValueError("after the question mark may stand tls=starttls or tls=none")
    is_tls = parts.scheme == "smtps" or tls == "starttls"
    if parts.username and not is_tls and not _is_here(parts.hostname):
        raise ValueError("without TLS a password would travel unencrypted")
    return {
        "EMAIL_BACKEND": "notices.smtp.EmailBackend",
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": parts.port or _PORTS[parts.scheme],
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_TLS": parts.scheme == "smtp" and is_tls,
        "EMAIL_USE_SSL": parts.scheme == "smtps",
        "EMAIL_TIMEOUT": _SECONDS,
    }


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
