from __future__ import annotations

import json
import shutil
import subprocess
import urllib.request

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.models import Manifest, Presence, Repository, Tag, TagSpan
from jobs import running, services
from jobs.models import Job
from registries.models import Registry
from tests.catalog.picture import check_counters, picture
from tests.catalog.scanning import last_scan, scan
from tests.pushing import HELM_CONFIG, Pusher
from tests.real_registry import RealRegistry

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def push(own_registry: RealRegistry) -> Pusher:
    return Pusher(own_registry.url, "team/app")


def delete(push: Pusher, digest: str, what: str = "manifests") -> None:
    request = urllib.request.Request(f"{push.url}/v2/{push.repository}/{what}/{digest}", method="DELETE")
    urllib.request.urlopen(request).close()


def test_an_empty_registry_is_scanned_in_one_request(row: Registry) -> None:
    job = scan(row)

    assert job.state == Job.State.DONE
    assert (last_scan().complete, last_scan().requests, last_scan().repositories) == (True, 1, 0)


def test_a_platform_image_is_one_row_with_all_its_tags(row: Registry, push: Pusher) -> None:
    amd = push.image(layers=[b"base", b"amd"])
    arm = push.image(platform="linux/arm64/v8", layers=[b"base", b"arm"])
    attestation = push.attestation()
    digest = push.index("1.4.2", "1.4", "1", "latest", children=[amd, arm], attestations={attestation: amd})

    scan(row)

    presence = Presence.objects.tagged().get()
    assert (presence.manifest.digest, presence.lead_tag, presence.tag_count) == (digest, "1.4.2", 4)
    sizes = dict(Manifest.objects.values_list("digest", "size"))
    shared = Manifest.objects.get(digest=amd).manifest_blobs.get(position=1).blob.size
    assert presence.size == sizes[amd] + sizes[arm] + sizes[attestation] - shared
    entries = presence.manifest.entries.values_list("digest", "role", "os", "architecture", "variant", "attests")
    assert list(entries) == [
        (amd, "platform", "linux", "amd64", "", ""),
        (arm, "platform", "linux", "arm64", "v8", ""),
        (attestation, "attestation", "unknown", "unknown", "", amd),
    ]
    assert set(presence.manifest.entries.values_list("child__digest", flat=True)) == {amd, arm, attestation}
    assert Manifest.objects.get(digest=arm).platform == "linux/arm64/v8"
    assert presence.dated_by == Presence.DatedBy.CREATED
    assert presence.dated.isoformat() == "2024-05-06T07:08:09.123456+00:00"
    check_counters()


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="PostgreSQL looks by itself")
def test_after_a_scan_the_database_knows_its_sizes(row: Registry, push: Pusher) -> None:
    for number in range(12):
        push.image(f"1.{number}", layers=[b"base", str(number).encode()])

    scan(row)

    with connection.cursor() as cursor:
        cursor.execute("SELECT stat FROM sqlite_stat1 WHERE idx = 'tags_by_name'")
        assert cursor.fetchall() == [("12 12 1",)]
        cursor.execute("DELETE FROM sqlite_stat1")
    scan(row)
    with connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM sqlite_stat1")
        assert cursor.fetchone() == (0,)  # nothing had changed, so nothing was written


def test_every_kind_is_called_by_its_name(row: Registry, push: Pusher) -> None:
    image = push.image("docker", docker=True)
    push.index("list", children=[image], docker=True)
    push.chart("chart")
    push.artifact("thing", artifact_type="application/vnd.example.thing")
    push.artifact("sbom", artifact_type="application/spdx+json", subject=image)
    cosign = "application/vnd.dev.cosign.simplesigning.v1+json"
    push.artifact(f"{image.replace(':', '-')}.sig", artifact_type="", layer_type=cosign)

    scan(row)

    kinds = dict(Tag.objects.values_list("name", "presence__manifest__kind"))
    assert kinds == {
        "docker": "image",
        "list": "index",
        "chart": "chart",
        "thing": "artifact",
        "sbom": "sbom",
        f"{image.replace(':', '-')}.sig": "signature",
    }
    assert Manifest.objects.get(kind="sbom").subject == image
    assert Manifest.objects.get(kind="chart").artifact_type == HELM_CONFIG
    assert Repository.objects.get().newest.lead_tag in {"docker", "list"}  # type: ignore[union-attr]


