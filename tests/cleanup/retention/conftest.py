from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from registries.models import Registry
from registries.probing import probe
from tests.real_registry import V2, RealRegistry
from tests.tagging.acting import Actor
from tests.web import furniture as make


@pytest.fixture
def real(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RealRegistry]:
    """Where a test does not ask for another, of 2.8, where it takes most to delete a tag."""
    with RealRegistry(tmp_path, getattr(request, "param", V2)) as registry:
        yield registry


@pytest.fixture
def actor(real: RealRegistry, transactional_db: None) -> Actor:
    """Pushes and scans in a registry of this test's own."""
    row = Registry.objects.create(name="local", url=real.url)
    probe(row)
    return Actor(real, row, make.person("mara", staff=True))
