"""Where a sweep would not be safe, or cannot know what is in use, it deletes nothing and says why."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import timezone

from catalog.models import Repository
from cleanup.halting import halt
from cleanup.models import SweepTerms
from jobs.models import Job
from jobs.running import JobFailed
from tagging import planning, planning_restores, services
from tagging.models import TrashEntry
from tagging.planning import Asked
from tests.catalog.scanning import scan
from tests.cleanup.ground import SweptRegistry
from tests.cleanup.shared_cache import Redis
from tests.cleanup.taking_turns import TakingTurns
from tests.hostile import Hostile
from tests.real_registry import V2, RealRegistry, generations
from tests.tagging.gate import Gate
from tests.web import furniture as make

pytestmark = [pytest.mark.django_db(databases="__all__", transaction=True), pytest.mark.any_database]


@pytest.fixture
def registry(tmp_path: Path, transactional_db: None) -> Iterator[SweptRegistry]:
    with RealRegistry(tmp_path / "registry") as real:
        yield littered(SweptRegistry(real))


def littered(registry: SweptRegistry) -> SweptRegistry:
    """With something that a sweep would delete."""
    app = registry.push()
    app.image("kept", seed="kept")
    registry.delete("team/app", app.image(seed="old", layers=[b"old"]))
    registry.age()
    return registry


def refused(registry: SweptRegistry) -> str:
    """Why; and nothing has changed."""
    before = registry.blobs
    sweep, job = registry.sweep()
    assert job.state == Job.State.FAILED, job.message
    assert sweep.message == job.message
    assert registry.blobs == before
    assert registry.aside == set()
    return job.message


def test_how_many_processes_there_are_has_to_be_said(registry: SweptRegistry) -> None:
    SweepTerms.objects.all().delete()
    assert "how many processes" in refused(registry)


def test_several_processes_with_memories_of_their_own_are_not_swept(registry: SweptRegistry) -> None:
    SweepTerms.objects.update(processes="several", cache="inmemory")
    assert "Several processes" in refused(registry)


@pytest.mark.parametrize("generation", generations())
def test_several_processes_that_nobody_told_of_are_found_out(
    tmp_path: Path, transactional_db: None, generation: str
) -> None:
    memory = {"cache": {"blobdescriptor": "inmemory"}}
    second = RealRegistry(tmp_path / "second", generation, storage=memory)
    second.storage = tmp_path / "first/storage"
    with (
        RealRegistry(tmp_path / "first", generation, storage=memory) as first,
        second,
        TakingTurns(first.port, second.port) as front,
    ):
        registry = littered(SweptRegistry(first, "inmemory"))
        registry.row.url = front.url
        registry.row.save()
        assert "several processes" in refused(registry)


def test_a_folder_of_another_registry_is_not_swept(registry: SweptRegistry, tmp_path: Path) -> None:
    shutil.copytree(registry.real.storage, tmp_path / "copy")
    registry.row.storage = str(tmp_path / "copy")
    registry.row.save()
    assert "that is of another registry" in refused(registry)


def test_without_a_folder_nothing_is_swept(registry: SweptRegistry) -> None:
    registry.row.storage = ""
    registry.row.save()
    assert "No storage folder" in refused(registry)


def test_a_registry_that_is_away_is_not_swept(registry: SweptRegistry) -> None:
    registry.real.__exit__()
    assert "cannot be asked" in refused(registry)


def test_where_sweeps_are_stopped_none_begins(registry: SweptRegistry) -> None:
    halt(registry.row, "A check found broken images.")
    with pytest.raises(JobFailed, match=r"A check found broken images\. Nothing was deleted"):
        registry.sweep()


def test_a_sweep_that_was_stopped_while_it_waited_does_not_begin(registry: SweptRegistry) -> None:
    sweep, job = registry.begin()
    halt(registry.row, "A check found broken images.")
    _, job = registry.carry(sweep, job)
    assert "A check found broken images" in job.message


def test_a_garbage_collection_under_way_is_waited_for(registry: SweptRegistry) -> None:
    subject = registry.row.job_subject
    Job.objects.create(kind="garbage-collect", subject=subject, title="Collecting garbage", state="running")
    with pytest.raises(JobFailed, match="Collecting garbage"):
        registry.sweep()


@pytest.mark.parametrize("known", [False, True])
def test_what_a_lost_manifest_names_has_to_be_known(registry: SweptRegistry, known: bool) -> None:
    app = registry.push()
    digest = app.image("lost", seed="lost", layers=[b"of the lost one"])
    blobs = set(registry.blobs_of("team/app", "lost"))
    if known:
        scan(registry.row)
    registry.layout.data(digest).unlink()
    registry.age()
    if not known:
        assert f"The data of the manifest {digest} are gone" in refused(registry)
        return
    _, job = registry.sweep()
    assert job.state == Job.State.DONE, job.message
    assert blobs <= registry.blobs


@pytest.mark.parametrize("spoil", ["a manifest", "a listing", "the place aside"])
def test_what_cannot_be_read_or_written_ends_it(registry: SweptRegistry, spoil: str) -> None:
    if spoil == "a manifest":
        data = next(registry.layout.blobs.glob(f"sha256/*/{_hex(registry)}/data"))
        data.unlink()
        data.mkdir()
    elif spoil == "a listing":
        (registry.layout.repositories / "team/Odd/_manifests").mkdir(parents=True)
    else:
        (registry.real.storage / "berth-aside/clock/full").mkdir(parents=True)
    assert refused(registry)


def _hex(registry: SweptRegistry) -> str:
    link = registry.layout.tag_link("team/app", "kept").read_text()
    return link.removeprefix("sha256:")


def test_what_is_young_stays(registry: SweptRegistry) -> None:
    registry.age(0.5)
    sweep, job = registry.sweep()
    assert job.state == Job.State.DONE
    assert sweep.found == 0
    assert "nothing to sweep" in job.message


def test_files_from_the_future_are_young(registry: SweptRegistry) -> None:
    registry.age(-48)
    assert registry.sweep()[0].found == 0


def test_a_repository_that_is_being_pushed_to_keeps_what_it_links(registry: SweptRegistry) -> None:
    registry.layout.upload("team/app", "01234567-89ab-cdef-0123-456789abcdef", b"on its way")
    assert registry.sweep()[0].found == 0


def test_the_trash_keeps_what_it_can_bring_back(registry: SweptRegistry, tmp_path: Path) -> None:
    app = registry.push()
    app.image("thrown", "away", seed="thrown", layers=[b"thrown"])
    blobs = set(registry.blobs_of("team/app", "thrown"))
    scan(registry.row)
    mara = make.person("mara", staff=True)
    repository = Repository.objects.select_related("registry").get(name="team/app")
    manifest = registry.layout.tag_link("team/app", "thrown").read_text()
    services.carry_out(planning.plan_images(repository, [manifest], Asked(mara)), mara)
    registry.age()

    _, job = registry.sweep()
    assert job.state == Job.State.DONE, job.message
    assert blobs <= registry.blobs

    entries = TrashEntry.objects.listed()
    services.carry_out(planning_restores.plan_restore(registry.row, list(entries), Asked(mara)), mara)
    registry.pull_all(tmp_path / "pulled", ["team/app:thrown", "team/app:away"])

    services.carry_out(planning.plan_images(repository, [manifest], Asked(mara)), mara)
    TrashEntry.objects.update(until=timezone.now())
    registry.age()
    registry.sweep()
    assert not blobs & registry.blobs


@pytest.fixture(params=generations())
def shared(request: pytest.FixtureRequest, tmp_path: Path, transactional_db: None) -> Iterator[SweptRegistry]:
    """A registry with a cache in Redis, of which Berth was told."""
    with (
        Redis() as cache,
        RealRegistry(
            tmp_path / "registry",
            request.param,
            settings=cache.settings(request.param),
            storage={"cache": {"blobdescriptor": "redis"}},
        ) as real,
    ):
        yield littered(SweptRegistry(real, "redis", cache.url))


def test_a_cache_in_redis_that_nobody_told_of_is_found_out(shared: SweptRegistry) -> None:
    SweepTerms.objects.update(cache="inmemory")
    if shared.real.generation == V2:
        assert "a cache like Redis" in refused(shared)
    else:  # it clears all of an entry itself
        assert shared.sweep()[1].state == Job.State.DONE
    assert not list(shared.layout.repositories.glob("berth*/*"))


def test_a_cache_in_redis_that_cannot_be_reached_stops_it(shared: SweptRegistry) -> None:
    for url in ("", "redis://127.0.0.1:1/0", "nonsense"):
        terms = SweepTerms.objects.get()
        terms.redis_url = url
        terms.save()
        message = refused(shared)
        assert "Redis" in message or "cache" in message


def test_a_cache_in_redis_forgets_what_is_swept(shared: SweptRegistry, tmp_path: Path) -> None:
    other = shared.push("other")
    other.image("again", seed="old", layers=[b"old"])
    config, layer = shared.blobs_of("other", "again")
    shared.delete("other", shared.layout.tag_link("other", "again").read_text())
    shared.age()
    sweep, job = shared.sweep()
    assert job.state == Job.State.DONE, job.message
    assert {blob.digest for blob in sweep.blobs.all()} >= {config, layer}
    shared.push("third").image("again", seed="old", layers=[b"old"])
    assert not shared.blob_is_whole("other", layer)
    shared.push("team/app").image("again", seed="old", layers=[b"old"])
    shared.pull_all(tmp_path / "pulled", ["third:again", "team/app:again", "team/app:kept"])


def test_a_cache_in_redis_that_dies_in_the_middle_loses_nothing(tmp_path: Path, transactional_db: None) -> None:
    with (
        Redis() as cache,
        RealRegistry(
            tmp_path / "registry", settings=cache.settings(V2), storage={"cache": {"blobdescriptor": "redis"}}
        ) as real,
        Hostile() as front,
    ):
        gate = Gate(front, real)
        registry = littered(SweptRegistry(real, "redis", cache.url, url=gate.url))
        sweep, _ = registry.sweep(only_plan=True)
        blobs = [blob.digest for blob in sweep.blobs.in_order()]
        gate.meanwhile("DELETE", cache._process.kill, path=blobs[0])
        sweep, job = registry.carry_on(sweep)
        assert job.state == Job.State.FAILED
        registry.pull_all(tmp_path / "pulled", ["team/app:kept"])
        _, job = registry.undo(sweep)
        assert job.state == Job.State.DONE, job.message
        assert all(registry.blob_is_whole("team/app", digest) for digest in blobs)
