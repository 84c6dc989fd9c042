from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from access.models import User
from registries.models import Registry
from registries.probing import probe
from tests.cleanup.checking import Checking
from tests.cleanup.switched import Switched
from tests.hostile import Hostile
from tests.pushing import Pusher
from tests.real_registry import RealRegistry, generations_in_turn
from tests.tagging.acting import Actor
from tests.tagging.conftest import own_registry
from tests.tagging.gate import Gate
from tests.web import furniture as make
from tests.web.conftest import static_files

__all__ = ["own_registry", "static_files"]


@pytest.fixture(params=generations_in_turn())
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


@pytest.fixture
def staff(db: None) -> User:
    return make.person("mara", staff=True)


@pytest.fixture
def actor(own_registry: RealRegistry, staff: User) -> Actor:
    """Pushes, scans and acts in a registry of this test's own, whose storage folder Berth may read."""
    row = Registry.objects.create(name="test", url=own_registry.url, storage=str(own_registry.storage))
    probe(row)
    return Actor(own_registry, row, staff)


@pytest.fixture
def without_folder(actor: Actor) -> Actor:
    """The same, and nobody has named the folder."""
    actor.row.storage = ""
    actor.row.save()
    return actor


@pytest.fixture
def gated_actor(gate: Gate, real: RealRegistry, staff: User) -> Actor:
    """An actor whose registry Berth reaches through the gate alone, besides its folder."""
    row = Registry.objects.create(name="gated", url=gate.url, storage=str(real.storage))
    probe(row)
    return Actor(real, row, staff)


@pytest.fixture
def shut_registry(tmp_path: Path) -> Iterator[RealRegistry]:
    """One whose deletes are off."""
    with RealRegistry(tmp_path / "shut", deletes=False) as registry:
        yield registry


@pytest.fixture(scope="module")
def switched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Switched]:
    """One for the tests of a module, with so many blobs that a few are no fifth of them; each leaves it open."""
    with Switched(tmp_path_factory.mktemp("switched")) as registry:
        Pusher(registry.url, "team/app").image("kept", layers=[f"kept {n}".encode() for n in range(40)])
        yield registry
