from __future__ import annotations

import re
import time
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from catalog.models import Manifest, Presence, Repository, Tag
from registries.models import Registry
from tests.web import furniture as make
from tests.web.pages import Page

URL = "/r/local/team/app"


def see(client: Client, url: str) -> Page:
    response = client.get(url)
    assert response.status_code == 200
    return Page(response.content.decode().replace("\N{NO-BREAK SPACE}", " "))


@pytest.fixture
def app(local: Registry) -> Repository:
    return make.repository(local, "team/app")


@pytest.fixture
def index(app: Repository) -> make.Built:
    amd64 = make.image(
        [("base", 28_200_000), ("a", 3_400_000)],
        make.config(history=[{"created_by": "ADD x"}, {"created_by": "RUN y"}]),
    )
    arm64 = make.image([("base", 28_200_000), ("b", 4_400_000)], make.config() | {"architecture": "arm64"})
    for child in (amd64, arm64):
        make.put(app, child)
    built = make.index([("linux/amd64", amd64), ("linux/arm64", arm64), ("linux/s390x", make.blob_digest("never"))])
    make.put(app, built, "1.0", "latest", size=36_000_000, state=Presence.State.INCOMPLETE)
    return built


def test_an_index_shows_each_platform_with_its_own_size(client: Client, index: make.Built) -> None:
    page = see(client, f"{URL}/-/tags/1.0")
    assert "linux/amd64 31.6 MB" in page.words
    assert "linux/arm64 32.6 MB" in page.words
    assert "linux/s390x missing" in page.words
    assert "36.0 MB for all platforms" in page.words
    assert "1 platform that this index lists is not in this repository" in page.words
    assert "?platform=linux%2Farm64" in page.links
    assert page.all("a", href="?platform=linux%2Famd64", **{"aria-current": "true"})


def test_the_platform_is_chosen_by_the_address(client: Client, index: make.Built) -> None:
    page = see(client, f"{URL}/-/tags/1.0?platform=linux/arm64")
    assert "4.4 MB" in page.words
    assert "ADD x" not in page.words
    missing = see(client, f"{URL}/-/tags/1.0?platform=linux/s390x")
    assert "was never seen in this repository" in missing.words


def test_the_page_of_a_tag_and_of_its_digest_show_one_image(client: Client, index: make.Built) -> None:
    by_tag = see(client, f"{URL}/-/tags/1.0")
    assert f"{URL}/-/tags/latest" in by_tag.links
    by_digest = see(client, f"{URL}/-/manifests/{index.row.digest}")
    assert {f"{URL}/-/tags/latest", f"{URL}/-/tags/1.0"} <= set(by_digest.links)
    for page in (by_tag, by_digest):
        reference = f"registry.example.org/team/app@{index.row.digest}"
        assert page.all("button", **{"data-copy": f"docker pull {reference}"})
    assert by_tag.all("button", **{"data-copy": "docker pull registry.example.org/team/app:1.0"})


def test_every_fact_of_the_config_is_told(client: Client, app: Repository) -> None:
    run = {
        "User": "10001:10001",
        "ExposedPorts": {"8080/tcp": {}},
        "Entrypoint": ["/entry", "a b"],
        "Cmd": ["serve"],
        "WorkingDir": "/srv",
        "Volumes": {"/data": {}},
        "StopSignal": "SIGQUIT",
        "Env": ["PORT=8080"],
        "Labels": {"team": "platform"},
        "Healthcheck": {"Test": ["CMD", "true"]},
    }
    make.put(app, make.image(settings=make.config(run=run, author="Ana"), created=timezone.now()), "1.0")
    words = see(client, f"{URL}/-/tags/1.0").words
    for said in (
        "User 10001:10001",
        "Ports 8080/tcp",
        'Entrypoint ["/entry", "a b"]',
        'Command ["serve"]',
        "Working dir /srv",
        "Volumes /data",
        "Stop signal SIGQUIT",
        "PORT 8080",
        "team platform",
        'Health check ["CMD", "true"]',
        "Author Ana",
        "Platform linux/amd64",
        "OCI image manifest",
    ):
        assert said in words


