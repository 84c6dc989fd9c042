"""What people, other programs and broken disks do to a storage folder while something of it lies aside."""

from __future__ import annotations

import hashlib
import shutil
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from access.models import User
from cleanup.halting import halt, halted
from cleanup.models import Sweep, SweepTerms, SweptBlob
from cleanup.sweeping import services
from cleanup.sweeping.services import Times
from jobs import running
from jobs.models import Job
from jobs.running import JobFailed
from registries.models import Registry
from tests.cleanup.ground import SweptRegistry
from tests.real_registry import RealRegistry
from tests.web import furniture as make

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
        self._unlink("once", self.push("once").image(seed="old", layers=[_LAYER]))
        self.age()
        self.held, job = self.sweep(HELD)
        assert job.state == Job.State.DONE, job.message
        assert self.aside == {self.config, self.layer}

    def _unlink(self, repository: str, image: str) -> None:
        """As whoever deletes an image, and then its layer."""
        self.delete(repository, image)
        request = urllib.request.Request(f"{self.url}/v2/{repository}/blobs/{self.layer}", method="DELETE")
        urllib.request.urlopen(request, timeout=10).close()

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


def test_what_somebody_else_has_put_back_is_not_said_to_be_deleted(holding: Held) -> None:
    holding.data_aside(holding.layer).parent.rename(holding.layout.data(holding.layer).parent)
    sweep, job = holding.finish()
    assert job.state == Job.State.DONE, job.message
    assert holding.layer in holding.blobs
    assert sweep.blobs.get(digest=holding.layer).state == SweptBlob.State.PUT_BACK
    assert sweep.blobs.get(digest=holding.config).state == SweptBlob.State.DELETED


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


def test_what_is_put_back_is_linked_where_it_was_and_nowhere_else(holding: Held) -> None:
    holding.undo(holding.held)
    assert holding.blob_is_whole("team/app", holding.layer)
    assert not holding.blob_is_whole("once", holding.layer)


def test_what_lies_aside_is_put_back_though_sweeps_are_stopped(holding: Held) -> None:
    halt(holding.row, "A check found broken images.")
    _, job = holding.undo(holding.held)
    assert job.state == Job.State.DONE, job.message
    assert holding.blob_is_whole("team/app", holding.layer)


def test_what_was_unlinked_and_never_moved_is_put_back_too(holding: Held) -> None:
    """Its worker was killed in between."""
    data = holding.data_aside(holding.layer).parent
    data.rename(holding.layout.data(holding.layer).parent)
    holding.held.blobs.filter(digest=holding.layer).update(state=SweptBlob.State.BEGUN)
    _, job = holding.undo(holding.held)
    assert job.state == Job.State.DONE, job.message
    assert holding.blob_is_whole("team/app", holding.layer)
    assert not holding.held.blobs.unsettled().exists()


@pytest.mark.parametrize("spoil", ["removed", "cut short"])
def test_what_is_in_use_and_whose_data_are_spoilt_aside_stops_all_sweeps(holding: Held, spoil: str) -> None:
    data = holding.data_aside(holding.layer)
    data.unlink() if spoil == "removed" else data.write_bytes(data.read_bytes()[:-1])
    manifest = holding.push().image(seed="old", layers=[_LAYER])
    for digest in (holding.config, holding.layer):  # as when it had been accepted in the very moment of the sweep
        holding.layout.data(digest).unlink()
        holding.layout.layer_link("team/app", digest).unlink()

    _, job = holding.finish()

    assert job.state == Job.State.FAILED
    assert holding.layer in job.message
    assert halted(holding.row) is not None
    assert holding.layout.data(holding.config).exists()
    assert not holding.layout.data(holding.layer).exists()
    assert manifest


def test_what_nobody_needs_and_is_spoilt_aside_is_said_and_the_rest_is_put_back(holding: Held) -> None:
    holding.data_aside(holding.layer).unlink()
    sweep, job = holding.undo(holding.held)
    assert "cannot be put back" in job.message
    assert holding.layout.data(holding.config).exists()
    assert not sweep.blobs.unsettled().exists()
    assert halted(holding.row) is None


