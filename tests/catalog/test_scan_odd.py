"""Faults that hide in the order of things: batches, nesting, retries, and sizes that somebody chose."""

from __future__ import annotations

import json
import shutil
import urllib.request
from typing import Any

import pytest

from catalog.models import IndexEntry, Manifest, Presence, Repository, RepositoryBlob, Tag
from catalog.recording import repositories
from catalog.recording.tags import Changes
from jobs import running
from jobs.models import Job
from registries.models import Registry
from tests.catalog.picture import check_counters
from tests.catalog.scanning import last_scan, scan
from tests.hostile import Hostile, Reply
from tests.pushing import OCI_CONFIG, OCI_MANIFEST, Pusher
from tests.real_registry import RealRegistry

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def push(own_registry: RealRegistry) -> Pusher:
    return Pusher(own_registry.url, "team/app")


def delete(push: Pusher, digest: str) -> None:
    request = urllib.request.Request(f"{push.url}/v2/{push.repository}/manifests/{digest}", method="DELETE")
    urllib.request.urlopen(request).close()


def test_a_new_repository_of_a_known_registry_was_seen_to_arrive(
    row: Registry, push: Pusher, own_registry: RealRegistry
) -> None:
    push.image("1")
    scan(row)
    Pusher(own_registry.url, "later").image("1.9", seed="9", config={"created": None})
    Pusher(own_registry.url, "later").image("1.10", seed="10", config={"created": None})

    scan(row)

    later = Repository.objects.get(name="later")
    assert set(later.presences.values_list("dated_by", flat=True)) == {Presence.DatedBy.SEEN}
    assert later.newest is not None
    assert later.newest.lead_tag == "1.10"


