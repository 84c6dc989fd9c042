"""The rows of the threat table on whom a scan asks, and what it believes: each test is named by its row."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from catalog.models import Manifest, Presence, Repository, Scan, Tag
from jobs.models import Job
from registries.models import Registry
from tests.catalog.picture import picture
from tests.catalog.scanning import last_scan, scan
from tests.catalog.serving import digest_of, image, index_of, live, nothing_is_gone, serve, serve_manifest, use_folder
from tests.hostile import Hostile, Reply
from tests.pushing import OCI_INDEX, OCI_MANIFEST
from tests.storage_layout import StorageLayout

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.any_database]

SECRET = base64.b64encode(b"berth:hunter2").decode()


@pytest.fixture
def row(hostile_row: Registry) -> Registry:
    return hostile_row


@pytest.fixture
def with_password(row: Registry) -> Registry:
    row.username, row.password = "berth", "hunter2"
    row.save()
    return row


def asks_for_password(hostile: Hostile, path: str, reply: Reply) -> None:
    challenge = Reply.challenge('Basic realm="registry"')
    hostile.on("GET", path, lambda asked: reply if "Authorization" in asked.headers else challenge)


# Where credentials go, and where requests do


@pytest.mark.parametrize("scheme", ['Bearer realm="{url}/token",service="x"', 'bearer realm="{url}/token"'])
def test_s02_a_token_service_elsewhere_hears_nothing(
    with_password: Registry, hostile: Hostile, other_host: Hostile, scheme: str
) -> None:
    serve(hostile, app=["1"])
    scan(with_password)
    before = picture()
    hostile.on("GET", "/v2/_catalog", Reply.challenge(scheme.format(url=other_host.url)))
    hostile.on("GET", "/v2/", Reply.challenge(scheme.format(url=other_host.url)))

    job = scan(with_password)

    assert job.state == Job.State.FAILED
    assert "a token of 127.0.0.1, which is not pinned" in job.message
    assert "/token" not in job.message
    assert not other_host.requests
    assert not any("Authorization" in request.headers for request in hostile.requests)
    assert picture() == before


def test_s02_a_token_service_that_moves_away_during_a_scan_hears_nothing(
    with_password: Registry, hostile: Hostile, other_host: Hostile
) -> None:
    serve(hostile, app=["1", "2"], bad=["1"])
    hostile.on("GET", "/v2/bad/manifests/1", Reply.challenge(f'Bearer realm="{other_host.url}/token"'))

    scan(with_password)

    assert not other_host.requests
    assert Tag.objects.get(repository__name="bad").problem
    assert Tag.objects.filter(problem="").count() == 2


@pytest.mark.parametrize("source", ["api", "folder"])
def test_s03_addresses_of_foreign_layers_are_never_fetched(
    row: Registry, hostile: Hostile, other_host: Hostile, source: str, tmp_path: Path
) -> None:
    document = image()
    document["config"]["urls"] = [f"{other_host.url}/config"]
    document["layers"][0] |= {
        "mediaType": "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
        "urls": [f"{other_host.url}/layer", "file:///etc/passwd"],
    }
    serve(hostile, app=["1"])
    serve_manifest(hostile, "app", document, "1")
    if source == "folder":
        layout = StorageLayout(tmp_path / "root")
        layout.manifest("app", document, "1")
        layout.layer("app", b"{}")
        use_folder(row, hostile, layout)

    scan(row)

    assert last_scan().source == source
    assert not other_host.requests
    assert Presence.objects.get().state == Presence.State.WHOLE
    assert Manifest.objects.get().layer_count == 1


def test_s06_a_config_that_lies_elsewhere_is_fetched_without_the_password(
    with_password: Registry, hostile: Hostile, other_host: Hostile
) -> None:
    serve(hostile, app=["1"])
    asks_for_password(hostile, "/v2/app/tags/list", Reply.json({"tags": ["1"]}))
    hostile.on("GET", f"/v2/app/blobs/{digest_of(b'{}')}", Reply.redirect(f"{other_host.url}/stored"))
    other_host.on("GET", "/stored", Reply(200, b"{}"))

    scan(with_password)

    assert any(request.headers["Authorization"] == f"Basic {SECRET}" for request in hostile.requests)
    assert [request.headers["Authorization"] for request in other_host.requests] == [None]
    assert Manifest.objects.get().config_state == "read"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_s06_redirects_in_a_circle_are_a_fact_of_one_image(row: Registry, hostile: Hostile, status: int) -> None:
    serve(hostile, app=["1"])
    path = f"/v2/app/blobs/{digest_of(b'{}')}"
    hostile.on("GET", path, Reply.redirect(f"{path}?again", status))

    assert scan(row).state == Job.State.DONE

    assert Presence.objects.get().state == Presence.State.NO_CONFIG
    assert len(hostile.asked(path)) <= 6
    assert nothing_is_gone()


def test_s07_no_name_changes_what_is_asked_for(row: Registry, hostile: Hostile) -> None:
    bad = [
        "a/../../_catalog",
        "..",
        ".",
        "%2e%2e",
        "a%2fb",
        "a?n=1",
        "a#b",
        "a\\b",
        "/etc",
        "a/",
        "a//b",
        "a\r\nb",
    ]
    serve(hostile, app=["1"])
    hostile.on("GET", "/v2/_catalog", Reply.json({"repositories": [*bad, "app"]}))
    hostile.on("GET", "/v2/app/tags/list", Reply.json({"tags": [*bad, "1"]}))
    for digest in (
        "sha256:../../x",
        f"sha256:{'A' * 64}",
        f"md5:{'a' * 32}",
        "sha256:",
        "latest",
        f"sha256:{'a' * 64}\n",
    ):
        hostile.on("GET", f"/v2/app/manifests/{len(digest)}", Reply.json(index_of((OCI_MANIFEST, digest))))

    scan(row)

    digest = digest_of(b"{}")
    allowed = {"/v2/_catalog", "/v2/app/tags/list", "/v2/app/manifests/1", f"/v2/app/blobs/{digest}"}
    assert {request.path for request in hostile.requests} == allowed
    assert (last_scan().rejected_names, last_scan().complete) == (2 * len(bad), True)
    assert live() == {("app", "1")}


@pytest.mark.parametrize("digest", ["sha256:../../x", f"sha256:{'A' * 64}", f"md5:{'a' * 32}", f"sha256:{'a' * 64}\n"])
def test_s07_no_digest_in_a_document_is_asked_for_unless_it_is_one(
    row: Registry, hostile: Hostile, digest: str
) -> None:
    serve(hostile, app=["1", "2"])
    serve_manifest(hostile, "app", index_of((OCI_MANIFEST, digest)), "1", media_type=OCI_INDEX)
    document = image()
    document["config"]["digest"] = digest
    serve_manifest(hostile, "app", document, "2")

    scan(row)

    assert {request.path for request in hostile.requests} == {
        "/v2/_catalog",
        "/v2/app/tags/list",
        "/v2/app/manifests/1",
        "/v2/app/manifests/2",
    }
    assert set(Presence.objects.values_list("state", flat=True)) == {Presence.State.UNREADABLE}


@pytest.mark.parametrize("link", ["/v2/other/tags/list?last=1", "{other}/v2/_catalog", "//evil/v2/_catalog", "../../x"])
def test_s07_the_next_page_is_of_the_same_list(row: Registry, hostile: Hostile, other_host: Hostile, link: str) -> None:
    serve(hostile, app=["1"])
    scan(row)
    before = picture()
    following = f'<{link.format(other=other_host.url)}>; rel="next"'
    hostile.on("GET", "/v2/_catalog", Reply.json({"repositories": ["app"]}, Link=following))

    job = scan(row)

    assert job.state == Job.State.FAILED
    assert "lead" in job.message
    assert not other_host.requests
    assert picture() == before


# Names that are none


def test_x02_names_that_break_the_grammar_in_a_folder_are_counted_and_kept_out(
    row: Registry, hostile: Hostile, tmp_path: Path
) -> None:
    layout = StorageLayout(tmp_path / "root")
    for number in range(5):
        layout.image(f"good-{number}", "1")
    for number in range(50):
        for name in ("UPPER", "<script>alert(1)", "a b", "{{7*7}}"):
            (layout.repositories / f"{name}{number}/_layers").mkdir(parents=True)
    digest = layout.image("good-0", "2")
    for tag in ("-x", "<b>", "t" * 129, "=1+1", "a\nb"):
        layout.tag("good-0", tag, digest)
    use_folder(row, hostile, layout)

    job = scan(row)

    assert (job.state, last_scan().source) == (Job.State.DONE, Scan.Source.FOLDER)
    assert Repository.objects.count() == 5
    assert set(Tag.objects.values_list("name", flat=True)) == {"1", "2"}
    assert last_scan().rejected_names == 205
    assert "<" not in job.message


# A registry that fails, or lies, while it is read


@pytest.mark.parametrize("failing", range(7))
def test_r09_a_catalog_that_fails_at_any_page_changes_nothing(row: Registry, hostile: Hostile, failing: int) -> None:
    names = [f"r{page}" for page in range(7)]
    serve(hostile, **{name: ["1"] for name in names})
    scan(row)
    before = picture()
    for page, name in enumerate(names):
        target = f"/v2/_catalog?n=1&last={names[page - 1]}" if page else "/v2/_catalog?n=1000"
        following = f'</v2/_catalog?n=1&last={name}>; rel="next"'
        listed = json.dumps({"repositories": [name]}).encode()
        whole = Reply(200, listed, {"Link": following} if page < 6 else {})
        hostile.on("GET", target, Reply(500, b"oh no") if page == failing else whole)

    job = scan(row)

    assert job.state == Job.State.FAILED
    assert "500" in job.message
    assert picture() == before


def test_r09_an_account_that_sees_less_than_before_is_asked_about(row: Registry, hostile: Hostile) -> None:
    serve(hostile, **{f"r{number}": ["1"] for number in range(40)})
    scan(row)
    before = picture()
    hostile.on("GET", "/v2/_catalog", Reply.json({"repositories": [f"r{number}" for number in range(10)]}))

    assert scan(row).state == Job.State.ASKING
    assert picture() == before


def test_r09_an_empty_catalog_of_a_small_registry_takes_nothing_at_once(row: Registry, hostile: Hostile) -> None:
    serve(hostile, app=["1"], tool=["1"])
    scan(row)
    hostile.on("GET", "/v2/_catalog", Reply.json({"repositories": []}))

    scan(row)

    assert live() == {("app", "1"), ("tool", "1")}
    serve(hostile, app=["1"], tool=["1"])
    scan(row)
    assert nothing_is_gone()


def test_r09_tags_that_are_not_found_for_a_moment_are_not_gone(row: Registry, hostile: Hostile) -> None:
    serve(hostile, app=["1", "2"])
    scan(row)
    before = picture()
    hostile.on("GET", "/v2/app/manifests/1", Reply.errors(404, "MANIFEST_UNKNOWN"))

    scan(row)

    tag = Tag.objects.get(name="1")
    assert (tag.gone_at, bool(tag.problem)) == (None, True)
    serve(hostile, app=["1", "2"])
    scan(row)
    assert picture() == before
