from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from oci.client import RegistryClient
from oci.names import RepositoryName, parse_repository
from oci.transport import Endpoint, Transport
from tests.pushing import Pusher
from tests.real_registry import RealRegistry

Connect = Callable[..., RegistryClient]


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Make a client for a URL: settings of the endpoint, of the transport and of the client by their names."""
    with ExitStack() as stack:

        def make(url: str, *, page_size: int = 1000, **settings: Any) -> RegistryClient:
            of_endpoint = {"credentials", "realm", "ca", "plain_http", "client_certificate", "client_key", "proxy"}
            endpoint = Endpoint(url, **{k: v for k, v in settings.items() if k in of_endpoint})
            bounds = {k: v for k, v in settings.items() if k not in of_endpoint}
            return stack.enter_context(RegistryClient(Transport(endpoint, **bounds), page_size))

        yield make


@pytest.fixture
def client(real_registry: RealRegistry, connect: Connect) -> RegistryClient:
    return connect(real_registry.url, page_size=2)


@pytest.fixture
def repository(push: Pusher) -> RepositoryName:
    return parse_repository(push.repository)
