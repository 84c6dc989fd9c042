"""The client for a registry of ours."""

from __future__ import annotations

from typing import Final

from oci.auth import Credentials
from oci.client import RegistryClient
from oci.proxy import Proxy
from oci.transport import Endpoint, Transport
from registries.models import Registry
from registries.own_requests import user_agent
from registries.paces import pace_for, patience_for, throttle_for

__all__ = ["PAGE", "client_for", "hasty_client_for", "throttle_for"]

PAGE: Final = 1000  # names: what distribution gives at most, unless it is told otherwise


def client_for(registry: Registry, asker: str = "") -> RegistryClient:
    """A client with the credentials of this row, to be closed after use. Pages are as large as the last probe found.

    `asker` is for `own_requests`, which knows by it what the registry tells of these requests.
    Raises InvalidName when what the row says does not fit together.
    """
    transport = Transport(
        _endpoint(registry),
        pace_for(registry),
        user_agent=user_agent(registry, asker),
        patience=patience_for(registry),
    )
    return RegistryClient(transport, _page_size(registry))


def hasty_client_for(registry: Registry, seconds: float, asker: str = "") -> RegistryClient:
    """The same for while a person waits: each request is sent once and has `seconds`."""
    transport = Transport(
        _endpoint(registry),
        pace_for(registry),
        user_agent=user_agent(registry, asker),
        connect=min(3.0, seconds),
        read=seconds,
        total=seconds,
        attempts=1,
    )
    return RegistryClient(transport, _page_size(registry))


def _endpoint(registry: Registry) -> Endpoint:
    credentials = None
    if registry.username and registry.password:
        credentials = Credentials(registry.username, registry.password)
    return Endpoint.parse(
        registry.url,
        credentials=credentials,
        realm=registry.realm or None,
        ca=registry.ca or None,
        client_certificate=registry.client_certificate or None,
        client_key=registry.client_key or None,
        plain_http=registry.plain_http,
        proxy=Proxy.parse(registry.proxy) if registry.proxy else None,
    )


def _page_size(registry: Registry) -> int:
    size = registry.capability("page_size")  # 0: it refused whatever was asked for
    return PAGE if size is None else size