def test_what_cannot_be_put_back_is_in_nobody_elses_way(holding: Held) -> None:
    first, last = sorted((holding.config, holding.layer))
    in_the_way = holding.layout.data(first).parent
    in_the_way.write_bytes(b"a file where a folder should be")
    _, job = holding.undo(holding.held)
    assert job.state == Job.State.FAILED
    assert holding.layout.data(last).exists()
    in_the_way.unlink()
    _, job = holding.carry(holding.held, services.undo(holding.held, User.objects.get(username="mara"), here=True))
    assert job.state == Job.State.DONE, job.message
    assert holding.layout.data(first).exists()


def test_what_lies_aside_of_one_address_is_not_put_back_by_sweeps_of_another(holding: Held) -> None:
    url = holding.url.replace("127.0.0.1", "localhost")
    other = Registry.objects.create(name="the same", url=url, storage=f"{holding.real.storage}/")
    SweepTerms.objects.create(registry=other, processes="one", cache="none")
    aside = holding.aside
    _, job = services.begin(other, here=True, times=HELD)
    running.run_here(job.pk)
    job.refresh_from_db()
    assert job.state == Job.State.DONE, job.message
    assert holding.aside == aside


def test_two_addresses_of_one_storage_are_not_swept_at_once(holding: Held) -> None:
    url = holding.url.replace("127.0.0.1", "localhost")
    other = Registry.objects.create(name="the same", url=url, storage=str(holding.real.storage))
    holding.begin()
    with pytest.raises(JobFailed, match="is under way"):
        services.begin(other, here=True, times=HELD)


def test_nobody_is_told_that_something_is_put_back_while_another_sweep_is_under_way(holding: Held) -> None:
    holding.begin()
    with pytest.raises(JobFailed, match="is under way"):
        services.undo(holding.held, make.person("mara", staff=True), here=True)


def test_a_registry_that_was_removed_and_came_back_has_again_what_lay_aside(holding: Held) -> None:
    holding.row.delete()
    row = Registry.objects.create(name="new", url=holding.url, storage=str(holding.real.storage))
    SweepTerms.objects.create(registry=row, processes="one", cache="none")
    _, job = services.begin(row, here=True, times=Times(10**9, 0, 0))
    running.run_here(job.pk)
    assert holding.aside == set()
    assert {holding.config, holding.layer} <= holding.blobs


def test_a_blob_that_somebody_has_put_elsewhere_by_a_link_stays_there(holding: Held) -> None:
    folder = holding.layout.data(holding.layout.layer("team/app", b"a large one")).parent
    folder.rename(folder.parent.parent / "moved")
    folder.symlink_to("../moved")
    holding.age()
    _, job = holding.sweep(HELD)
    assert job.state == Job.State.DONE, job.message
    assert (folder / "data").read_bytes() == b"a large one"


@pytest.mark.parametrize("content", ["", "nonsense"])
def test_a_link_that_holds_no_digest_is_in_nobody_elses_way(holding: Held, content: str) -> None:
    pushed = [holding.push().blob(b"%d of several" % n) for n in range(3)]
    for digest in pushed[:2]:
        holding.layout.layer_link("team/app", digest).write_text(content)
    holding.age()
    sweep, job = holding.sweep()
    assert job.state == Job.State.DONE, job.message
    assert pushed[2] not in holding.blobs
    assert sweep.blobs.get().digest == pushed[2]


def test_there_may_be_many(holding: Held) -> None:
    """More than are unlinked, or named by a statement, at once; one of no bytes, and one that is half JSON."""
    contents = [b"", b"{" + b" " * 100, *(b"%d of many" % n for n in range(1_100))]
    digests = {holding.layout.blob(content) for content in contents}
    linked = {holding.layout.layer("team/app", b"%d linked" % n) for n in range(120)}
    holding.age()
    sweep, job = holding.sweep(HELD)
    assert job.state == Job.State.DONE, job.message
    broken = "sha256:" + hashlib.sha256(contents[1]).hexdigest()
    assert (digests | linked) - holding.aside == {broken}
    assert sweep.found == 1 + 1_100 + 120
    _, job = holding.undo(sweep)
    assert job.state == Job.State.DONE, job.message
    assert digests | linked <= holding.blobs
    assert holding.aside == {holding.config, holding.layer}