def test_what_is_attached_is_present_and_never_valid(client: Client, app: Repository) -> None:
    built = make.image()
    make.put(app, built, "1.0")
    signature = make.image([("s", 1)], kind=Manifest.Kind.SIGNATURE)
    make.put(app, signature, built.row.digest.replace(":", "-") + ".sig")
    sbom = make.image(
        [("b", 1)], kind=Manifest.Kind.SBOM, subject=built.row.digest, artifact_type="application/spdx+json"
    )
    make.put(app, sbom)
    page = see(client, f"{URL}/-/tags/1.0")
    assert "Signature present" in page.words
    assert "SBOM, SPDX present" in page.words
    assert "valid" not in page.words.lower()
    assert f"{URL}/-/manifests/{signature.row.digest}" in page.links
    about = see(client, f"{URL}/-/manifests/{sbom.row.digest}")
    assert f"{URL}/-/manifests/{built.row.digest}" in about.links


def test_an_attestation_that_is_not_here_is_missing(client: Client, app: Repository) -> None:
    child = make.image()
    here = make.image([("here", 1)], kind=Manifest.Kind.ATTESTATION)
    elsewhere = make.image([("elsewhere", 1)], kind=Manifest.Kind.ATTESTATION)
    for built in (child, here):
        make.put(app, built)
    make.put(make.repository(app.registry, "team/other"), elsewhere)
    never = make.blob_digest("never seen")
    about = f"attests {child.row.digest}"
    index = make.index([("linux/amd64", child), (about, here), (about, elsewhere), (about, never)])
    make.put(app, index, "1.0")

    page = see(client, f"{URL}/-/tags/1.0")

    for digest, said in ((here.row.digest, "present"), (elsewhere.row.digest, "missing"), (never, "missing")):
        words = page.words.partition(digest.partition(":")[2][:12])[0]
        assert max(("present", "missing"), key=words.rfind) == said
        assert (f"{URL}/-/manifests/{digest}" in page.links) is (said == "present")


def test_a_layer_that_is_shared_here_and_elsewhere_says_both(client: Client, app: Repository) -> None:
    for number in range(3):
        make.put(app, make.image([("base", 10), (f"here {number}", 1)]), f"1.{number}")
        make.put(
            make.repository(app.registry, f"web/app-{number}"), make.image([("base", 10), (f"web {number}", 1)]), "1"
        )

    words = see(client, f"{URL}/-/tags/1.0").words

    assert re.search(r"shared with web/app-\d and 2 more, and 2 images here", words)  # whichever comes first names them
    assert "and 0 images" not in words


@pytest.mark.parametrize(
    ("built", "fields", "said"),
    [
        ({"config_state": Manifest.ConfigState.UNREAD}, {}, "Configs are read last"),
        (
            {"settings": b"<html>", "config_state": Manifest.ConfigState.MALFORMED, "config_problem": "no JSON"},
            {},
            "no JSON",
        ),
        (
            {"config_state": Manifest.ConfigState.UNREAD},
            {"state": Presence.State.NO_CONFIG, "problem": "404"},
            "config of this image is missing",
        ),
        ({}, {}, "the fixed date of a reproducible build"),
        ({"settings": {"history": [{"created_by": "COPY a b"}]}}, {}, "steps do not fit"),
        ({}, {"gone_at": timezone.now()}, "No tag and no index of this repository has reached"),
    ],
)
def test_what_is_wrong_is_said_and_the_rest_is_shown(
    client: Client, app: Repository, built: dict[str, object], fields: dict[str, object], said: str
) -> None:
    make.put(app, make.image(**built), "1.0", **fields)  # type: ignore[arg-type]
    page = see(client, f"{URL}/-/tags/1.0")
    assert said in page.words
    assert "31.6 MB compressed" in page.words


def test_a_malformed_manifest_has_a_page(client: Client, app: Repository) -> None:
    make.put(app, make.malformed(b"<html>"), "1.0", state=Presence.State.UNREADABLE)
    page = see(client, f"{URL}/-/tags/1.0")
    assert "the manifest is no JSON object" in page.words
    assert "No layers to show" in page.words


def test_a_schema_1_image_is_recognised(client: Client, app: Repository) -> None:
    built = make.malformed(b'{"schemaVersion": 1}')
    Manifest.objects.filter(pk=built.row.pk).update(
        kind=Manifest.Kind.SCHEMA1, problem="", media_type="application/vnd.docker.distribution.manifest.v1+prettyjws"
    )
    make.put(app, built, "1.0")
    words = see(client, f"{URL}/-/tags/1.0").words
    assert "Image, schema 1" in words
    assert "Docker manifest, schema 1, signed" in words


