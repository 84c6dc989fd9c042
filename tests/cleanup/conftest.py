from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cleanup.checking import Checking
from tests.hostile import Hostile
from tests.real_registry import RealRegistry, generations
from tests.tagging.gate import Gate


@pytest.fixture(params=generations())
def real(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RealRegistry]:
    with RealRegistry(tmp_path, request.param) as registry:
        yield registry


@pytest.fixture(params=["api", "folder"])
def checking(request: pytest.FixtureRequest, real: RealRegistry, transactional_db: None) -> Checking:
    """A registry that is looked at in each of the two ways."""
    return Checking(real, by_folder=request.param == "folder")


@pytest.fixture
def gate(real: RealRegistry) -> Iterator[Gate]:
    """What stands between Berth and a real registry, and can be shut."""
    with Hostile() as front:
        yield Gate(front, real)


@pytest.fixture
def gated(gate: Gate, real: RealRegistry, transactional_db: None) -> Checking:
    return Checking(real, url=gate.url)
