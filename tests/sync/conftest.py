from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hostile import Hostile
from tests.real_registry import RealRegistry
from tests.sync.syncing import Syncing
from tests.web import furniture as make


@pytest.fixture
def source(tmp_path: Path) -> Iterator[RealRegistry]:
    with RealRegistry(tmp_path / "source") as registry:
        yield registry


@pytest.fixture
def target(tmp_path: Path) -> Iterator[RealRegistry]:
    with RealRegistry(tmp_path / "target") as registry:
        yield registry


@pytest.fixture
def syncing(source: RealRegistry, target: RealRegistry, transactional_db: None) -> Syncing:
    return Syncing(source.url, target.url, make.person("mara", staff=True))


@pytest.fixture
def upstream() -> Iterator[Hostile]:
    """A source that does what it is told to."""
    with Hostile() as hostile:
        yield hostile


@pytest.fixture
def odd(upstream: Hostile, target: RealRegistry, transactional_db: None) -> Syncing:
    """From a source that does what it is told to, to a real target."""
    return Syncing(upstream.url, target.url, make.person("mara", staff=True))
