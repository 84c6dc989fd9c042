"""An engine that is closed puts no tag any more, but those that are on their way."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import ExitStack
from threading import Event, Thread

import pytest

from oci.client import RegistryClient
from oci.fetched import Fetched
from oci.names import Digest, RepositoryName, TagName
from oci.transport import Endpoint
from sync.engine import Engine, Errand, Placed
from tests.hostile import Asked, Hostile, Reply
from tests.pushing import OCI_MANIFEST
from tests.registry_ui.processes import eventually

APP = RepositoryName("library/app")
CONTENT = b'{"schemaVersion": 2}'
TOP = Fetched(Digest.of(CONTENT), OCI_MANIFEST, CONTENT)
AT_ONCE = 2  # tags that are put


@pytest.fixture
def gate() -> Iterator[Event]:
    """Registries answer when it is open."""
    gate = Event()
    yield gate
    gate.set()


@pytest.fixture
def source() -> Iterator[Hostile]:
    with Hostile() as hostile:
        yield hostile


@pytest.fixture
def target(gate: Event) -> Iterator[Hostile]:
    def answer(asked: Asked) -> Reply:
        gate.wait(20)
        return Reply(404) if asked.method == "HEAD" else Reply(201, headers={"Docker-Content-Digest": str(TOP.digest)})

    with Hostile() as hostile:
        hostile.otherwise(answer)
        yield hostile


@pytest.fixture
def engine(source: Hostile, target: Hostile) -> Iterator[Engine]:
    with ExitStack() as stack:
        clients = [stack.enter_context(RegistryClient(Endpoint(registry.url))) for registry in (source, target)]
        yield Engine(*clients)


def point(engine: Engine, count: int) -> list[Future[bool]]:
    errands = [Errand(APP, TOP.digest, APP, TagName(f"1.{number}")) for number in range(count)]
    return [engine.point(errand, Placed(TOP.digest, TOP)) for errand in errands]


def closing(engine: Engine) -> Thread:
    thread = Thread(target=engine.close)
    thread.start()
    assert engine.ended.wait(5)
    return thread


def put(target: Hostile) -> set[str]:
    return {asked.path.rpartition("/")[2] for asked in target.asked() if asked.method == "PUT"}


def test_tags_that_wait_for_their_turn_are_given_up(engine: Engine, target: Hostile, gate: Event) -> None:
    pointing = point(engine, 5)
    assert eventually(lambda: len(target.asked()) == AT_ONCE)

    thread = closing(engine)

    assert eventually(lambda: all(future.cancelled() for future in pointing[AT_ONCE:]), 5)
    gate.set()
    thread.join()
    assert [future.result() for future in pointing[:AT_ONCE]] == [True, True]
    assert put(target) == {"1.0", "1.1"}


def test_no_tag_is_put_while_what_is_on_its_way_is_waited_for(
    engine: Engine, source: Hostile, target: Hostile, gate: Event
) -> None:
    """Whoever closed it does not hold the lease any more: somebody else may write these tags by now."""
    slow = Event()

    def answer(_: Asked) -> Reply:
        slow.wait(20)
        return Reply(404)

    source.otherwise(answer)
    engine.place(Errand(APP, TOP.digest, APP), engine.meter())
    assert eventually(lambda: len(source.asked()) == 1)
    pointing = point(engine, 5)
    assert eventually(lambda: len(target.asked()) == AT_ONCE)

    thread = closing(engine)
    gate.set()

    assert eventually(lambda: all(future.done() for future in pointing), 5), "while the source is still waited for"
    slow.set()
    thread.join()
    assert put(target) == {"1.0", "1.1"}