def test_a_digest_whose_tag_moves_while_another_tag_takes_it_has_not_arrived_anew(
    row: Registry, push: Pusher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("catalog.scanning.work.BATCH", 1)
    old = push.image("1", seed="old")
    scan(row)
    before = Presence.objects.get(manifest__digest=old).dated
    push.image("1", seed="new")
    push.image("2", seed="old")

    scan(row)

    presence = Presence.objects.get(manifest__digest=old)
    assert (presence.dated, presence.dated_by, presence.gone_at) == (before, Presence.DatedBy.CREATED, None)
    check_counters()


def test_what_is_missing_deep_below_an_index_is_missing_in_it(row: Registry, push: Pusher) -> None:
    amd, arm = push.image(), push.image(platform="linux/arm64")
    inner = push.index(children=[amd, arm])
    push.index("1", children=[inner])
    delete(push, arm)

    scan(row)

    outer = Presence.objects.tagged().get()
    assert (outer.state, outer.problem) == (Presence.State.INCOMPLETE, "linux/arm64 is not in this repository")
    assert Presence.objects.get(manifest__digest=inner).state == Presence.State.INCOMPLETE
    assert outer.date is not None

    push.image(platform="linux/arm64")
    scan(row)
    assert set(Presence.objects.values_list("state", flat=True)) == {Presence.State.WHOLE}
    check_counters()


def test_an_entry_finds_its_child_that_another_scan_wrote_at_the_same_time(row: Registry, push: Pusher) -> None:
    amd, arm = push.image(), push.image(platform="linux/arm64")
    push.index("1", children=[amd, arm])
    scan(row)
    # As two registries leave it whose scans write index and child, and neither sees yet what the other writes.
    IndexEntry.objects.filter(digest=arm).update(child=None)
    Presence.objects.tagged().update(state=Presence.State.INCOMPLETE, problem="linux/arm64 is missing")

    scan(row)

    presence = Presence.objects.tagged().get()
    assert (presence.state, presence.problem) == (Presence.State.WHOLE, "")
    assert IndexEntry.objects.get(digest=arm).child == Manifest.objects.get(digest=arm)


def test_children_have_their_own_size_and_state(row: Registry, push: Pusher) -> None:
    amd = push.image()
    odd = push.manifest({"schemaVersion": 2, "mediaType": OCI_MANIFEST, **_parts(push, size=2**60)})
    push.index("1", children=[amd, odd])

    scan(row)

    assert Presence.objects.get(manifest__digest=amd).size == Manifest.objects.get(digest=amd).size > 0
    assert Presence.objects.get(manifest__digest=odd).state == Presence.State.UNREADABLE


def _parts(push: Pusher, size: int) -> dict[str, object]:
    return {
        "config": {"mediaType": OCI_CONFIG, "digest": push.blob(b"{}"), "size": 2},
        "layers": [{"mediaType": "application/octet-stream", "digest": push.blob(b"layer"), "size": size}],
    }


def test_sizes_that_add_up_to_more_than_a_number_holds_end_nothing(row: Registry, push: Pusher) -> None:
    layers = [
        {"mediaType": "application/octet-stream", "digest": push.blob(str(n).encode()), "size": 2**44}
        for n in range(600)
    ]
    for tag in range(3):
        parts = _parts(push, size=5) | {"layers": layers, "annotations": {"n": str(tag)}}
        push.manifest({"schemaVersion": 2, "mediaType": OCI_MANIFEST, **parts}, f"big-{tag}")
    push.manifest({"schemaVersion": 2, "mediaType": OCI_MANIFEST, **_parts(push, size=2**62)}, "absurd")

    assert scan(row).state == Job.State.DONE

    assert Presence.objects.get(lead_tag="absurd").state == Presence.State.UNREADABLE
    assert Presence.objects.get(lead_tag="big-0").size == 600 * 2**44 + 2
    assert last_scan().stored == 600 * 2**44 + 2
    assert last_scan().pushed == 3 * (600 * 2**44 + 2)


def test_a_layer_listed_ten_thousand_times_is_one_layer(row: Registry, push: Pusher) -> None:
    layer = {"mediaType": "application/octet-stream", "digest": push.blob(b"layer"), "size": 5}
    push.manifest({"schemaVersion": 2, "mediaType": OCI_MANIFEST, **_parts(push, 5), "layers": [layer] * 10_000}, "1")

    scan(row)

    assert Manifest.objects.get().manifest_blobs.count() == 10_001
    assert RepositoryBlob.objects.count() == 2
    check_counters()


def test_a_strange_content_type_is_cleaned(hostile_row: Registry, hostile: Hostile) -> None:
    hostile.on("GET", "/v2/_catalog", Reply.json({"repositories": ["app"]}))
    hostile.on("GET", "/v2/app/tags/list", Reply.json({"tags": ["1"]}))
    hostile.on("GET", "/v2/app/manifests/1", Reply(200, b"{}", {"Content-Type": "application/x\x01y\x7f"}))

    assert scan(hostile_row).state == Job.State.DONE

    assert Manifest.objects.get().media_type == "application/xy"


def test_two_catalogs_that_lack_a_repository_must_come_one_after_the_other(
    row: Registry, push: Pusher, own_registry: RealRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    push.image("1")
    Pusher(own_registry.url, "stays").image("1", seed="stays")
    scan(row)
    folder, aside = own_registry.storage / "docker/registry/v2/repositories/team", own_registry.folder / "aside"
    shutil.move(folder, aside)
    scan(row)
    shutil.move(aside, folder)
    with monkeypatch.context() as patch:
        patch.setattr("catalog.scanning.configs.read_all", _stop)
        assert scan(row).state == Job.State.STOPPED
    shutil.move(folder, aside)

    scan(row)

    app = Repository.objects.get(name="team/app")
    assert (app.gone_at, app.missed) == (None, 1)


def _stop(*_: object) -> None:
    raise running.Stopped


def test_a_child_below_an_index_that_is_not_here_is_not_here_either(
    row: Registry, push: Pusher, own_registry: RealRegistry
) -> None:
    elsewhere = Pusher(own_registry.url, "elsewhere")
    for place in (elsewhere, push):
        inner = place.index(children=[place.image()])
        place.index("1", children=[inner])
    delete(push, inner)

    scan(row)
    delete(push, Manifest.objects.get(presences__tags__repository__name="team/app").digest)
    scan(row)

    assert not Presence.objects.present().filter(repository__name="team/app").exists()
    check_counters()


def test_a_registry_that_comes_back_without_its_tags_is_asked_about(
    row: Registry, push: Pusher, own_registry: RealRegistry
) -> None:
    push.image(*[f"1.{number}" for number in range(25)])
    Pusher(own_registry.url, "stays").image("1", seed="stays")
    scan(row)
    Repository.objects.filter(name="team/app").update(missed=1)
    shutil.rmtree(own_registry.storage / "docker/registry/v2/repositories/team/app/_manifests/tags")

    job = scan(row)

    assert job.state == Job.State.ASKING
    assert Tag.objects.live().count() == 26


def test_a_catalog_without_end_can_be_stopped(hostile_row: Registry, hostile: Hostile) -> None:
    for page in range(50):
        names = json.dumps({"repositories": [f"r{page}"]}).encode()
        following = {"Link": f'</v2/_catalog?n=1000&last=r{page}>; rel="next"'}
        target = f"/v2/_catalog?n=1000&last=r{page - 1}" if page else "/v2/_catalog?n=1000"
        hostile.on("GET", target, Reply(200, names, following | {"Content-Type": "application/json"}, delay=0.1))
    job, _ = scanning_job(hostile_row)
    Job.objects.update(stop_requested_at="2026-01-01T00:00:00Z")

    running.run(job.pk)

    job.refresh_from_db()
    assert job.state == Job.State.STOPPED
    assert len(hostile.requests) < 50


def scanning_job(registry: Registry) -> tuple[Job, bool]:
    from catalog.services import request_scan

    return request_scan(registry)


def test_a_repository_of_which_a_part_cannot_be_written_is_not_whole(
    row: Registry, push: Pusher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when a later batch of its tags can be: what was left out would else be missed by nobody."""
    push.image("1", seed="one")
    push.image("2", seed="two")
    monkeypatch.setattr("catalog.scanning.work.BATCH", 1)
    record, calls = repositories.record, []

    def fail_first(*arguments: Any) -> Changes:
        calls.append(arguments)
        if len(calls) == 1:
            raise OverflowError
        return record(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(repositories, "record", fail_first)
        scan(row)

    repository = Repository.objects.get()
    assert (repository.state, repository.tag_count) == (Repository.State.FAILED, 0)
    assert "OverflowError" in repository.problem

    scan(row)

    repository.refresh_from_db()
    assert (repository.state, repository.tag_count) == (Repository.State.WHOLE, 2)
    check_counters()
