from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from access.models import User
from registries.models import Registry
from registries.probing import probe
from tests.hostile import Hostile
from tests.real_registry import RealRegistry, generations
from tests.tagging.acting import Actor
from tests.tagging.gate import Gate
from tests.web import furniture as make


@pytest.fixture
def staff(db: None) -> User:
    return make.person("mara", staff=True)


@pytest.fixture(params=generations())
def own_registry(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RealRegistry]:
    with RealRegistry(tmp_path, request.param) as registry:
        yield registry


@pytest.fixture
def actor(own_registry: RealRegistry, staff: User) -> Actor:
    """Pushes, scans and acts in a registry of this test's own."""
    row = Registry.objects.create(name="test", url=own_registry.url)
    probe(row)
    return Actor(own_registry, row, staff)


@pytest.fixture
def gate(own_registry: RealRegistry) -> Iterator[Gate]:
    """What stands between Berth and a real registry, and can be shut."""
    with Hostile() as front:
        yield Gate(front, own_registry)


@pytest.fixture
def gated(gate: Gate, own_registry: RealRegistry, staff: User) -> Actor:
    """An actor whose registry Berth reaches through the gate alone."""
    row = Registry.objects.create(name="gated", url=gate.url)
    probe(row)
    return Actor(own_registry, row, staff)