def test_what_skopeo_copies_shows_after_the_next_scan(row: Registry, push: Pusher) -> None:
    digest = push.image("1.0")
    scan(row)
    host = push.url.removeprefix("http://")
    copy = ["skopeo", "copy", "--src-tls-verify=false", "--dest-tls-verify=false"]
    subprocess.run(
        [*copy, f"docker://{host}/team/app:1.0", f"docker://{host}/other:2"], check=True, capture_output=True
    )

    scan(row)

    tag = Tag.objects.get(repository__name="other")
    assert (tag.name, tag.presence.manifest.digest) == ("2", digest)  # type: ignore[union-attr]
    assert tag.presence.dated_by == Presence.DatedBy.SEEN  # type: ignore[union-attr]
    assert Repository.objects.get(name="other").last_change == tag.first_seen


def test_content_is_read_once_and_an_unchanged_registry_costs_one_request_a_list_and_tag(
    row: Registry, push: Pusher, own_registry: RealRegistry
) -> None:
    children = [push.image(), push.image(platform="linux/arm64")]
    push.index("1", "latest", children=children)
    other = Pusher(own_registry.url, "copy")
    other.image("1")
    scan(row)
    assert last_scan().requests == 1 + 2 + 3 + 2 + 2  # catalog, lists, tags, children, configs: each once

    before = picture()
    with CaptureQueriesContext(connection) as queries:
        scan(row)

    assert last_scan().requests == 1 + 2 + 3
    assert picture() == before
    written = {q["sql"].split('"')[1] for q in queries if q["sql"].startswith(("INSERT", "UPDATE", "DELETE"))}
    assert written <= {"jobs_job", "catalog_scan", "catalog_repository"}


def test_an_unchanged_registry_sees_no_pull(row: Registry, push: Pusher, own_registry: RealRegistry) -> None:
    push.image("1", "2")
    scan(row)
    already = own_registry.log.read_text().count("event")
    scan(row)

    assert own_registry.log.read_text().count("event") == already


def test_a_moved_tag_keeps_its_history(row: Registry, push: Pusher) -> None:
    old = push.image("latest", seed="old")
    scan(row)
    new = push.image("latest", seed="new")

    scan(row)

    tag = Tag.objects.get()
    assert tag.presence.manifest.digest == new  # type: ignore[union-attr]
    assert tag.moved_at > tag.first_seen
    first, second = TagSpan.objects.order_by("began").select_related("manifest")
    assert (first.manifest.digest, second.manifest.digest) == (old, new)
    assert first.ended == second.began == tag.moved_at
    assert second.ended is None
    assert Presence.objects.get(manifest__digest=old).gone_at is not None
    assert Presence.objects.get(manifest__digest=new).dated_by == Presence.DatedBy.SEEN
    assert (last_scan().new_tags, last_scan().moved_tags, last_scan().gone_tags) == (0, 1, 0)
    check_counters()


def test_a_deleted_image_takes_its_tags_and_leaves_their_history(row: Registry, push: Pusher) -> None:
    digest = push.image("1", "1.0")
    scan(row)
    delete(push, digest)

    scan(row)

    assert Tag.objects.live().count() == 0
    assert Tag.objects.count() == TagSpan.objects.filter(ended__isnull=False).count() == 2
    repository = Repository.objects.get()
    assert (repository.state, repository.tag_count, repository.size) == (Repository.State.EMPTY, 0, 0)
    assert (repository.gone_at, repository.newest) == (None, None)
    assert repository.changed_at is not None
    check_counters()


