"""A sweep of a real registry that runs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from cleanup.models import Sweep, SweptBlob
from cleanup.sweeping.services import Times
from jobs.models import Job
from tests.cleanup.ground import SweptRegistry
from tests.real_registry import RealRegistry, generations

pytestmark = [pytest.mark.django_db(databases="__all__", transaction=True), pytest.mark.any_database]

CACHES = {"none": {}, "inmemory": {"cache": {"blobdescriptor": "inmemory"}}}


@pytest.fixture(params=[(generation, cache) for generation in generations() for cache in CACHES], ids="-".join)
def registry(request: pytest.FixtureRequest, tmp_path: Path, transactional_db: None) -> Iterator[SweptRegistry]:
    generation, cache = request.param
    with RealRegistry(tmp_path / "registry", generation, storage=CACHES[cache]) as real:
        yield SweptRegistry(real, cache)


def test_what_nothing_uses_goes_and_everything_else_stays(registry: SweptRegistry, tmp_path: Path) -> None:
    app, other = registry.push("team/app"), registry.push("other")
    children = [app.image(seed=p, platform=p, layers=[b"base", p.encode()]) for p in ("linux/amd64", "linux/arm64")]
    app.index("1.0", "latest", children=children)
    kept = other.image("kept", seed="kept", layers=[b"base", b"kept"])
    other.artifact(subject=kept, content=b"signed")
    doomed = app.image("old", seed="old", layers=[b"base", b"old"])
    other.image("old", seed="old", layers=[b"base", b"old"])
    config, base, layer = registry.blobs_of("team/app", doomed)
    before = registry.stored
    for repository in ("team/app", "other"):
        registry.delete(repository, doomed)
    registry.age()

    sweep, job = registry.sweep()

    assert job.state == Job.State.DONE, job.message
    assert sweep.state == Sweep.State.DONE
    assert {blob.digest for blob in sweep.blobs.all()} == {config, layer}
    assert registry.stored == before - sweep.found_bytes
    assert base in registry.blobs
    registry.pull_all(tmp_path / "pulled", ["team/app:1.0", "team/app:latest", "other:kept"])
    assert not registry.blob_is_whole("team/app", layer)
    # Pushed again, it is whole at once, without a restart, also where it was not before.
    for repository in ("team/app", "other", "third"):
        registry.push(repository).image("again", seed="old", layers=[b"base", b"old"])
    registry.pull_all(tmp_path / "again", ["team/app:again", "other:again", "third:again"])


def test_what_lies_aside_is_deleted_when_its_time_is_over(registry: SweptRegistry) -> None:
    app = registry.push()
    app.image("kept", seed="kept")
    doomed = app.image(seed="old", layers=[b"old"])
    blobs = registry.blobs_of("team/app", doomed)
    registry.delete("team/app", doomed)
    registry.age()
    sweep, _ = registry.sweep(Times(3600, 0, 3600))
    assert sweep.state == Sweep.State.HOLDING
    assert not registry.blobs & set(blobs)
    assert {blob.state for blob in sweep.blobs.all()} == {SweptBlob.State.ASIDE}
    registry.make_due(sweep)
    sweep.refresh_from_db()
    assert sweep.state == Sweep.State.DONE
    assert {blob.state for blob in sweep.blobs.all()} == {SweptBlob.State.DELETED}
    assert registry.aside == set()


def test_what_is_pushed_again_meanwhile_is_whole_and_stays(registry: SweptRegistry, tmp_path: Path) -> None:
    app = registry.push()
    app.image("kept", seed="kept")
    doomed = app.image(seed="old", layers=[b"old"])
    registry.delete("team/app", doomed)
    registry.age()
    sweep, _ = registry.sweep(Times(3600, 0, 3600))
    app.image("again", seed="old", layers=[b"old"])
    registry.pull_all(tmp_path / "held", ["team/app:again"])
    registry.make_due(sweep)
    registry.pull_all(tmp_path / "over", ["team/app:again"])
    assert {blob.state for blob in sweep.blobs.all()} == {SweptBlob.State.KEPT}
    assert registry.aside == set()


def test_a_plan_changes_nothing_and_is_carried_out_later(registry: SweptRegistry) -> None:
    app = registry.push()
    app.image("kept", seed="kept")
    doomed = app.image(seed="old", layers=[b"old"])
    registry.delete("team/app", doomed)
    registry.age()
    before = registry.blobs
    sweep, _ = registry.sweep(only_plan=True)
    assert sweep.state == Sweep.State.PLANNED
    assert sweep.found == 2
    assert registry.blobs == before
    sweep, _ = registry.carry_on(sweep)
    assert sweep.state == Sweep.State.DONE
    assert len(before) - len(registry.blobs) == 2


def test_what_was_pushed_and_is_named_by_its_sha512_stays(registry: SweptRegistry) -> None:
    app, content = registry.push(), b"named by another digest"
    app.image("kept", seed="kept")
    document = json.loads(app.fetch("kept"))
    named = f"sha512:{hashlib.sha512(content).hexdigest()}"
    location = app._send("POST", "/v2/team/app/blobs/uploads/")["Location"]
    app._send("PUT", f"{location}{'&' if '?' in location else '?'}digest={named}", content)
    layer = {"mediaType": "application/octet-stream", "digest": named, "size": len(content)}
    manifest = json.dumps(document | {"layers": [layer]}).encode()
    app.manifest(manifest, "512")
    registry.age()
    _, job = registry.sweep()
    assert job.state == Job.State.DONE, job.message
    assert registry.blob_is_whole("team/app", named)


def test_a_manifest_whose_fields_are_in_capitals_can_be_pushed_again(registry: SweptRegistry, tmp_path: Path) -> None:
    app = registry.push()
    app.image("kept", seed="kept")
    odd = app.fetch("kept").replace(b"schemaVersion", b"SCHEMAVERSION")
    registry.delete("team/app", app.manifest(odd))
    registry.age()
    _, job = registry.sweep()
    assert job.state == Job.State.DONE, job.message
    app.manifest(odd, "odd")
    assert app.fetch("odd") == odd
