"""Somebody pushes in the very moment in which a sweep takes what he pushes; the registry goes away in the middle."""

from __future__ import annotations

import time
import urllib.error
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.db.models import F
from django.utils import timezone

from cleanup.halting import halt
from cleanup.models import Sweep, SweptBlob
from cleanup.sweeping import services
from cleanup.sweeping.services import Times
from jobs import running
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

    def accept_manifest(self) -> None:
        """As a registry does that had looked for the blobs in the moment before they went."""
        self.layout.manifest("team/app", self.manifest, "again")

    def break_off(self, state: Sweep.State) -> Sweep:
        """Both blobs were moved, and nobody looked again."""
        sweep, _ = self.sweep(Times(3600, 0, 3600), only_plan=True)
        for digest in (self.config, self.layer):
            self.take_by_hand(digest)
        sweep.blobs.update(state=SweptBlob.State.ASIDE)
        Sweep.objects.update(state=state, ended_at=timezone.now())
        return sweep

    def finish(self, later: timedelta = timedelta()) -> Job | None:
        """The job that is due then, once it has run."""
        before = set(Job.objects.values_list("pk", flat=True))
        services.finish_due(timezone.now() + later)
        job = Job.objects.exclude(pk__in=before).first()
        if job is not None:
            running.run_here(job.pk)
            job.refresh_from_db()
        return job

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


@pytest.mark.parametrize("state", [Sweep.State.BROKEN_OFF, Sweep.State.UNDER_WAY])
def test_what_a_sweep_has_moved_that_broke_off_is_soon_looked_at_again(ground: Ground, state: Sweep.State) -> None:
    """And held then: it was stopped, or its worker had died too often."""
    sweep = ground.break_off(state)
    ground.accept_manifest()
    assert not ground.is_whole()
    job = ground.finish()
    assert job is not None
    assert job.state == Job.State.DONE, job.message
    assert ground.is_whole()
    assert set(ground.states(sweep).values()) == {_KEPT}


def test_what_nobody_uses_is_held_after_a_sweep_broke_off_and_goes_later(ground: Ground) -> None:
    sweep = ground.break_off(Sweep.State.BROKEN_OFF)
    ground.finish()
    sweep.refresh_from_db()
    assert sweep.state == Sweep.State.HOLDING
    assert ground.finish() is None
    ground.make_due(sweep)
    assert set(ground.states(sweep).values()) == {_DELETED}


def test_a_look_that_failed_is_not_repeated_at_once(ground: Ground, gate: Gate) -> None:
    sweep, _ = ground.sweep(Times(3600, 0, 3600))
    Sweep.objects.update(resumes_at=timezone.now())
    gate.answer("/v2/", Reply(503, b"", {}))
    job = ground.finish()
    assert job is not None
    assert job.state == Job.State.FAILED
    assert ground.finish(timedelta(minutes=1)) is None
    gate.open()
    job = ground.finish(timedelta(minutes=16))
    assert job is not None
    assert job.state == Job.State.DONE, job.message
    assert set(ground.states(sweep).values()) == {_DELETED}


def test_where_sweeps_are_stopped_nothing_is_tried(ground: Ground) -> None:
    ground.sweep(Times(3600, 0, 3600))
    halt(ground.row, "A check found broken images.")
    assert ground.finish(timedelta(hours=2)) is None


def test_a_sweep_that_is_stopped_in_the_middle_deletes_nothing_more(ground: Ground, gate: Gate) -> None:
    gate.meanwhile("DELETE", lambda: halt(ground.row, "A check found broken images."), path=ground.last)
    sweep, job = ground.sweep(AT_ONCE)
    assert job.state == Job.State.FAILED
    assert "A check found broken images" in job.message
    assert ground.aside == {ground.config, ground.layer}
    ground.undo(sweep)
    ground.put_manifest()
    assert ground.is_whole()


def test_a_manifest_that_is_accepted_by_memory_until_the_registry_is_asked_again_is_whole(
    ground: Ground, gate: Gate
) -> None:
    """Its blob was remembered right after it was unlinked; what is held for no time is looked for once more."""
    gate.meanwhile("HEAD", ground.accept_manifest, path=ground.last, after=1)
    sweep, job = ground.sweep(AT_ONCE)
    assert job.state == Job.State.DONE, job.message
    assert ground.is_whole()
    assert set(ground.states(sweep).values()) == {_KEPT}


def test_where_nobody_can_tell_any_more_what_is_in_use_all_goes_back(ground: Ground, gate: Gate) -> None:
    odd = ground.layout.repositories / "team/Odd/_manifests"
    gate.meanwhile("HEAD", lambda: odd.mkdir(parents=True), path=ground.last, after=1)
    sweep, job = ground.sweep(AT_ONCE)
    assert job.state == Job.State.FAILED
    assert ground.is_whole()
    assert ground.aside == set()
    odd.rmdir()
    odd.parent.rmdir()
    ground.age()
    sweep, job = ground.carry_on(sweep)
    assert job.state == Job.State.DONE, job.message
    assert set(ground.states(sweep).values()) == {_DELETED}


def test_what_is_known_to_be_in_use_is_put_back_though_another_manifest_is_lost(ground: Ground) -> None:
    ground.sweep(Times(3600, 0, 3600))
    ground.accept_manifest()
    lost = ground.push("other").image("lost", seed="lost")
    ground.layout.data(lost).unlink()
    job = ground.finish(timedelta(hours=2))
    assert job is not None
    assert job.state == Job.State.FAILED
    assert lost in job.message
    assert ground.is_whole()


def test_whoever_was_frozen_while_another_took_over_unlinks_no_more(ground: Ground, gate: Gate) -> None:
    for repository in ("other", "third"):
        ground.push(repository)._send("POST", f"/v2/{repository}/blobs/uploads/?mount={ground.first}&from=team/app")
    ground.age()

    def freeze() -> None:
        Job.objects.update(fence=F("fence") + 1)
        time.sleep(0.6)  # longer than a lease goes without being looked at

    gate.meanwhile("DELETE", freeze, path=ground.first)
    ground.sweep()
    assert [asked.method for asked in gate.passed if asked.path.endswith(ground.first)].count("DELETE") == 1
    assert all(ground.blob_is_whole(name, ground.first) for name in ("team/app", "other", "third"))