def test_an_artifact_shows_its_files_and_how_to_fetch_them(client: Client, app: Repository) -> None:
    artifact = {"config_state": Manifest.ConfigState.NONE, "settings": b"{}", "titles": True}
    make.put(app, make.image([("model.bin", 5)], kind=Manifest.Kind.ARTIFACT, **artifact), "model")  # type: ignore[arg-type]
    make.put(app, make.image([("chart.tgz", 5)], kind=Manifest.Kind.CHART, **artifact), "2.1.0")  # type: ignore[arg-type]
    model, chart = see(client, f"{URL}/-/tags/model"), see(client, f"{URL}/-/tags/2.1.0")
    assert "model.bin" in model.words
    assert "Contents 1 model.bin" in model.words
    assert "1 layer" not in model.words
    assert "Helm chart Raw" in chart.words
    assert "oras pull registry.example.org/team/app:model" in model.words
    assert "helm pull oci://registry.example.org/team/app --version 2.1.0" in chart.words


def test_the_date_of_an_artifact_is_told(client: Client, app: Repository) -> None:
    created = timezone.now() - timedelta(hours=3)
    fields = {"config_state": Manifest.ConfigState.NONE, "settings": b"{}", "created": created}
    make.put(app, make.image([("chart.tgz", 5)], kind=Manifest.Kind.CHART, **fields), "2.1.0")  # type: ignore[arg-type]
    assert "Created 3 h ago" in see(client, f"{URL}/-/tags/2.1.0").words


def test_a_tag_that_cannot_be_read_has_a_page(client: Client, app: Repository) -> None:
    make.lose_tag(app, "lost", "refused with 404: MANIFEST_UNKNOWN")
    page = see(client, f"{URL}/-/tags/lost")
    assert "refused with 404: MANIFEST_UNKNOWN" in page.words
    assert "skopeo inspect --raw docker://registry.example.org/team/app:lost" in page.words
    Tag.objects.update(gone_at=timezone.now())
    gone = see(client, f"{URL}/-/tags/lost")
    assert "This tag is gone, and its manifest could never be read" in gone.words
    assert not gone.copied


def test_a_tag_that_is_gone_says_so(client: Client, app: Repository) -> None:
    presence = make.put(app, make.image(), "1.0")
    Tag.objects.filter(presence=presence).update(gone_at=timezone.now())
    assert "This tag has been gone since" in see(client, f"{URL}/-/tags/1.0").words


def test_an_index_of_a_thousand_is_bounded(client: Client, app: Repository) -> None:
    child = make.image()
    make.put(app, child)
    make.put(app, make.index([(f"linux/p{number}", child) for number in range(1_000)]), "many")
    began = time.monotonic()
    response = client.get(f"{URL}/-/tags/many")
    assert time.monotonic() - began < 5
    assert len(response.content) < 100_000
    assert "200 of 1,000" in Page(response.content.decode()).words


def test_a_huge_image_is_bounded_and_quick(client: Client, app: Repository) -> None:
    history = [{"created_by": f"RUN step {n} " + "x" * 300} for n in range(9_999)] + [{"created_by": "y" * 100_000}]
    settings = make.config(history=history, run={"Labels": {f"l{n}": "v" * 900 for n in range(2_000)}})
    make.put(app, make.image([(f"layer {n}", n + 1) for n in range(500)], settings), "huge")
    client.get(f"{URL}/-/tags/huge")
    began = time.monotonic()
    response = client.get(f"{URL}/-/tags/huge")
    assert time.monotonic() - began < 5
    assert len(response.content) < 500_000
    words = Page(response.content.decode()).words
    assert "And 9,800 more" in words
    assert "And 1,900 more" in words


def test_many_aliases_are_folded(client: Client, app: Repository) -> None:
    make.put(app, make.image(), "v", *[f"v{number:03}" for number in range(100)])
    page = see(client, f"{URL}/-/tags/v")
    assert "+88" in page.words
    assert "and 40 more" in page.words


def test_a_page_costs_as_many_queries_for_60_platforms_as_for_2(
    client: Client, app: Repository, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for count in (2, 60):
        children = [(f"linux/p{n}", make.image([(f"l{count}-{n}", n + 1)])) for n in range(count)]
        for _, child in children:
            make.put(app, child)
        make.put(app, make.index(children), f"of-{count}")
    for count in (2, 60):
        with django_assert_num_queries(10):
            client.get(f"{URL}/-/tags/of-{count}")
