from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.hostile import Hostile
from tests.pushing import Pusher
from tests.real_registry import RealRegistry, generations

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session", params=generations())
def real_registry(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealRegistry]:
    """One of each generation for all tests, so each test uses a repository of its own (see `push`)."""
    folder: Path = tmp_path_factory.mktemp("registry")
    with RealRegistry(folder, request.param) as registry:
        yield registry


@pytest.fixture
def push(real_registry: RealRegistry, request: pytest.FixtureRequest) -> Pusher:
    """Pushes into a repository of this test's own."""
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")
    return Pusher(real_registry.url, f"test/{name[:200].strip('-')}")


@pytest.fixture
def hostile() -> Iterator[Hostile]:
    with Hostile() as registry:
        yield registry


@pytest.fixture
def other_host() -> Iterator[Hostile]:
    """It only listens: whatever it is told, it should not have been."""
    with Hostile() as host:
        yield host
