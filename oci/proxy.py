"""The proxy by which a registry is asked, and what it alone is told of who we are there."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from typing import Final, Self
from urllib.parse import unquote_to_bytes

from oci.errors import InvalidName
from oci.urls import Url, without_secrets

_USER: Final = re.compile(r"(?:[!$&'()*+,;=A-Za-z0-9._~:@-]|%[0-9A-Fa-f]{2})*")
_LENGTH: Final = 2000


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy that is itself spoken to in plain http. `authorization` is for it, and for no registry."""

    host: str  # an IPv6 address in brackets
    port: int
    authorization: str = field(default="", repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)  # what nobody may repeat, the longest first

    @classmethod
    def parse(cls, text: str) -> Self:
        """Of `http://[user[:password]@]host[:port]`, where `@` and `/` of a password may be percent signs.

        InvalidName, which repeats no user and no password.
        """
        text = text.strip()
        scheme, between, rest = text.rpartition("://") if "://" in text else ("http", "://", text)
        user, _, host = rest.rpartition("@")
        try:
            url = Url.parse(f"{scheme}{between}{host}")
        except InvalidName:
            raise InvalidName("proxy address", without_secrets(text)) from None
        is_plain = url.origin.scheme == "http" and url.path == "/" and not url.query
        if not is_plain or len(text) > _LENGTH or not _USER.fullmatch(user):
            raise InvalidName("proxy address", without_secrets(text))
        if not user:
            return cls(url.origin.host, url.origin.port)
        name, _, password = (unquote_to_bytes(part) for part in user.partition(":"))
        pair = base64.b64encode(name + b":" + password).decode()
        return cls(url.origin.host, url.origin.port, f"Basic {pair}", (pair, password.decode(errors="replace")))

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"