def test_a_tag_that_returns_is_the_same_tag(row: Registry, push: Pusher) -> None:
    digest = push.image("1")
    scan(row)
    delete(push, digest)
    scan(row)
    push.image("1")
    scan(row)

    tag = Tag.objects.get()
    assert tag.gone_at is None
    assert tag.presence.manifest.digest == digest  # type: ignore[union-attr]
    assert tag.presence.gone_at is None  # type: ignore[union-attr]
    assert TagSpan.objects.count() == 2
    check_counters()


def test_a_repository_goes_when_two_catalogs_in_a_row_lack_it(
    row: Registry, push: Pusher, own_registry: RealRegistry
) -> None:
    push.image("1")
    Pusher(own_registry.url, "stays").image("1", seed="stays")
    scan(row)
    folder = own_registry.storage / "docker/registry/v2/repositories/team"
    aside = own_registry.folder / "aside"
    shutil.move(folder, aside)

    scan(row)
    app = Repository.objects.get(name="team/app")
    assert (app.gone_at, app.missed, app.tag_count) == (None, 1, 1)

    scan(row)
    app.refresh_from_db()
    assert app.gone_at is not None
    assert app.tag_count == 0
    assert last_scan().gone_tags == 1
    check_counters()

    shutil.move(aside, folder)
    scan(row)
    app.refresh_from_db()
    assert Repository.objects.filter(name="team/app", gone_at=None, missed=0, tag_count=1).exists()
    check_counters()


def test_an_index_without_one_of_its_children_says_so_until_it_is_there(row: Registry, push: Pusher) -> None:
    amd, arm = push.image(), push.image(platform="linux/arm64")
    push.index("1", children=[amd, arm])
    delete(push, arm)
    scan(row)

    presence = Presence.objects.tagged().get()
    assert (presence.state, presence.size) == (Presence.State.INCOMPLETE, Manifest.objects.get(digest=amd).size)
    assert presence.problem == "linux/arm64 is not in this repository"
    assert Repository.objects.get().problem_count == 1

    push.image(platform="linux/arm64")
    scan(row)
    presence.refresh_from_db()
    assert (presence.state, presence.problem) == (Presence.State.WHOLE, "")
    assert presence.size > Manifest.objects.get(digest=amd).size
    check_counters()


def test_a_child_that_was_deleted_later_is_missed_by_a_thorough_scan(row: Registry, push: Pusher) -> None:
    amd, arm = push.image(), push.image(platform="linux/arm64")
    push.index("1", "2", children=[amd, arm])
    scan(row)
    delete(push, arm)

    scan(row)
    assert last_scan().requests == 1 + 1 + 2

    scan(row, thorough=True)
    presence = Presence.objects.tagged().get()
    assert (presence.state, presence.problem) == (Presence.State.INCOMPLETE, "linux/arm64 is not in this repository")
    assert Presence.objects.get(manifest__digest=arm).gone_at is not None
    check_counters()

    push.image(platform="linux/arm64")
    scan(row)
    presence.refresh_from_db()
    assert presence.state == Presence.State.WHOLE
    check_counters()


def test_a_missing_config_is_a_fact_of_now(row: Registry, push: Pusher) -> None:
    push.image("1")
    manifest = push.fetch("1")
    config = json.loads(manifest)["config"]["digest"]
    delete(push, config, "blobs")
    scan(row)
    assert Repository.objects.get().problem_count == 1

    presence = Presence.objects.get()
    assert presence.state == Presence.State.NO_CONFIG
    assert "404" in presence.problem
    assert last_scan().complete

    push.image("1")
    scan(row)
    presence.refresh_from_db()
    assert presence.state == Presence.State.WHOLE
    assert Manifest.objects.get().config_state == Manifest.ConfigState.READ
    assert Repository.objects.get().problem_count == 0


def test_a_config_that_stays_missing_is_written_once(row: Registry, push: Pusher) -> None:
    push.image("1")
    delete(push, json.loads(push.fetch("1"))["config"]["digest"], "blobs")
    scan(row)
    with CaptureQueriesContext(connection) as queries:
        scan(row)
    assert not [query["sql"] for query in queries if 'UPDATE "catalog_repository"' in query["sql"]]


