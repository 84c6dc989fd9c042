from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from api.manifest_shapes import MOST_TAGS, ManifestJson
from catalog.models import IndexEntry, Manifest, Presence, Repository
from tests.api.asking import ask
from tests.web import furniture as make
from tests.web.furniture import Built


def address(built: Built | str, repository: str = "team/app") -> str:
    digest = built if isinstance(built, str) else built.row.digest
    return f"/repositories/local/{repository}/-/manifests/{digest}"


def tell(client: Client, built: Built | str) -> Any:
    return ask(client, address(built), ManifestJson)


def test_an_image_is_told_as_its_page_tells_it(client: Client, app: Repository) -> None:
    settings = make.config(
        created="2026-11-24T23:56:10Z",
        author="Mara",
        history=[
            {"created_by": "/bin/sh -c #(nop) ADD file:x in / ", "created": "2026-11-02T00:00:00Z"},
            {"created_by": "RUN /bin/sh -c apt-get update # buildkit", "comment": "buildkit.dockerfile.v0"},
            {"created_by": "USER 10001", "empty_layer": True, "comment": "mine"},
        ],
        run={
            "User": "10001",
            "Env": ["PATH=/usr/bin:/bin", "EMPTY=", "BARE"],
            "Cmd": ["serve"],
            "Entrypoint": ["/srv/app"],
            "WorkingDir": "/srv",
            "Volumes": {"/data": {}},
            "ExposedPorts": {"8080/tcp": {}},
            "Labels": {"org.opencontainers.image.licenses": "Apache-2.0"},
            "StopSignal": "SIGTERM",
            "Healthcheck": {"Test": ["CMD", "true"]},
        },
    )
    built = make.image([("base", 28), ("app", 3)], settings, more={"annotations": {"who": "me"}})
    make.put(app, built, "1.0", "latest")
    make.put(app, make.image([("base", 28)]), "other")
    elsewhere = make.repository(app.registry, "base/debian")
    make.put(elsewhere, make.image([("base", 28)]), "12")

    body = tell(client, built)
    assert (body["registry"], body["repository"], body["digest"]) == ("local", "team/app", built.row.digest)
    assert (body["kind"], body["platform"], body["state"], body["problem"]) == ("image", "linux/amd64", "whole", None)
    assert (body["tags"], body["more_tags"]) == (["latest", "1.0"], 0)
    assert body["size"] == built.row.size
    assert (body["layer_count"], body["layers_size"]) == (2, 31)
    base, top = body["layers"]
    assert (base["number"], base["digest"], base["size"]) == (1, make.blob_digest("base"), 28)
    assert base["media_type"] == make.LAYER
    assert base["shared"] == {
        "images_here": 1,
        "repositories_elsewhere": 1,
        "is_capped": False,
        "example": "base/debian",
    }
    assert top["shared"]["images_here"] == top["shared"]["repositories_elsewhere"] == 0
    add, run, user = body["history"]
    assert (add["instruction"], add["layer"], add["created"]) == ("ADD", base["digest"], "2026-11-02T00:00:00Z")
    assert (run["instruction"], run["command"], run["comment"]) == ("RUN", "apt-get update", None)
    assert (user["layer"], user["is_empty"], user["comment"]) == (None, True, "mine")
    assert body["history_fits"]
    assert body["config"] == {
        "author": "Mara",
        "user": "10001",
        "working_dir": "/srv",
        "entrypoint": ["/srv/app"],
        "cmd": ["serve"],
        "environment": [
            {"name": "PATH", "value": "/usr/bin:/bin"},
            {"name": "EMPTY", "value": ""},
            {"name": "BARE", "value": ""},
        ],
        "exposed_ports": ["8080/tcp"],
        "volumes": ["/data"],
        "healthcheck": ["CMD", "true"],
        "stop_signal": "SIGTERM",
        "labels": {"org.opencontainers.image.licenses": "Apache-2.0"},
    }
    assert (body["config_state"], body["config_problem"]) == ("read", None)
    assert body["annotations"] == {"who": "me"}
    assert (body["children"], body["attachments"], body["is_cut"]) == ([], [], False)
    for link in body["links"].values():
        assert client.get(link).status_code == 200


def test_an_index_tells_of_each_child_whether_it_is_here(client: Client, app: Repository) -> None:
    amd64, windows = make.image([("a", 10)]), make.image([("w", 7)], make.config(os="windows"))
    provenance = make.image([("p", 1)], kind=Manifest.Kind.ATTESTATION)
    lost = make.blob_digest("never seen")
    index = make.index(
        [
            ("linux/amd64", amd64),
            ("linux/arm64/v8", lost),
            (f"attests {amd64.row.digest}", provenance),
            ("windows/amd64", windows),
        ],
        more={"annotations": {"who": "me"}},
    )
    IndexEntry.objects.filter(os="windows").update(os_version="10.0.20348.2700")
    for child in (amd64, windows, provenance):
        make.put(app, child)
    make.put(app, index, "1.0", size=17)
    body = tell(client, index)
    assert [child["platform"] for child in body["children"]][:2] == ["linux/amd64", "linux/arm64/v8"]
    assert [child["role"] for child in body["children"]] == ["platform", "platform", "attestation", "platform"]
    here, missing, attestation, other = body["children"]
    assert (here["digest"], here["size"], here["is_here"]) == (amd64.row.digest, amd64.row.size, True)
    assert (here["kind"], here["document_size"], here["attests"]) == ("image", 500, None)
    assert (missing["digest"], missing["size"], missing["is_here"], missing["manifest"]) == (lost, None, False, None)
    assert (attestation["attests"], attestation["is_here"]) == (amd64.row.digest, True)
    assert other["os_version"] == "10.0.20348.2700"
    assert (body["size"], body["layers"], body["history"], body["config"]) == (17, [], [], None)
    assert body["annotations"] == {"who": "me"}
    assert body["attachments"] == []  # the attestation is among the children
    assert body["links"]["raw_config"] is None
    assert client.get(here["manifest"]).json()["digest"] == amd64.row.digest


