"""Where a registry is and who we are there: what an administrator set, checked before anything is sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Self

from oci.errors import InvalidName
from oci.urls import Origin, Url, without_secrets

if TYPE_CHECKING:
    from oci.auth import Credentials
    from oci.proxy import Proxy

USER_AGENT: Final = "berth/0.1.0"

# Docker Hub keeps its token service on another host; it is the one pair that everybody knows.
_WELL_KNOWN: Final = {
    Origin("https", "registry-1.docker.io", 443): Origin("https", "auth.docker.io", 443),
}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A registry: its `url` (a path in it is kept, for a registry under a path) and how to be let in.

    `realm` is the address of the token service, when that is not at the registry's own origin: only there will the
    credentials be sent. `ca` is PEM text or the path of a PEM file with an authority to trust beside the public
    ones. Plain http is for loopback addresses, and elsewhere only where `plain_http` says so. `client_certificate` and
    `client_key` are PEM text or paths too, and the key may stand with the certificate; they are shown to the registry's
    own origin and to nobody else. `proxy`: everything is asked by it, and nothing by those that the environment names;
    what a registry without TLS is told, its proxy reads, credentials too.

    InvalidName when these do not fit together; it never repeats user-info or a query of the text.
    """

    url: str
    credentials: Credentials | None = None
    realm: str | None = None
    ca: str | None = field(default=None, repr=False)
    plain_http: bool = False
    client_certificate: str | None = field(default=None, repr=False)
    client_key: str | None = field(default=None, repr=False)
    proxy: Proxy | None = None
    base: Url = field(init=False, repr=False, compare=False)

    @classmethod
    def parse(cls, text: str, **settings: Any) -> Self:
        """As the constructor, for what a person typed: spaces around it and a missing `https://` are forgiven."""
        text = text.strip()
        return cls(text if "://" in text else f"https://{text}", **settings)

    def __post_init__(self) -> None:
        base = Url.parse(self.url)
        if base.query or (base.origin.scheme == "http" and not (self.plain_http or base.is_loopback)):
            raise InvalidName("registry address", without_secrets(self.url))
        realm = base if self.realm is None else Url.parse(self.realm)
        if base.origin.scheme == "https" and realm.origin.scheme != "https":
            raise InvalidName("token service for a registry with TLS", without_secrets(str(realm)))
        path = base.path.rstrip("/") + "/"
        object.__setattr__(self, "base", Url(base.origin, path))
        object.__setattr__(self, "url", str(self.base).rstrip("/"))

    @property
    def realms(self) -> frozenset[Origin]:
        """The origins whose token service may be asked."""
        if self.realm is not None:
            return frozenset({Url.parse(self.realm).origin})
        return frozenset({self.base.origin, _WELL_KNOWN.get(self.base.origin, self.base.origin)})

    def at(self, path: str) -> Url:
        """The address of `path` ("v2/…", with its query if any) here."""
        url = Url.parse(f"{self.base}{path}")
        if path.startswith("/") or not self.holds(url):
            raise InvalidName("path", without_secrets(path))
        return url

    def holds(self, url: Url) -> bool:
        """Whether `url` is the registry itself: same scheme, host and port, and below its path."""
        return url.origin == self.base.origin and url.path.startswith(self.base.path)
