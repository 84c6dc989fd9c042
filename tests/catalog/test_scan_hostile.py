"""What a scan makes of a registry that errs or lies: a fact with a reason, and nothing lost."""

from __future__ import annotations

import json
from typing import Any

import pytest

from catalog.models import Manifest, Presence, Repository, Tag
from jobs.models import Job
from registries.models import Registry
from tests.catalog.picture import check_counters, picture
from tests.catalog.scanning import last_scan, scan
from tests.catalog.serving import digest_of, image, serve, serve_manifest
from tests.hostile import Hostile, Raw, Reply
from tests.pushing import EMPTY, OCI_INDEX, OCI_MANIFEST

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def row(hostile_row: Registry) -> Registry:
    return hostile_row


def test_a_catalog_that_breaks_off_ends_the_scan_and_changes_nothing(row: Registry, hostile: Hostile) -> None:
    serve(hostile, one=["1"], two=["1"])
    scan(row)
    before = picture()
    first = Reply.json({"repositories": ["one"]}, Link='</v2/_catalog?last=one&n=1>; rel="next"')
    hostile.on("GET", "/v2/_catalog?n=1000", first)
    hostile.on("GET", "/v2/_catalog?last=one&n=1", Reply(500, b"oh no"))

    job = scan(row)

    assert job.state == Job.State.FAILED
    assert "500" in job.message
    assert picture() == before


@pytest.mark.parametrize(
    "answer",
    [
        Reply(404, b"404 page not found\n", {"Content-Type": "text/plain"}),
        Reply(200, b"<html>sign in</html>", {"Content-Type": "text/html"}),
        Reply(401, b"{}"),
        Reply.json({"tags": 7}),
        Reply.json(["1"]),
    ],
)
def test_a_failed_listing_says_nothing_of_what_is_there(row: Registry, hostile: Hostile, answer: Reply) -> None:
    serve(hostile, good=["1", "2"], bad=["1", "2"])
    scan(row)
    hostile.on("GET", "/v2/bad/tags/list", answer)

    assert scan(row).state == Job.State.DONE

    bad = Repository.objects.get(name="bad")
    assert (bad.state, bad.tag_count, bad.gone_at) == (Repository.State.FAILED, 2, None)
    assert bad.problem
    assert last_scan().failed_repositories == 1
    assert Repository.objects.get(name="good").state == Repository.State.WHOLE
    assert Tag.objects.live().count() == 4

    serve(hostile, good=["1", "2"], bad=["1", "2"])
    scan(row)
    bad.refresh_from_db()
    assert (bad.state, bad.problem) == (Repository.State.WHOLE, "")


def test_an_unknown_name_that_the_catalog_lists_is_empty(row: Registry, hostile: Hostile) -> None:
    serve(hostile, pushed=["1"])
    hostile.on("GET", "/v2/_catalog", Reply.json({"repositories": ["pushed", "begun"]}))
    hostile.on("GET", "/v2/begun/tags/list", Reply.errors(404, "NAME_UNKNOWN"))

    scan(row)

    assert Repository.objects.get(name="begun").state == Repository.State.EMPTY


def test_names_against_the_grammar_are_counted_and_kept_out(row: Registry, hostile: Hostile) -> None:
    serve(hostile, good=["1"])
    bad: list[Any] = ["../x", "a b", "UPPER", "<script>", "a\n", "x" * 300, 7, None, "a//b", "{{7*7}}"] * 20
    hostile.on("GET", "/v2/_catalog", Reply.json({"repositories": ["good", *bad]}))
    hostile.on("GET", "/v2/good/tags/list", Reply.json({"tags": ["1", "-x", "<b>", "t" * 129]}))

    job = scan(row)

    assert list(Repository.objects.values_list("name", flat=True)) == ["good"]
    assert list(Tag.objects.values_list("name", flat=True)) == ["1"]
    assert last_scan().rejected_names == 203
    assert "203 names" in job.message
    assert "<" not in job.message


def test_a_manifest_that_makes_no_sense_is_kept_with_the_reason(row: Registry, hostile: Hostile) -> None:
    serve(hostile, app=["good", "bad"])
    digest = serve_manifest(hostile, "app", {"schemaVersion": 2, "config": 7}, "bad")

    scan(row)

    presence = Presence.objects.get(lead_tag="bad")
    assert (presence.state, presence.manifest.digest) == (Presence.State.UNREADABLE, digest)
    assert presence.manifest.kind == Manifest.Kind.MALFORMED
    assert "config" in presence.problem
    assert presence.manifest.document is not None
    assert last_scan().complete


