from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from registries.models import Registry
from tests.hostile import Hostile
from tests.real_registry import RealRegistry
from tests.sync.hub import Hub
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
def hub() -> Iterator[Hub]:
    """As to those who pay: it speaks of no quota."""
    with Hub() as hub:
        hub.pulls_left = None
        yield hub


@pytest.fixture
def from_hub(hub: Hub, target: RealRegistry, transactional_db: None) -> Syncing:
    syncing = Syncing(hub.url, target.url, make.person("mara", staff=True))
    Registry.objects.filter(pk=syncing.source.pk).update(realm=hub.realm)
    return syncing


@pytest.fixture
def upstream() -> Iterator[Hostile]:
    """A source that does what it is told to."""
    with Hostile() as hostile:
        yield hostile


@pytest.fixture
def odd(upstream: Hostile, target: RealRegistry, transactional_db: None) -> Syncing:
    """From a source that does what it is told to, to a real target."""
    return Syncing(upstream.url, target.url, make.person("mara", staff=True))