def test_a_config_does_not_settle_what_another_scan_has_begun(
    row: Registry, push: Pusher, own_registry: RealRegistry
) -> None:
    push.image("1")
    Pusher(own_registry.url, "copy").image("1")
    scan(row)
    # A scan was killed in it, and it is in no catalog when the next one reads the config that it shares.
    Repository.objects.filter(name="team/app").update(is_settled=False)
    Manifest.objects.update(config_state=Manifest.ConfigState.UNREAD)
    shutil.move(own_registry.storage / "docker/registry/v2/repositories/team", own_registry.folder / "aside")
    scan(row)
    assert Manifest.objects.get().config_state == Manifest.ConfigState.READ
    assert dict(Repository.objects.values_list("name", "is_settled")) == {"copy": True, "team/app": False}


def test_a_broken_tag_is_shown_with_its_reason_and_ends_nothing(
    row: Registry, push: Pusher, own_registry: RealRegistry
) -> None:
    push.image("good", "halfway", "empty")
    tags = own_registry.storage / "docker/registry/v2/repositories/team/app/_manifests/tags"
    (tags / "halfway/current/link").unlink()
    (tags / "empty/current/link").write_text("")

    scan(row)

    problems = dict(Tag.objects.values_list("name", "problem"))
    assert problems["good"] == ""
    assert "404" in problems["halfway"]
    assert "500" in problems["empty"]
    assert Tag.objects.filter(presence=None).count() == 2
    assert Repository.objects.get().problem_count == 2
    assert last_scan().complete

    push.image("halfway", "empty")
    scan(row)
    assert set(Tag.objects.values_list("problem", flat=True)) == {""}
    assert last_scan().moved_tags == 0
    check_counters()


def test_an_emptied_registry_is_asked_about_and_nothing_is_lost(
    row: Registry, push: Pusher, own_registry: RealRegistry
) -> None:
    push.image(*[f"1.{number}" for number in range(25)])
    Pusher(own_registry.url, "stays").image("1", seed="stays")
    scan(row)
    before = picture()
    shutil.rmtree(own_registry.storage / "docker/registry/v2/repositories/team")

    job = scan(row)

    assert job.state == Job.State.ASKING
    assert "25 of 26 tags" in job.question["text"]
    assert picture() == before

    services.answer(job, yes=False)
    assert picture() == before

    again = scan(row)
    services.answer(again, yes=True)
    running.run(again.pk)
    again.refresh_from_db()
    assert again.state == Job.State.DONE
    assert Repository.objects.get(name="team/app").missed == 1
    scan(row)
    assert Repository.objects.get(name="team/app").gone_at is not None
    assert Tag.objects.live().count() == 1
    check_counters()


def test_two_registries_with_the_same_names_stay_apart(
    row: Registry, push: Pusher, real_registry: RealRegistry
) -> None:
    push.image("1", seed="here")
    other = Registry.objects.create(name="other", url=real_registry.url)
    Pusher(real_registry.url, "team/app").image("1", "2", seed="there")

    scan(row)
    scan(other)

    assert Tag.objects.filter(repository__registry=row).count() == 1
    assert Tag.objects.filter(repository__registry=other, repository__name="team/app").count() == 2


def test_a_stop_is_heard_and_keeps_what_was_read(row: Registry, push: Pusher) -> None:
    from catalog.services import request_scan

    push.image("1")
    job, _ = request_scan(row)
    Job.objects.update(stop_requested_at="2026-01-01T00:00:00Z")
    running.run(job.pk)

    job.refresh_from_db()
    assert job.state == Job.State.STOPPED
    scan(row)
    assert Tag.objects.count() == 1


def test_a_retired_registry_is_left_alone(row: Registry, push: Pusher) -> None:
    push.image("1")
    Registry.objects.update(retired_at="2026-01-01T00:00:00Z")

    job = scan(row)

    assert job.state == Job.State.DONE
    assert Tag.objects.count() == 0
