"""Checks while the registry goes away, a proxy answers for it, others push and delete, and workers die."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path
from typing import Any

import pytest
from django.db.models import F
from django.db.models.signals import post_save

from cleanup.halting import halted
from cleanup.models import Check, CheckFinding, Halt
from cleanup.verifying import services
from cleanup.verifying.terms import Terms
from jobs import running
from jobs import services as jobs
from jobs.models import Job
from tests.cleanup.checking import REPOSITORY, Checking
from tests.hostile import Raw, Reply
from tests.meanwhile import receiving
from tests.pushing import OCI_INDEX, Pusher
from tests.real_registry import RealRegistry, generations_in_turn
from tests.tagging.gate import Gate

pytestmark = pytest.mark.any_database
State = Check.State
PLAIN = Reply(404, b"not here", {"Content-Type": "text/plain"})


def three_repositories(checking: Checking) -> None:
    for name in ("a", "b", "c"):
        Pusher(checking.real.url, name).image("1", "2", seed=name)
    checking.scan()


def test_nothing_is_said_to_be_broken_where_the_registry_goes_away(gated: Checking, gate: Gate) -> None:
    three_repositories(gated)
    gate.refuse(after=10, method="GET", reply=Raw(b""), for_all=True)

    check = gated.check()

    assert check.state == State.BROKEN_OFF
    assert check.message.startswith("The registry does not answer any more: ")
    assert check.message.endswith(" What was not looked at is neither whole nor broken.")
    assert (check.reached, check.broken, check.unasked) == ("a", 0, 0)
    assert not CheckFinding.objects.exists()
    assert not Halt.objects.exists()
    assert check.job is not None
    assert check.job.state == Job.State.FAILED

    gate.open()
    again, job, _ = services.begin(gated.row, Terms())
    assert gated.carry_out(again, job).message == "All 6 tags that were looked at are whole."


@pytest.mark.parametrize("what", ["layer", "config", "manifest", "child", "tag", "list"])
def test_a_404_of_a_proxy_says_nothing(gated: Checking, gate: Gate, what: str) -> None:
    digest = gated.push.image("image", seed="one")
    gated.push.index("index", children=[digest])
    gated.scan()
    config, (layer,) = gated.parts(digest)
    part = {"layer": layer, "config": config, "manifest": digest, "child": digest, "tag": "image", "list": "list"}[what]
    gate.answer(f"/{part}", PLAIN)

    check = gated.check()

    assert (check.state, check.broken, check.new) == (State.DONE, 0, 0)
    assert check.unasked == (1 if what in {"tag", "list"} else 2)
    assert {code for _, code, _ in gated.found()} == {"unasked"}
    assert halted(gated.row) is None


@pytest.mark.parametrize("reply", [Reply(500), Reply.errors(403, "DENIED"), Reply(400)])
def test_an_answer_that_is_none_says_nothing(gated: Checking, gate: Gate, reply: Reply) -> None:
    digest = gated.push.image("image", seed="one")
    gated.scan()
    gate.answer(f"/{gated.parts(digest)[0]}", reply)

    check = gated.check()

    assert (check.broken, check.unasked) == (0, 1)


def test_what_cannot_be_asked_for_stays_as_broken_as_it_was(gated: Checking, gate: Gate) -> None:
    digest = gated.push.image("image", seed="one")
    gated.scan()
    config, _ = gated.parts(digest)
    gated.lose(config)
    assert gated.check().broken == 1

    gate.answer(f"/{config}", PLAIN)
    gated.check()

    assert gated.found() == {("image", "no-config", config), ("image", "unasked", config)}


@pytest.mark.parametrize("generation", generations_in_turn())
def test_what_a_cache_says_to_be_there_is_read(generation: str, tmp_path: Path, transactional_db: None) -> None:
    """After a sweep under a cache the registry says to a HEAD that a blob is there."""
    storage = {
        "cache": {"blobdescriptor": "inmemory"},
        "filesystem": {"rootdirectory": str(tmp_path / "storage")},
        "delete": {"enabled": True},
    }
    with RealRegistry(tmp_path, generation, settings={"storage": storage}) as real:
        checking = Checking(real)
        digest = checking.push.image("1.0", layers=[b"swept"])
        config, (layer,) = checking.parts(digest)
        checking.scan()
        for part in (config, layer):
            checking.lose(part)
        assert checking.head(layer) == 200

        for is_deep in (False, True):
            checking.check(is_deep=is_deep)
            assert checking.found() == {("1.0", "no-config", config), ("1.0", "no-layer", layer)}


def test_a_tag_that_is_deleted_meanwhile_is_not_broken(gated: Checking, gate: Gate) -> None:
    gone, _ = gated.push.image("gone", seed="gone"), gated.push.image("kept", seed="kept")
    gated.scan()
    gate.meanwhile("GET", lambda: gated.delete(gone), after=2)

    check = gated.check()

    assert (check.tags, check.broken, check.unasked) == (1, 0, 0)
    assert not CheckFinding.objects.exists()


@pytest.mark.sampled
def test_a_registry_that_takes_long_to_delete_an_image_has_none_that_is_broken(checking: Checking) -> None:
    """It takes the manifest first, and then looks for the tags that point to it."""
    gone, _ = checking.push.image("gone", seed="gone"), checking.push.image("kept", seed="kept")
    checking.scan()
    checking.stored.revision_link(REPOSITORY, gone).unlink()
    tag = checking.stored.tags(REPOSITORY) / "gone"
    untagging = threading.Timer(1, lambda: shutil.rmtree(tag))
    untagging.start()
    check = checking.check()
    untagging.join()

    assert (check.tags, check.broken, check.unasked) == (1, 0, 0)
    assert halted(checking.row) is None


def test_an_image_that_is_pushed_again_meanwhile_is_whole(gated: Checking, gate: Gate) -> None:
    digest = gated.push.image("1.0", seed="one")
    gated.scan()
    config, _ = gated.parts(digest)
    data = gated.stored.data(config)
    content = data.read_bytes()
    data.unlink()
    gate.answer(f"/{config}", Reply.errors(404, "BLOB_UNKNOWN"))

    def mend() -> None:
        data.write_bytes(content)
        gate.open()

    gate.meanwhile("GET", mend, after=4)

    assert gated.check().message == "All 1 tags that were looked at are whole."


def test_whoever_dies_is_followed_by_one_who_goes_on(checking: Checking) -> None:
    three_repositories(checking)
    checking.lose(checking.parts(Pusher(checking.real.url, "a").image("1", seed="a"), "a")[0])
    check, job, _ = services.begin(checking.row, Terms())

    def die(instance: Check, **_: Any) -> None:
        if instance.reached == "a":
            Job.objects.filter(pk=job.pk).update(fence=F("fence") + 1)

    with receiving(post_save, Check, die):
        running.run(job.pk)
    check.refresh_from_db()
    assert (check.state, check.reached, check.tags) == (State.UNDER_WAY, "a", 2)

    Job.objects.filter(pk=job.pk).update(state=Job.State.QUEUED)
    ended = checking.carry_out(check, job)

    assert (ended.state, ended.repositories, ended.tags, ended.broken) == (State.DONE, 3, 6, 2)
    assert Check.objects.count() == 1
    assert len(checking.found()) == 2
    assert Halt.objects.count() == 1


def test_one_that_is_stopped_says_so_and_can_be_run_again(gated: Checking) -> None:
    three_repositories(gated)
    check, job, _ = services.begin(gated.row, Terms(sample=1))

    with receiving(post_save, Check, lambda **_: jobs.stop(job)):
        stopped = gated.carry_out(check, job)
    assert (stopped.state, stopped.message) == (State.BROKEN_OFF, "Stopped after 0 tags, of which 0 are broken.")

    again, _ = jobs.again(Job.objects.get(pk=job.pk))
    running.run(again.pk)

    anew = Check.objects.get(job=again)
    assert (anew.state, anew.sample, anew.tags) == (State.DONE, 1, 3)


@pytest.mark.parametrize("checking", ["folder"], indirect=True)
def test_a_folder_that_is_taken_away_breaks_nothing(checking: Checking) -> None:
    three_repositories(checking)
    check, job, _ = services.begin(checking.row, Terms())
    there, away = checking.stored.base, checking.real.folder / "away"

    def take(instance: Check, **_: Any) -> None:
        if instance.reached == "a" and there.exists():
            there.rename(away)

    with receiving(post_save, Check, take):
        broken_off = checking.carry_out(check, job)

    assert (broken_off.state, broken_off.broken) == (State.BROKEN_OFF, 0)
    assert broken_off.message.startswith("test cannot be asked: The storage folder ")
    assert not CheckFinding.objects.exists()


def test_a_registry_that_retired_is_not_checked(gated: Checking) -> None:
    _, job, _ = services.begin(gated.row, Terms())
    type(gated.row).objects.filter(pk=gated.row.pk).update(role="source")
    running.run(job.pk)
    job.refresh_from_db()
    assert job.message == "The registry has retired or was removed: it is not checked any more."


def test_where_the_catalog_may_not_be_read_what_scans_know_is_looked_at(gated: Checking, gate: Gate) -> None:
    three_repositories(gated)
    gate.answer("/_catalog", Reply.errors(401, "UNAUTHORIZED"))

    assert gated.check().message == "All 6 tags that were looked at are whole."


@pytest.mark.parametrize("checking", ["folder"], indirect=True)
def test_what_does_not_tell_what_it_is_made_of_is_neither_whole_nor_broken(checking: Checking) -> None:
    stored = checking.stored
    checking.push.image("whole")
    stored.manifest(REPOSITORY, b"no JSON", "garbage")
    document = {"schemaVersion": 1, "mediaType": "application/vnd.docker.distribution.manifest.v1+json"}
    stored.manifest(REPOSITORY, document, "old")
    digest = checking.push.image(seed="deep")
    for _ in range(5):
        listed = {"mediaType": OCI_INDEX, "digest": digest, "size": stored.data(digest).stat().st_size}
        document = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [listed]}
        digest = stored.manifest(REPOSITORY, document)
    stored.tag(REPOSITORY, "deep", digest)

    check = checking.check()

    assert (check.tags, check.broken, check.unasked) == (4, 0, 3)
    assert {tag for tag, *_ in checking.found()} == {"garbage", "old", "deep"}
    assert halted(checking.row) is None


def test_a_delete_that_is_halfway_breaks_nothing(gated: Checking, gate: Gate) -> None:
    """A registry removes the manifest first, and then the tags that point to it."""
    digest = gated.push.image("gone", seed="gone")
    gated.push.image("kept", seed="kept")
    gated.stored.revision_link(REPOSITORY, digest).unlink()
    tag = gated.stored.tag_link(REPOSITORY, "gone").parent.parent
    gate.meanwhile("GET", lambda: shutil.rmtree(tag), after=5)  # the first look is over with the blobs of the other

    check = gated.check()

    assert not tag.exists()
    assert (check.tags, check.broken) == (1, 0)
    assert halted(gated.row) is None
