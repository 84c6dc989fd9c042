"""What is attached to an image, where it is found, and what it says of itself."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from catalog.models import Manifest, Presence, Repository
from catalog.reads.attached import Attachment
from catalog.reads.image import read_image
from catalog.reads.saying import Saying
from registries.models import Registry
from tests.web import furniture as make
from tests.web import harbour_artifacts as artifacts


@pytest.fixture
def app(db: None) -> Repository:
    return make.repository(make.registry("local"), "team/app")


@pytest.fixture
def built(app: Repository) -> make.Built:
    built = make.image([("a", 10)])
    make.put(app, built, "1.0")
    return built


def attached(app: Repository, built: make.Built) -> list[Attachment]:
    return read_image(Presence.objects.get(repository=app, manifest=built.row)).attachments


def tag_of(built: make.Built, ending: str = "") -> str:
    return built.row.digest.replace(":", "-") + ending


def test_cosign_says_how_many_signatures_there_are(app: Repository, built: make.Built) -> None:
    make.put(app, artifacts.signatures(3), tag_of(built, ".sig"))
    (found,) = attached(app, built)
    assert (found.label, found.kind, found.says.parts, found.says.is_signature) == (
        "Signature, cosign",
        "signature",
        3,
        True,
    )
    assert found.tag.endswith(".sig")


def test_statements_say_what_they_are_about(app: Repository, built: make.Built) -> None:
    about = artifacts.statement(
        "https://slsa.dev/provenance/v1", "https://spdx.dev/Document", "https://example.org/own"
    )
    make.put(app, about, tag_of(built, ".att"))
    (found,) = attached(app, built)
    assert found.label == "Attestation, in-toto"
    assert found.says.about == ("SLSA provenance v1", "SBOM, SPDX", "https://example.org/own")


def test_what_the_index_under_a_referrers_tag_lists_is_attached(app: Repository, built: make.Built) -> None:
    here = artifacts.artifact([("sbom.json", 90)], artifact_type="application/vnd.cyclonedx+json")
    make.put(app, here)
    elsewhere = artifacts.artifact([("vex.json", 80)], artifact_type="application/vnd.openvex+json")
    make.put(make.repository(app.registry, "other"), elsewhere)
    never = make.blob_digest("never seen")
    make.put(app, make.index([("", here), ("", elsewhere), ("", never)]), tag_of(built))

    found = {one.digest: one for one in attached(app, built)}

    assert [(one.label, one.is_here) for one in found.values()] == [
        ("SBOM, CycloneDX", True),
        ("OpenVEX document", False),
        ("Artifact", False),
    ]
    assert set(found) == {here.row.digest, elsewhere.row.digest, never}


def test_one_that_is_found_in_every_way_is_listed_once(app: Repository, built: make.Built) -> None:
    sbom = artifacts.artifact(
        [("sbom.json", 90)], artifact_type="application/spdx+json", subject=built.row.digest, kind=Manifest.Kind.SBOM
    )
    make.put(app, sbom, tag_of(built, ".sbom"))
    make.put(app, make.index([("", sbom)]), tag_of(built))
    assert [one.digest for one in attached(app, built)] == [sbom.row.digest]


def test_what_is_about_one_platform_says_which(app: Repository) -> None:
    amd64 = make.image([("a", 10)])
    index = make.index([("linux/amd64", amd64)])
    for one in (amd64, index):
        make.put(app, one)
    by_subject = artifacts.artifact([("s", 1)], artifact_type="application/spdx+json", subject=amd64.row.digest)
    make.put(app, by_subject)
    make.put(app, artifacts.signatures(1), tag_of(amd64, ".sig"))
    make.put(app, artifacts.signatures(2), tag_of(index, ".sig"))
    found = attached(app, index)
    assert sorted((one.says.parts, one.platform) for one in found) == [(1, "linux/amd64"), (1, "linux/amd64"), (2, "")]


def test_what_another_repository_attached_is_not_attached_here(app: Repository, built: make.Built) -> None:
    other = make.repository(app.registry, "other")
    make.put(other, artifacts.artifact([("s", 1)], artifact_type="application/spdx+json", subject=built.row.digest))
    make.put(other, artifacts.signatures(1), tag_of(built, ".sig"))
    assert attached(app, built) == []


def test_many_attachments_cost_as_many_queries_as_none(
    app: Repository, built: make.Built, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    presence = Presence.objects.select_related("repository__registry", "manifest__config").get(manifest=built.row)
    with django_assert_num_queries(2):
        read_image(presence)
    for number in range(80):
        more: dict[str, Any] = {"annotations": {"n": str(number)}}
        make.put(
            app,
            artifacts.artifact([("s", 1)], artifact_type="application/spdx+json", subject=built.row.digest, more=more),
        )
    with django_assert_num_queries(2):
        assert len(read_image(presence).attachments) == 50


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>",
        b"{",
        b'{"schemaVersion": 2, "manifests": [], "layers": []}',
        b'{"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": 7}',
    ],
)
def test_a_document_that_cannot_be_read_says_nothing_but_its_type(content: bytes) -> None:
    assert Saying.of("application/spdx+json", content) == Saying(name="SBOM, SPDX")
    assert Saying.of("application/x-nobody", content) == Saying()


def test_a_hostile_document_says_no_more_than_a_page_can_bear() -> None:
    layer = {
        "mediaType": "application/vnd.in-toto+json",
        "digest": make.blob_digest("x"),
        "size": 1,
    }
    layers = [
        {**layer, "annotations": {"in-toto.io/predicate-type": f"{n} <script>" + "x" * 10_000}} for n in range(300)
    ]
    config = {"mediaType": "application/vnd.oci.empty.v1+json", "digest": make.blob_digest("c"), "size": 1}
    document = {
        "schemaVersion": 2,
        "mediaType": f"{make.OCI}.manifest.v1+json",
        "config": config,
        "layers": layers,
        "annotations": {"org.opencontainers.image.created": "9" * 10_000},
    }
    said = Saying.of("application/vnd.in-toto+json", json.dumps(document).encode())
    assert (len(said.about), said.more, said.parts, said.created) == (6, 294, 300, None)
    assert all(len(text) <= 200 for text in said.about)


def test_the_registry_of_an_image_is_no_matter(db: None) -> None:
    one, other = (make.repository(make.registry(name), "team/app") for name in ("one", "other"))
    built = make.image([("a", 10)])
    for where in (one, other):
        make.put(where, built, "1.0")
    make.put(other, artifacts.signatures(1), tag_of(built, ".sig"))
    assert attached(one, built) == []
    assert len(attached(other, built)) == 1
    assert Registry.objects.count() == 2
