from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from oci.client import RegistryClient
from oci.transport import Endpoint
from tests.oci.transfer.copier import Copier
from tests.real_registry import RealRegistry, generations

OTHER = {"2.8": "3", "3": "2.8"}


@pytest.fixture(params=generations())
def registries(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[RealRegistry, RealRegistry]]:
    """A source, and a target of the other generation where there is one."""
    target = OTHER[request.param] if len(generations()) > 1 else request.param
    with (
        RealRegistry(tmp_path / "source", request.param) as source,
        RealRegistry(tmp_path / "target", target) as other,
    ):
        yield source, other


@pytest.fixture
def copier(registries: tuple[RealRegistry, RealRegistry]) -> Iterator[Copier]:
    source, target = registries
    with ExitStack() as stack:
        clients = [stack.enter_context(RegistryClient(Endpoint(registry.url))) for registry in (source, target)]
        yield stack.enter_context(Copier(*clients))
