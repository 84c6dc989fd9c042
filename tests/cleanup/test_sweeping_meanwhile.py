"""Somebody pushes in the very moment in which a sweep takes what he pushes; the registry goes away in the middle."""

from __future__ import annotations

import urllib.error
from collections.abc import Iterator
from pathlib import Path

import pytest

from cleanup.models import Sweep, SweptBlob
from cleanup.sweeping.services import Times
from jobs.models import Job
from tests.cleanup.ground import AT_ONCE, SweptRegistry
from tests.hostile import Hostile, Reply
from tests.real_registry import RealRegistry
from tests.tagging.gate import Gate

pytestmark = [pytest.mark.django_db(databases="__all__", transaction=True), pytest.mark.any_database]

_KEPT, _DELETED = SweptBlob.State.KEPT, SweptBlob.State.DELETED


class Ground(SweptRegistry):
    """With an image that stays, and one whose manifest was deleted, so that its config and its layer are garbage."""

    def __init__(self, real: RealRegistry, url: str) -> None:
        super().__init__(real, "inmemory", url=url)
        app = self.push()
        app.image("kept", seed="kept")
        self.doomed = app.image(seed="old", layers=[b"old"])
        self.config, self.layer = self.blobs_of("team/app", self.doomed)
        self.manifest = app.fetch(self.doomed)
        self.delete("team/app", self.doomed)
        self.age()

    @property
    def first(self) -> str:
        """The blob that is unlinked first."""
        return min(self.config, self.layer)

    @property
    def last(self) -> str:
        return max(self.config, self.layer)

    def put_manifest(self) -> None:
        """As the last request of a push that was told before that all blobs are there."""
        self.push().manifest(self.manifest, "again")

    def push_all(self) -> None:
        self.push().image("again", seed="old", layers=[b"old"])

    def is_whole(self) -> bool:
        return all(self.blob_is_whole("team/app", digest) for digest in (self.config, self.layer))

    def states(self, sweep: Sweep) -> dict[str, str]:
        return dict(sweep.blobs.values_list("digest", "state"))


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    with (
        RealRegistry(tmp_path / "registry", storage={"cache": {"blobdescriptor": "inmemory"}}) as real,
        Hostile() as front,
    ):
        yield Gate(front, real)


@pytest.fixture
def ground(gate: Gate, transactional_db: None) -> Ground:
    return Ground(gate._behind, gate.url)


def test_a_manifest_that_is_accepted_right_before_its_blob_is_unlinked_is_whole_at_once(
    ground: Ground, gate: Gate
) -> None:
    gate.meanwhile("DELETE", ground.put_manifest, path=ground.first, first=True)
    sweep, job = ground.sweep(Times(3600, 0, 3600))
    assert job.state == Job.State.DONE, job.message
    assert ground.is_whole()
    assert set(ground.states(sweep).values()) == {_KEPT}


@pytest.mark.parametrize("blob", ["first", "last"])
def test_a_push_that_comes_too_late_is_refused_and_succeeds_when_tried_again(
    ground: Ground, gate: Gate, blob: str
) -> None:
    refused: list[int] = []

    def put() -> None:
        try:
            ground.put_manifest()
        except urllib.error.HTTPError as refusal:
            refused.append(refusal.code)
            refusal.close()

    gate.meanwhile("DELETE", put, path=getattr(ground, blob))
    sweep, job = ground.sweep()
    assert job.state == Job.State.DONE, job.message
    assert refused == [400]
    ground.push_all()
    assert ground.is_whole()
    assert set(ground.states(sweep).values()) == {_DELETED}


def test_a_blob_that_is_pushed_again_right_after_it_was_unlinked_stays(ground: Ground, gate: Gate) -> None:
    """The registry finds the data there still, and only links them."""
    gate.meanwhile("DELETE", ground.push_all, path=ground.layer)
    sweep, job = ground.sweep(Times(3600, 0, 3600))
    assert job.state == Job.State.DONE, job.message
    assert ground.is_whole()
    assert ground.states(sweep)[ground.layer] == _KEPT


def test_a_mount_elsewhere_right_before_a_blob_is_unlinked_keeps_it_there(ground: Ground, gate: Gate) -> None:
    def mount_and_push() -> None:
        other = ground.push("new/one")
        for digest in (ground.config, ground.layer):
            other._send("POST", f"/v2/new/one/blobs/uploads/?mount={digest}&from=team/app")
        other.manifest(ground.manifest, "mounted")

    gate.meanwhile("DELETE", mount_and_push, path=ground.first, first=True)
    sweep, job = ground.sweep(Times(3600, 0, 3600))
    assert job.state == Job.State.DONE, job.message
    assert all(ground.blob_is_whole("new/one", digest) for digest in (ground.config, ground.layer))
    assert set(ground.states(sweep).values()) <= {_KEPT, SweptBlob.State.PLANNED}


@pytest.mark.parametrize("after", [0, 1])
def test_a_registry_that_goes_away_in_the_middle_loses_nothing_that_is_used(
    ground: Ground, gate: Gate, after: int
) -> None:
    gate.refuse(after=4 + after, method="DELETE", reply=Reply(503, b"", {}), for_all=True)
    sweep, job = ground.sweep()
    assert job.state == Job.State.FAILED
    assert sweep.state == Sweep.State.BROKEN_OFF
    assert ground.blobs_of("team/app", "kept")
    gate.open()
    sweep, job = ground.carry_on(sweep)
    assert job.state == Job.State.DONE, job.message
    assert set(ground.states(sweep).values()) == {_DELETED}
    assert ground.aside == set()
    ground.push_all()
    assert ground.is_whole()


def test_what_lies_aside_is_put_back_when_somebody_wants_it(ground: Ground) -> None:
    sweep, _ = ground.sweep(Times(3600, 0, 3600))
    assert not ground.blobs & {ground.config, ground.layer}
    sweep, job = ground.undo(sweep)
    assert job.state == Job.State.DONE, job.message
    ground.put_manifest()
    assert ground.is_whole()
    assert set(ground.states(sweep).values()) == {SweptBlob.State.PUT_BACK}


def test_a_second_sweep_is_the_first_one(ground: Ground) -> None:
    first, job = ground.begin()
    second, same = ground.begin()
    assert (first, job) == (second, same)


def test_the_next_sweep_saves_what_one_that_was_killed_has_taken(ground: Ground) -> None:
    """It had unlinked and moved a blob that was in use, and died before it looked again."""
    sweep, _ = ground.sweep(only_plan=True)
    ground.put_manifest()
    sweep.blobs.update(state=SweptBlob.State.BEGUN)
    ground.take_by_hand(ground.layer)
    assert not ground.is_whole()
    _, job = ground.sweep(AT_ONCE)
    assert job.state == Job.State.DONE, job.message
    assert ground.is_whole()
    assert ground.states(sweep)[ground.layer] == _KEPT
