"""Parts of the page of an image that are asked for: by htmx, and by whoever has no scripts."""

from __future__ import annotations

import gzip
import io
import tarfile
import time
from collections.abc import Mapping
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from catalog.models import Repository
from registries.models import Registry
from tests.hostile import Hostile, Raw, Reply
from tests.pushing import HELM_CHART, HELM_CONFIG, Pusher
from tests.real_registry import RealRegistry
from tests.web import furniture as make
from tests.web import harbour_artifacts as artifacts
from tests.web.pages import Page

URL = "/r/local/team/app"
HTMX = {"HX-Request": "true"}
INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def see(client: Client, url: str, **headers: str) -> Page:
    response = client.get(url, headers=headers)
    assert response.status_code == 200
    return Page(response.content.decode().replace("\N{NO-BREAK SPACE}", " "))


def packed(contents: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in contents.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return gzip.compress(buffer.getvalue(), mtime=0)


@pytest.fixture
def app(local: Registry) -> Repository:
    return make.repository(local, "team/app")


@pytest.fixture
def there(db: None, hostile: Hostile) -> Repository:
    """A repository of a registry that a test speaks for."""
    return make.repository(make.registry("local", url=hostile.url, plain_http=True), "team/app")


# -- who shares a layer -------------------------------------------------------------------------------------------


def test_who_shares_a_layer_is_a_page_and_a_part_of_one(
    client: Client, local: Registry, app: Repository, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    built = make.image([("base", 10), ("own", 5)])
    make.put(app, built, "1.0")
    for number in range(23):
        make.put(make.repository(local, f"web/{number:02}"), make.image([("base", 10), (f"{number}", 1)]), "1")
    href = f"{URL}/-/manifests/{built.row.digest}/layers/1"
    assert href in see(client, f"{URL}/-/tags/1.0").links
    with django_assert_max_num_queries(10):
        whole = see(client, href)
    part = see(client, href, **HTMX)
    for page in (whole, part):
        assert {f"/r/local/web/{number:02}" for number in range(20)} <= set(page.links)
        assert "and 3 more repositories" in page.words
    assert whole.all("main")
    assert not part.all("main")
    assert "No other image uses this layer" in see(client, f"{URL}/-/manifests/{built.row.digest}/layers/2").words


@pytest.mark.parametrize("number", ["0", "3", "99999999999999999999", "-1", "x"])
def test_a_layer_that_is_not_there_is_not_found(client: Client, app: Repository, number: str) -> None:
    built = make.image([("base", 10), ("own", 5)])
    make.put(app, built, "1.0")
    assert client.get(f"{URL}/-/manifests/{built.row.digest}/layers/{number}").status_code == 404


# -- the history as a Dockerfile ----------------------------------------------------------------------------------


def test_the_history_is_told_back_as_a_dockerfile(
    client: Client, app: Repository, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    history = [{"created_by": "COPY a b # buildkit"}, {"created_by": "RUN /bin/sh -c make # buildkit"}]
    built = make.image(settings=make.config(history=history))
    make.put(app, built, "1.0")
    with django_assert_num_queries(9):
        page = see(client, f"{URL}/-/tags/1.0?view=dockerfile")
    assert "COPY a b\nRUN make\n" in page.text
    assert "not the file that built it" in page.words
    assert page.all("span", id="layer-2")
    assert page.all("button", **{"data-copy-from": "dockerfile"})
    assert page.all("a", href=f"{URL}/-/tags/1.0#history")
    assert "?view=dockerfile#history" in see(client, f"{URL}/-/tags/1.0").links

    response = client.get(f"{URL}/-/manifests/{built.row.digest}/dockerfile")
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert response["Content-Disposition"] == f'attachment; filename="{built.row.digest[7:19]}.Dockerfile"'
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in response["Content-Security-Policy"]
    assert response.content.endswith(b"COPY a b\nRUN make\n")


def test_without_a_history_there_is_no_dockerfile(client: Client, app: Repository) -> None:
    built = make.image()
    make.put(app, built, "1.0")
    assert "As Dockerfile" not in see(client, f"{URL}/-/tags/1.0?view=dockerfile").words
    assert client.get(f"{URL}/-/manifests/{built.row.digest}/dockerfile").status_code == 404


def test_a_huge_history_is_cut_on_the_page_and_whole_in_the_file(client: Client, app: Repository) -> None:
    built = make.image(settings=make.config(history=[{"created_by": f"RUN step {n} {'x' * 900}"} for n in range(400)]))
    make.put(app, built, "1.0")
    response = client.get(f"{URL}/-/tags/1.0?view=dockerfile")
    assert len(response.content) < 250_000
    assert "more steps, in the file to download" in Page(response.content.decode()).words
    assert client.get(f"{URL}/-/manifests/{built.row.digest}/dockerfile").content.count(b"RUN step") == 400


# -- what the registry says is attached ---------------------------------------------------------------------------


def listing(*entries: dict[str, Any]) -> Reply:
    manifests = [{"mediaType": MANIFEST, "size": 512, **entry} for entry in entries]
    return Reply.json({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests})


def test_the_registry_is_asked_for_what_the_scans_have_not_found(
    client: Client, there: Repository, hostile: Hostile
) -> None:
    built = make.image()
    make.put(there, built, "1.0")
    known = artifacts.artifact([("s", 1)], artifact_type="application/spdx+json", subject=built.row.digest)
    seen = artifacts.artifact([("t", 1)], artifact_type="application/sarif+json")
    for one in (known, seen):
        make.put(there, one)
    new = make.blob_digest("new")
    path = f"/v2/team/app/referrers/{built.row.digest}"
    hostile.on(
        "GET",
        path,
        listing(
            {"digest": known.row.digest, "artifactType": "application/spdx+json"},
            {"digest": seen.row.digest, "artifactType": "application/sarif+json"},
            {
                "digest": new,
                "artifactType": "application/vnd.dev.sigstore.bundle.v0.3+json",
                "annotations": {
                    "dev.sigstore.bundle.predicateType": "https://slsa.dev/provenance/v1",
                    "org.opencontainers.image.created": "2024-05-06T07:08:09Z",
                },
            },
        ),
    )
    href = f"{URL}/-/manifests/{built.row.digest}/referrers"
    assert href in see(client, f"{URL}/-/tags/1.0").links
    assert not hostile.requests  # the page itself asks nothing
    for page in (see(client, href), see(client, href, **HTMX)):
        assert known.row.digest[7:19] not in page.words.partition("The registry also names")[2]
        assert "Sigstore bundle present" in page.words
        assert "SLSA provenance v1" in page.words
        assert new in page.copied
        assert f"{URL}/-/manifests/{seen.row.digest}" in page.links
        assert f"{URL}/-/manifests/{new}" not in page.links
        assert "valid" not in page.words.lower()
    assert len(hostile.asked(path)) == 2


def test_of_an_index_the_platform_that_is_shown_is_asked_for_too(
    client: Client, there: Repository, hostile: Hostile
) -> None:
    child = make.image()
    built = make.index([("linux/amd64", child)])
    for one in (child, built):
        make.put(there, one)
    hostile.on("GET", f"/v2/team/app/referrers/{built.row.digest}", listing())
    hostile.on(
        "GET",
        f"/v2/team/app/referrers/{child.row.digest}",
        listing({"digest": make.blob_digest("n"), "artifactType": "application/wasm"}),
    )
    page = see(client, f"{URL}/-/manifests/{built.row.digest}/referrers?platform=linux/amd64")
    assert "WebAssembly module present" in page.words
    assert (
        f"{URL}/-/manifests/{built.row.digest}/referrers?platform=linux%2Famd64"
        in see(client, f"{URL}/-/manifests/{built.row.digest}").links
    )


def test_a_registry_that_knows_of_nothing_more_says_so(client: Client, there: Repository, hostile: Hostile) -> None:
    built = make.image()
    make.put(there, built, "1.0")
    hostile.on("GET", f"/v2/team/app/referrers/{built.row.digest}", listing())
    page = see(client, f"{URL}/-/manifests/{built.row.digest}/referrers", **HTMX)
    assert "knows of nothing more" in page.words


def test_a_registry_without_such_an_api_is_no_fault(client: Client, there: Repository, hostile: Hostile) -> None:
    child = make.image()
    built = make.index([("linux/amd64", child)])
    for one in (child, built):
        make.put(there, one)
    for one in (child, built):
        hostile.on("GET", f"/v2/team/app/referrers/{one.row.digest}", Reply(404, b"404 page not found"))
    href = f"{URL}/-/manifests/{built.row.digest}/referrers"
    assert "This registry has no referrers API" in see(client, href).words
    hostile.on("GET", f"/v2/team/app/referrers/{child.row.digest}", listing())
    assert "knows of nothing more" in see(client, href).words


@pytest.mark.parametrize(
    "answer",
    [
        Reply(500),
        Reply(200, b"<script>alert(1)</script>"),
        Reply.errors(403, "DENIED", "<img src=x onerror=alert(1)>"),
        Raw(b"SSH-2.0\r\n\r\n"),
        listing({"digest": "sha256:short"}),
    ],
)
def test_what_the_registry_fails_at_is_said_and_nothing_is_lost(
    client: Client, there: Repository, hostile: Hostile, answer: Reply | Raw
) -> None:
    built = make.image()
    make.put(there, built, "1.0")
    hostile.on("GET", f"/v2/team/app/referrers/{built.row.digest}", answer)
    page = see(client, f"{URL}/-/manifests/{built.row.digest}/referrers")
    assert "The registry could not be asked for more" in page.words
    assert not page.all("img")
    assert len(hostile.requests) == 1


def test_a_registry_that_does_not_end_is_left_in_time(client: Client, there: Repository, hostile: Hostile) -> None:
    built = make.image()
    make.put(there, built, "1.0")
    hostile.on("GET", f"/v2/team/app/referrers/{built.row.digest}", Reply(200, b"{" * 10_000, pause=0.1))
    began = time.monotonic()
    page = see(client, f"{URL}/-/manifests/{built.row.digest}/referrers")
    assert time.monotonic() - began < 8
    assert "could not be asked" in page.words


@pytest.mark.parametrize(("knows", "asked"), [(True, ["load", "click"]), (None, ["click"]), (False, [])])
def test_the_page_asks_by_itself_only_where_the_registry_can(
    client: Client, app: Repository, knows: bool | None, asked: list[str]
) -> None:
    Registry.objects.update(capabilities={} if knows is None else {"referrers": knows})
    make.put(app, make.image(), "1.0")
    page = see(client, f"{URL}/-/tags/1.0")
    asking = [found for _, found in page.elements if found.get("hx-get", "").endswith("/referrers")]
    assert [found["hx-trigger"] for found in asking] == asked


def test_a_registry_that_was_removed_is_not_asked(client: Client, there: Repository, hostile: Hostile) -> None:
    built, chart = make.image(), artifacts.chart()
    make.put(there, built, "1.0")
    make.put(there, chart, "2.0")
    Registry.objects.update(retired_at=timezone.now())
    assert "no longer asks it" in see(client, f"{URL}/-/manifests/{built.row.digest}/referrers").words
    assert "no longer asks it" in see(client, f"{URL}/-/manifests/{chart.row.digest}/chart").words
    assert not hostile.requests


# -- the files of a chart -----------------------------------------------------------------------------------------


def put_chart(where: Repository, archive: bytes, size: int | None = None) -> make.Built:
    layer = {"mediaType": HELM_CHART, "digest": make.digest_of(archive), "size": len(archive) if size is None else size}
    fields = {"artifact_type": HELM_CONFIG, "config_type": HELM_CONFIG, "kind": "chart"}
    built = artifacts.with_layers([layer], **fields)
    make.put(where, built, "1.0")
    return built


def test_the_values_of_a_chart_are_fetched_when_somebody_asks(
    client: Client, there: Repository, hostile: Hostile
) -> None:
    archive = packed(
        {
            "c/values.yaml": b"replicas: 2\n<b>bold</b>\n",
            "c/README.md": b"# Read me\n",
            "c/templates/service.yaml": b"x",
            "c/Chart.yaml": b"name: c",
        }
    )
    built = put_chart(there, archive)
    path = f"/v2/team/app/blobs/{make.digest_of(archive)}"
    hostile.on("GET", path, Reply(200, archive))
    href = f"{URL}/-/manifests/{built.row.digest}/chart"
    assert href in see(client, f"{URL}/-/tags/1.0").links
    assert not hostile.requests
    for page in (see(client, href), see(client, href, **HTMX)):
        assert "replicas: 2\n<b>bold</b>\n" in page.text
        assert "# Read me" in page.text
        assert "Templates 1 templates/service.yaml" in page.words
        assert page.all("button", **{"data-copy-from": "chart-values"})
        assert page.all("pre", id="chart-values", tabindex="0")


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (Reply(200, b"other bytes"), "came back as"),
        (Reply(404, b""), "404"),
        (Reply(200, b"x" * (10 * 2**20 + 1)), "more than"),
    ],
)
def test_an_archive_that_is_not_what_it_should_be_is_refused(
    client: Client, there: Repository, hostile: Hostile, reply: Reply, why: str
) -> None:
    archive = packed({"c/values.yaml": b"a: 1\n"})
    built = put_chart(there, archive)
    hostile.on("GET", f"/v2/team/app/blobs/{make.digest_of(archive)}", reply)
    page = see(client, f"{URL}/-/manifests/{built.row.digest}/chart")
    assert "The archive of the chart could not be read" in page.words
    assert why in page.words


@pytest.mark.parametrize(
    "archive", [b"no archive", packed({"c/values.yaml": b"\0" * 31 * 2**20}), packed({"c/x": bytes(range(256))})[:200]]
)
def test_a_hostile_archive_is_said_to_be_one(
    client: Client, there: Repository, hostile: Hostile, archive: bytes
) -> None:
    built = put_chart(there, archive)
    hostile.on("GET", f"/v2/team/app/blobs/{make.digest_of(archive)}", Reply(200, archive))
    assert "could not be read" in see(client, f"{URL}/-/manifests/{built.row.digest}/chart").words


def test_an_archive_that_says_it_is_huge_is_not_fetched(client: Client, there: Repository, hostile: Hostile) -> None:
    built = put_chart(there, b"x", size=2**40)
    assert "more than Berth unpacks" in see(client, f"{URL}/-/manifests/{built.row.digest}/chart").words
    assert not hostile.requests


def test_a_chart_of_a_real_registry_is_read(
    client: Client, real_registry: RealRegistry, push: Pusher, db: None
) -> None:
    archive = packed({"c/values.yaml": b"of: a real one\n"})
    push.blob(archive)
    where = make.repository(make.registry("local", url=real_registry.url, plain_http=True), push.repository)
    built = put_chart(where, archive)
    page = see(client, f"/r/local/{push.repository}/-/manifests/{built.row.digest}/chart")
    assert "of: a real one" in page.text
    subject = make.image()
    make.put(where, subject, "image")
    page = see(client, f"/r/local/{push.repository}/-/manifests/{subject.row.digest}/referrers")
    assert "This registry has no referrers API" in page.words