def test_bytes_that_are_not_what_was_asked_for_are_not_taken(row: Registry, hostile: Hostile) -> None:
    serve(hostile, app=["1"])
    child = digest_of(b"what it should be")
    index = {
        "schemaVersion": 2,
        "mediaType": OCI_INDEX,
        "manifests": [{"mediaType": OCI_MANIFEST, "digest": child, "size": 17}],
    }
    serve_manifest(hostile, "app", index, "1", media_type=OCI_INDEX)
    other = Reply(200, json.dumps(image()).encode(), {"Content-Type": OCI_MANIFEST, "Docker-Content-Digest": child})
    hostile.on("GET", f"/v2/app/manifests/{child}", other)

    scan(row)

    assert not Manifest.objects.filter(digest=child).exists()
    presence = Presence.objects.tagged().get()
    assert presence.state == Presence.State.INCOMPLETE
    assert "came back as" in presence.problem


def test_a_config_that_lies_or_is_no_json_is_a_fact_of_its_image(row: Registry, hostile: Hostile) -> None:
    serve(hostile, app=["no-json", "lie", "huge", "good"])
    config = b"certainly not json"
    serve_manifest(hostile, "app", image(config), "no-json")
    hostile.on("GET", f"/v2/app/blobs/{digest_of(config)}", Reply(200, config))
    serve_manifest(hostile, "app", image(b"honest"), "lie")
    hostile.on("GET", f"/v2/app/blobs/{digest_of(b'honest')}", Reply(200, b"{}"))
    huge = image(b"huge")
    huge["config"]["size"] = 50_000_000
    serve_manifest(hostile, "app", huge, "huge")

    scan(row)

    states = dict(Presence.objects.values_list("lead_tag", "manifest__config_state"))
    assert states == {"no-json": "malformed", "lie": "unread", "huge": "malformed", "good": "read"}
    assert Presence.objects.get(lead_tag="lie").state == Presence.State.NO_CONFIG
    assert "50,000,000" in Manifest.objects.get(presences__lead_tag="huge").config_problem
    assert not hostile.asked(f"/v2/app/blobs/{digest_of(b'huge')}")
    assert last_scan().complete


def test_an_index_without_end_is_read_to_a_bound(row: Registry, hostile: Hostile) -> None:
    serve(hostile, app=["deep"])
    digest, media_type = serve_manifest(hostile, "app", image()), OCI_MANIFEST
    for _ in range(12):
        index = {
            "schemaVersion": 2,
            "mediaType": OCI_INDEX,
            "manifests": [{"mediaType": media_type, "digest": digest, "size": 400}],
        }
        digest, media_type = serve_manifest(hostile, "app", index, "deep", media_type=OCI_INDEX), OCI_INDEX

    scan(row)

    assert len(hostile.requests) <= 2 + 1 + 4 + 1
    assert last_scan().complete
    check_counters()


def test_a_thousand_missing_children_are_one_incomplete_image(row: Registry, hostile: Hostile) -> None:
    serve(hostile, app=["1"])
    index = {
        "schemaVersion": 2,
        "mediaType": OCI_INDEX,
        "manifests": [
            {"mediaType": OCI_MANIFEST, "digest": digest_of(str(number).encode()), "size": 2} for number in range(1000)
        ],
    }
    serve_manifest(hostile, "app", index, "1", media_type=OCI_INDEX)

    scan(row)

    presence = Presence.objects.tagged().get()
    assert presence.state == Presence.State.INCOMPLETE
    assert "and 997 more" in presence.problem


def test_a_registry_that_stops_answering_ends_the_scan_and_loses_nothing(row: Registry, hostile: Hostile) -> None:
    names = {f"r{number}": ["1"] for number in range(40)}
    serve(hostile, **names)
    scan(row)
    before = picture()
    for name in names:
        hostile.on("GET", f"/v2/{name}/tags/list", Raw(b""))

    job = scan(row)

    assert job.state == Job.State.FAILED
    assert "25 requests in a row" in job.message
    assert picture() == before


def test_a_registry_that_is_busy_for_a_moment_is_asked_again(row: Registry, hostile: Hostile) -> None:
    serve(hostile, app=["1"])
    busy = Reply.errors(429, "TOOMANYREQUESTS", Retry_After="0")
    hostile.on("GET", "/v2/app/tags/list", busy, Reply.json({"tags": ["1"]}))

    scan(row)

    assert Repository.objects.get().state == Repository.State.WHOLE


def test_nothing_listens_at_the_address(row: Registry) -> None:
    Registry.objects.update(url="http://127.0.0.1:1")
    row.refresh_from_db()

    job = scan(row)

    assert job.state == Job.State.FAILED
    assert job.message


def test_an_artifact_is_no_image_without_a_config(row: Registry, hostile: Hostile) -> None:
    serve(hostile, app=["1"])
    artifact = image() | {"artifactType": "application/vnd.example"}
    artifact["config"] = {"mediaType": EMPTY, "digest": digest_of(b"{}"), "size": 2}
    serve_manifest(hostile, "app", artifact, "1")

    scan(row)

    manifest = Manifest.objects.get()
    assert (manifest.kind, manifest.config_state) == ("artifact", "none")
