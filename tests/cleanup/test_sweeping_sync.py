"""A sync run remembers what it brought; of what a sweep took since the registry reminds it, and it looks again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from cleanup.models import Sweep
from oci.client import RegistryClient
from oci.transport import Endpoint
from tests.cleanup.ground import SweptRegistry
from tests.oci.transfer.copier import Copier
from tests.pushing import Pusher
from tests.real_registry import RealRegistry, generations

pytestmark = [pytest.mark.django_db(databases="__all__", transaction=True), pytest.mark.any_database]

INMEMORY = {"cache": {"blobdescriptor": "inmemory"}}


@pytest.fixture(params=generations())
def target(request: pytest.FixtureRequest, tmp_path: Path, transactional_db: None) -> Iterator[SweptRegistry]:
    with RealRegistry(tmp_path / "target", request.param, storage=INMEMORY) as real:
        yield SweptRegistry(real, "inmemory")


@pytest.fixture
def source(tmp_path: Path) -> Iterator[Pusher]:
    with RealRegistry(tmp_path / "source") as real:
        yield Pusher(real.url, "team/app")


@pytest.fixture
def copier(source: Pusher, target: SweptRegistry) -> Iterator[Copier]:
    """One run, which remembers."""
    with ExitStack() as stack:
        clients = [stack.enter_context(RegistryClient(Endpoint(url))) for url in (source.url, target.url)]
        yield stack.enter_context(Copier(*clients))


def swept(target: SweptRegistry, *digests: str) -> None:
    """What these images had is gone."""
    for digest in digests:
        target.delete("team/app", digest)
    target.age()
    sweep, job = target.sweep()
    assert sweep.state == Sweep.State.DONE, job.message
    assert sweep.found > 0


def test_a_layer_that_the_run_brought_before_comes_once_more(
    copier: Copier, source: Pusher, target: SweptRegistry, tmp_path: Path
) -> None:
    first = source.image("1.0", seed="1", layers=[b"shared", b"first"])
    source.image("2.0", seed="2", layers=[b"shared", b"second"])
    target.push("other").image("kept", seed="kept")
    copier.copy("team/app", "1.0")
    swept(target, first)

    copier.copy("team/app", "2.0")

    target.pull_all(tmp_path / "pulled", ["team/app:2.0", "other:kept"])


def test_an_image_that_the_run_put_before_comes_once_more_with_its_index(
    copier: Copier, source: Pusher, target: SweptRegistry, tmp_path: Path
) -> None:
    child = source.image("1.0", seed="1", layers=[b"a layer"])
    source.index("all", children=[child])
    copier.copy("team/app", "1.0")
    swept(target, child)

    copier.copy("team/app", "all")

    target.pull_all(tmp_path / "pulled", ["team/app:all"])
