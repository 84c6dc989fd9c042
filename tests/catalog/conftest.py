from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from registries.models import Registry
from tests.hostile import Hostile
from tests.real_registry import RealRegistry, generations


@pytest.fixture(params=generations())
def own_registry(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RealRegistry]:
    """A registry of this test's own: what its catalog lists is what the test pushed."""
    with RealRegistry(tmp_path, request.param) as registry:
        yield registry


@pytest.fixture
def row(db: None, own_registry: RealRegistry) -> Registry:
    return Registry.objects.create(name="test", url=own_registry.url)


@pytest.fixture
def hostile_row(db: None, hostile: Hostile) -> Registry:
    return Registry.objects.create(name="hostile", url=hostile.url)