def test_what_is_attached_is_told_where_it_is_attached(client: Client, app: Repository) -> None:
    built = make.image([("a", 10)])
    make.put(app, built, "1.0")
    sbom = make.image(
        [("s", 1)], kind=Manifest.Kind.SBOM, subject=built.row.digest, artifact_type="application/spdx+json"
    )
    signature = make.image([("sig", 1)], kind=Manifest.Kind.SIGNATURE)
    make.put(app, sbom)
    tag = built.row.digest.replace(":", "-") + ".sig"
    make.put(app, signature, tag)
    assert sorted(tell(client, built)["attachments"], key=lambda found: str(found["kind"])) == [
        {"kind": "sbom", "digest": sbom.row.digest, "artifact_type": "application/spdx+json", "tag": None},
        {"kind": "signature", "digest": signature.row.digest, "artifact_type": None, "tag": tag},
    ]
    assert tell(client, sbom)["subject"] == built.row.digest


def test_what_cannot_be_read_says_why(client: Client, app: Repository) -> None:
    garbage = make.malformed()
    make.put(app, garbage, "garbage", state=Presence.State.UNREADABLE)
    body = tell(client, garbage)
    assert (body["kind"], body["state"], body["media_type"]) == ("malformed", "unreadable", None)
    assert body["problem"] == "the manifest is no JSON object"
    assert (body["size"], body["layers"], body["config"]) == (None, [], None)
    odd = make.image([("a", 1)], config_state=Manifest.ConfigState.MALFORMED, config_problem="no JSON")
    make.put(app, odd, "odd")
    body = tell(client, odd)
    assert (body["config"], body["config_state"], body["config_problem"]) == (None, "malformed", "no JSON")
    unread = make.image([("b", 1)], make.config(author="x"), config_state=Manifest.ConfigState.UNREAD)
    make.put(app, unread, "unread")
    body = tell(client, unread)
    assert (body["config"], body["config_state"], body["history"]) == (None, "unread", [])
    assert body["links"]["raw_config"] is None


def test_one_that_is_gone_stays_to_be_read(client: Client, app: Repository) -> None:
    built = make.image()
    make.put(app, built, gone_at=timezone.now(), dated_by=Presence.DatedBy.FOUND)
    body = tell(client, built)
    assert body["gone_at"]
    assert (body["date"], body["dated_by"], body["tags"]) == (None, "found", [])


def test_what_is_cut_is_said_to_be(client: Client, app: Repository) -> None:
    settings = make.config(run={"Labels": {"long": "x" * 5000}, "Cmd": [str(number) for number in range(300)]})
    built = make.image([(f"l{number}", 1) for number in range(300)], settings)
    make.put(app, built, *(f"1.{number}" for number in range(MOST_TAGS + 5)))
    body = tell(client, built)
    assert body["is_cut"]
    assert (len(body["layers"]), body["layer_count"]) == (200, 300)
    assert (len(body["tags"]), body["more_tags"]) == (MOST_TAGS, 5)
    assert len(body["config"]["labels"]["long"]) == 1000
    assert len(body["config"]["cmd"]) == 100


@pytest.mark.parametrize(
    "said",
    [
        make.config(run={"Labels": {"long": "x" * 1001}}),
        make.config(run={"Env": [f"A{number}=1" for number in range(101)]}),
        make.config(run={"ExposedPorts": {f"{number}/tcp": {} for number in range(101)}}),
        make.config(run={"User": "x" * 1001}),
        make.config(history=[{"created_by": "x" * 1001}]),
    ],
)
def test_each_thing_that_is_cut_is_noticed(client: Client, app: Repository, said: dict[str, Any]) -> None:
    built = make.image([("a", 1)], said)
    make.put(app, built, "1.0")
    assert tell(client, built)["is_cut"]


def test_a_digest_counts_only_in_its_own_repository(client: Client, app: Repository) -> None:
    built = make.image()
    make.put(app, built, "1.0")
    make.repository(app.registry, "team/other")
    assert client.get(f"/api/v1{address(built)}").status_code == 200
    assert client.get(f"/api/v1{address(built, 'team/other')}").status_code == 404


@pytest.mark.parametrize("name", ["app", "a/b/c/d", "tags", "team/tags", "manifests/jobs", "jobs", "a--b/c__d"])
def test_names_may_look_like_routes(client: Client, app: Repository, name: str) -> None:
    built = make.image()
    make.put(make.repository(app.registry, name), built, "tags")
    assert ask(client, address(built, name), ManifestJson)["repository"] == name
    assert client.get(f"/api/v1/repositories/local/{name}").json()["name"] == name
    assert client.get(f"/api/v1/repositories/local/{name}/-/tags").json()["items"][0]["name"] == "tags"


def test_an_image_and_an_index_cost_at_most_ten_queries(
    client: Client, app: Repository, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    children = [(f"linux/p{number}", make.image([(f"l{number}", number)])) for number in range(20)]
    for _, child in children:
        make.put(app, child)
    index = make.index(children)
    make.put(app, index, "1.0")
    for built in (index, children[7][1]):
        with django_assert_num_queries(7):
            client.get(f"/api/v1{address(built)}")
