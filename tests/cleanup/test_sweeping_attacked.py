"""What people, other programs and broken disks do to a storage folder while something of it lies aside."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from cleanup.models import Sweep
from cleanup.sweeping.services import Times
from jobs.models import Job
from tests.cleanup.ground import SweptRegistry
from tests.real_registry import RealRegistry

pytestmark = [pytest.mark.django_db(databases="__all__", transaction=True), pytest.mark.any_database]

HELD = Times(grace_seconds=3600, settle_seconds=0, hold_seconds=3600)
_LAYER = b"old"


class Held(SweptRegistry):
    """A sweep holds the config and the layer of an image; `other` had them too."""

    def __init__(self, real: RealRegistry) -> None:
        super().__init__(real)
        self.push().image("kept", seed="kept")
        for repository in ("team/app", "other"):
            doomed = self.push(repository).image(seed="old", layers=[_LAYER])
            self.config, self.layer = self.blobs_of(repository, doomed)
            self.delete(repository, doomed)
        self.age()
        self.held, job = self.sweep(HELD)
        assert job.state == Job.State.DONE, job.message
        assert self.aside == {self.config, self.layer}

    def data_aside(self, digest: str) -> Path:
        return self.real.storage / "berth-aside" / digest.replace(":", "/") / "data"

    def finish(self) -> tuple[Sweep, Job]:
        self.make_due(self.held)
        return Sweep.objects.get(pk=self.held.pk), Job.objects.filter(kind="sweep").latest("pk")


@pytest.fixture
def real(tmp_path: Path) -> Iterator[RealRegistry]:
    with RealRegistry(tmp_path / "registry") as real:
        yield real


@pytest.fixture
def holding(real: RealRegistry, transactional_db: None) -> Held:
    return Held(real)


def test_a_repository_that_only_looks_like_one_of_a_trial_stays(holding: Held, tmp_path: Path) -> None:
    names = ["berth-trial/app", "berth-trial/0123456789abcdef-a"]
    for name in names:
        holding.push(name).image("1.0", seed=name)
    _, job = holding.sweep()
    assert job.state == Job.State.DONE, job.message
    holding.pull_all(tmp_path / "pulled", [f"{name}:1.0" for name in names])


def test_what_lies_aside_is_put_back_though_one_of_its_repositories_is_gone(holding: Held) -> None:
    shutil.rmtree(holding.layout.repository("other"))
    sweep, job = holding.undo(holding.held)
    assert job.state == Job.State.DONE, job.message
    assert sweep.state == Sweep.State.DONE
    assert holding.blob_is_whole("team/app", holding.layer)
    assert not holding.layout.repository("other").exists()


def test_what_was_pushed_again_is_no_hindrance_though_another_repository_is_gone(holding: Held, tmp_path: Path) -> None:
    shutil.rmtree(holding.layout.repository("other"))
    holding.push().image("again", seed="old", layers=[_LAYER])
    sweep, job = holding.finish()
    assert job.state == Job.State.DONE, job.message
    assert sweep.state == Sweep.State.DONE
    holding.pull_all(tmp_path / "pulled", ["team/app:again"])
