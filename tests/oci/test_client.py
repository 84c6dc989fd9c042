from __future__ import annotations

import hashlib
import json
import re
import urllib.request
from typing import TYPE_CHECKING

import pytest

from oci.client import Fetched, RegistryClient
from oci.errors import BadAnswer, DigestMismatch, NotFound, Refused, TooLarge
from oci.model import ImageIndex, ImageManifest, Schema1Manifest
from oci.names import Digest, RepositoryName, TagName, parse_repository, parse_tag
from tests.hostile import Hostile, Reply
from tests.oci.conftest import Connect
from tests.pushing import DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST, Pusher
from tests.real_registry import V2, V3, RealRegistry

if TYPE_CHECKING:
    from pathlib import Path

REPOSITORY = parse_repository("team/app")
LATEST = parse_tag("latest")
EMPTY_IMAGE = json.dumps(
    {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": f"sha256:{'0' * 64}", "size": 2},
        "layers": [],
    },
).encode()


def tags_of(client: RegistryClient, repository: RepositoryName) -> list[TagName]:
    return [tag for page in client.tags(repository) for tag in page.names]


def fetch(client: RegistryClient, repository: RepositoryName, target: str) -> Fetched:
    fetched = client.manifest(repository, Digest.parse(target) if ":" in target else parse_tag(target))
    assert fetched is not None
    return fetched


# -- listing ----------------------------------------------------------------------------------------------------


def test_lists_every_tag_across_pages(client: RegistryClient, push: Pusher, repository: RepositoryName) -> None:
    push.image("1", "2", "3", "4", "5")

    assert sorted(tags_of(client, repository)) == ["1", "2", "3", "4", "5"]


def test_lists_every_repository_across_pages(client: RegistryClient, push: Pusher) -> None:
    for number in range(5):
        Pusher(push.url, f"{push.repository}/{number}").image("latest")

    names = [name for page in client.repositories() for name in page.names]

    assert {f"{push.repository}/{number}" for number in range(5)} <= set(names)
    assert len(names) == len(set(names))


def test_a_repository_that_lost_its_tags_is_empty_and_not_absent(
    client: RegistryClient,
    push: Pusher,
    repository: RepositoryName,
) -> None:
    client.delete_manifest(repository, Digest.parse(push.image("1")))

    assert tags_of(client, repository) == []


def test_an_absent_repository_is_unknown_by_name(client: RegistryClient) -> None:
    with pytest.raises(NotFound) as refusal:
        tags_of(client, parse_repository("no/such/repository"))

    assert refusal.value.unknown_name


def test_a_plain_404_does_not_say_that_a_name_is_unknown(hostile: Hostile, connect: Connect) -> None:
    with pytest.raises(NotFound) as refusal:
        tags_of(connect(hostile.url), REPOSITORY)

    assert refusal.value.reasons == ()
    assert not refusal.value.unknown_name


def test_names_that_break_the_grammar_are_counted_and_never_returned(hostile: Hostile, connect: Connect) -> None:
    bad = ["<b>", 'a"b', "a\nb", "{{a}}", "a" * 10_000, "\u0430pple", "A", "../a", "", 5, None, ["a"], {"a": 1}, True]
    good = ["a", "b/c", "d-e", "f.g", "h__i"]
    hostile.on("GET", "/v2/_catalog", Reply.json({"repositories": [*bad, *good]}))

    pages = list(connect(hostile.url).repositories())

    assert [page.names for page in pages] == [tuple(good)]
    assert [page.rejected for page in pages] == [len(bad)]


def test_a_name_on_two_pages_is_given_once(hostile: Hostile, connect: Connect) -> None:
    link = '</v2/_catalog?last=b&n=2>; rel="next"'
    hostile.on(
        "GET",
        "/v2/_catalog",
        Reply.json({"repositories": ["a", "b", "a"]}, Link=link),
        Reply.json({"repositories": ["b", "c"]}),
    )

    assert [page.names for page in connect(hostile.url).repositories()] == [("a", "b"), ("c",)]


def test_pages_may_be_linked_by_absolute_addresses(hostile: Hostile, connect: Connect) -> None:
    hostile.on("GET", "/v2/_catalog", Reply.json({"repositories": ["b"]}))
    first = Reply.json({"repositories": ["a"]}, Link=f"<{hostile.url}/v2/_catalog?n=1&last=a>; rel=next")
    hostile.on("GET", "/v2/_catalog?n=1000", first)

    assert [page.names for page in connect(hostile.url).repositories()] == [("a",), ("b",)]


@pytest.mark.parametrize(
    "link",
    [
        "<{other}/v2/_catalog?n=1>; rel=next",
        "<//{host}/v2/_catalog?n=1>; rel=next",
        "<https://127.0.0.2/v2/_catalog>; rel=next",
        "<https://127.0.0.1:444/v2/_catalog>; rel=next",
        "</v2/team/app/tags/list>; rel=next",
        "</v2/../secret>; rel=next",
        "</other>; rel=next",
        "<ftp://127.0.0.1/v2/_catalog>; rel=next",
        "<http://a:b@127.0.0.1/v2/_catalog>; rel=next",
        "<>; rel=next",
    ],
)
def test_a_page_link_that_leads_away_is_not_followed(
    link: str,
    hostile: Hostile,
    other_host: Hostile,
    connect: Connect,
) -> None:
    link = link.format(other=other_host.url, host=f"127.0.0.1:{other_host.port}")
    hostile.on("GET", "/v2/_catalog", Reply.json({"repositories": ["a"]}, Link=link))

    with pytest.raises(BadAnswer, match=r"lead|web address|circle"):
        list(connect(hostile.url).repositories())

    assert other_host.requests == []
    assert len(hostile.requests) == 1


def test_the_pages_of_a_registry_under_a_path_stay_under_it(hostile: Hostile, connect: Connect) -> None:
    hostile.on("GET", "/team/v2/_catalog", Reply.json({"repositories": ["a"]}, Link="</v2/_catalog?n=1>; rel=next"))

    with pytest.raises(BadAnswer, match="leads away"):
        list(connect(f"{hostile.url}/team/").repositories())


def test_pages_that_go_in_a_circle_end(hostile: Hostile, connect: Connect) -> None:
    hostile.on("GET", "/v2/_catalog", Reply.json({"repositories": ["a"]}, Link="</v2/_catalog?n=1>; rel=next"))

    with pytest.raises(BadAnswer, match="circle"):
        list(connect(hostile.url).repositories())

    assert len(hostile.requests) == 2


def test_pages_without_end_are_left_in_the_end(
    hostile: Hostile,
    connect: Connect,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("oci.client.MOST_PAGES", 20)
    counter = iter(range(1000))
    hostile.on(
        "GET",
        "/v2/_catalog",
        lambda _: Reply.json({"repositories": []}, Link=f"</v2/_catalog?n={next(counter)}>; rel=next"),
    )

    with pytest.raises(BadAnswer, match="more than 20 pages"):
        list(connect(hostile.url).repositories())

    assert len(hostile.requests) == 21


def test_a_page_size_that_is_refused_is_made_smaller_and_remembered(hostile: Hostile, connect: Connect) -> None:
    refused = Reply.errors(400, "PAGINATION_NUMBER_INVALID")
    hostile.on("GET", "/v2/_catalog?n=1000", refused)
    hostile.on("GET", "/v2/_catalog?n=100", refused)
    hostile.on("GET", "/v2/_catalog", Reply.json({"repositories": ["a"]}))
    client = connect(hostile.url)

    assert [page.names for page in client.repositories()] == [("a",)]
    assert [page.names for page in client.repositories()] == [("a",)]

    assert [request.query for request in hostile.requests] == ["n=1000", "n=100", "", ""]


def test_a_real_registry_that_allows_fewer_names_a_page_is_listed_all_the_same(
    real_registry: RealRegistry,
    push: Pusher,
    connect: Connect,
) -> None:
    push.image("latest")
    client = connect(real_registry.url, page_size=1001)

    names = [name for page in client.repositories() for name in page.names]

    assert push.repository in names
    assert client.page_size == 100


@pytest.mark.parametrize(
    "body",
    [b"<html>", b"", b"[]", b"null", b"{}", b'{"repositories": {}}', b'{"repositories": "a"}', b"[" * 100_000, b"\xff"],
)
def test_a_list_of_the_wrong_shape_is_a_bad_answer_and_not_an_empty_list(
    body: bytes,
    hostile: Hostile,
    connect: Connect,
) -> None:
    hostile.on("GET", "/v2/_catalog", Reply(200, body))

    with pytest.raises(BadAnswer):
        list(connect(hostile.url).repositories())


# -- manifests --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("docker", [True, False])
def test_an_image_comes_back_with_its_exact_bytes(
    docker: bool,
    client: RegistryClient,
    push: Pusher,
    repository: RepositoryName,
) -> None:
    digest = push.image("latest", layers=[b"one", b"two"], docker=docker)

    for target in ("latest", digest):
        fetched = fetch(client, repository, target)
        assert str(fetched.digest) == digest
        assert fetched.content == push.fetch(target)
        assert fetched.media_type == (DOCKER_MANIFEST if docker else OCI_MANIFEST)
        assert isinstance(fetched.manifest, ImageManifest)
        assert fetched.manifest.kind == "image"
        assert len(fetched.manifest.layers) == 2


@pytest.mark.parametrize("docker", [True, False])
def test_an_index_comes_back_as_an_index_and_not_as_one_of_its_images(
    docker: bool,
    client: RegistryClient,
    push: Pusher,
    repository: RepositoryName,
) -> None:
    images = [push.image(platform=name, docker=docker) for name in ("linux/amd64", "linux/arm64/v8")]
    digest = push.index("latest", children=images, docker=docker)

    for target in ("latest", digest):
        fetched = fetch(client, repository, target)
        assert str(fetched.digest) == digest
        assert fetched.media_type == (DOCKER_LIST if docker else OCI_INDEX)
        assert isinstance(fetched.manifest, ImageIndex)
        assert [str(platform) for platform in fetched.manifest.platforms] == ["linux/amd64", "linux/arm64/v8"]


def test_an_attestation_names_the_image_that_it_is_about(
    client: RegistryClient,
    push: Pusher,
    repository: RepositoryName,
) -> None:
    image = push.image()
    attestation = push.attestation()
    push.index("latest", children=[image], attestations={attestation: image})

    index = fetch(client, repository, "latest").manifest

    assert isinstance(index, ImageIndex)
    assert [str(d.attests) for d in index.manifests if d.is_attestation] == [image]
    assert [str(platform) for platform in index.platforms] == ["linux/amd64"]
    inside = fetch(client, repository, attestation).manifest
    assert isinstance(inside, ImageManifest)
    assert inside.kind == "attestation"


def test_artifacts_and_charts_are_told_from_images(
    client: RegistryClient,
    push: Pusher,
    repository: RepositoryName,
) -> None:
    image = push.image("latest")
    push.artifact("thing", subject=image)
    push.chart("chart")

    thing, chart = (fetch(client, repository, tag).manifest for tag in ("thing", "chart"))

    assert isinstance(thing, ImageManifest)
    assert thing.kind == "artifact"
    assert thing.subject is not None
    assert str(thing.subject.digest) == image
    assert isinstance(chart, ImageManifest)
    assert chart.kind == "chart"


def test_an_unchanged_tag_costs_no_second_read(
    client: RegistryClient,
    push: Pusher,
    repository: RepositoryName,
) -> None:
    old = Digest.parse(push.image("latest"))

    assert client.manifest(repository, LATEST, unless=old) is None

    new = push.image("latest", seed="other")
    fetched = client.manifest(repository, LATEST, unless=old)
    assert fetched is not None
    assert str(fetched.digest) == new


def test_a_missing_manifest_says_what_was_asked_and_why_not(
    client: RegistryClient,
    push: Pusher,
    repository: RepositoryName,
) -> None:
    push.image("latest")

    with pytest.raises(NotFound, match="MANIFEST_UNKNOWN") as refusal:
        fetch(client, repository, "nope")

    assert refusal.value.request == f"GET v2/{push.repository}/manifests/nope"
    assert not refusal.value.unknown_name


def test_every_manifest_request_accepts_all_four_types(hostile: Hostile, connect: Connect) -> None:
    client = connect(hostile.url)
    for target in (LATEST, Digest.of(b"")):
        with pytest.raises(NotFound):
            client.manifest(REPOSITORY, target, unless=Digest.of(b"x"))

    accepted = [set(request.headers["Accept"].split(", ")) for request in hostile.requests]

    assert accepted == [{DOCKER_MANIFEST, DOCKER_LIST, OCI_MANIFEST, OCI_INDEX}] * 2
    assert {request.headers["If-None-Match"] for request in hostile.requests} == {f'"{Digest.of(b"x")}"'}


def test_a_manifest_that_is_not_what_was_asked_for_by_digest_is_refused(hostile: Hostile, connect: Connect) -> None:
    asked = Digest.of(b"something else")
    lie = {"Docker-Content-Digest": str(asked), "Content-Type": OCI_MANIFEST}
    hostile.on("GET", f"/v2/team/app/manifests/{asked}", Reply(200, EMPTY_IMAGE, lie))

    with pytest.raises(DigestMismatch):
        connect(hostile.url).manifest(REPOSITORY, asked)


def test_a_registry_that_lies_about_the_digest_of_a_tag_is_found_out(hostile: Hostile, connect: Connect) -> None:
    lie = {"Docker-Content-Digest": str(Digest.of(b"a lie")), "Content-Type": OCI_MANIFEST}
    hostile.on("GET", "/v2/team/app/manifests/latest", Reply(200, EMPTY_IMAGE, lie))

    with pytest.raises(DigestMismatch):
        connect(hostile.url).manifest(REPOSITORY, LATEST)


@pytest.mark.parametrize("said", ["", "sha256:short", "md5:d41d8cd98f00b204e9800998ecf8427e", "nonsense"])
def test_a_digest_header_that_says_nothing_is_not_needed(said: str, hostile: Hostile, connect: Connect) -> None:
    headers = {"Docker-Content-Digest": said, "Content-Type": OCI_MANIFEST}
    hostile.on("GET", "/v2/team/app/manifests/latest", Reply(200, EMPTY_IMAGE, headers))

    assert fetch(connect(hostile.url), REPOSITORY, "latest").digest == Digest.of(EMPTY_IMAGE)


def test_a_registry_may_name_manifests_by_sha512(hostile: Hostile, connect: Connect) -> None:
    digest = Digest("sha512", hashlib.sha512(EMPTY_IMAGE).hexdigest())
    headers = {"Docker-Content-Digest": str(digest), "Content-Type": OCI_MANIFEST}
    hostile.on("GET", "/v2/team/app/manifests/latest", Reply(200, EMPTY_IMAGE, headers))

    assert fetch(connect(hostile.url), REPOSITORY, "latest").digest == digest


def test_a_malformed_manifest_is_a_fact_with_a_digest_and_a_problem(hostile: Hostile, connect: Connect) -> None:
    content = EMPTY_IMAGE.replace(b'"size": 2', b'"size": -2')
    hostile.on("GET", "/v2/team/app/manifests/latest", Reply(200, content, {"Content-Type": OCI_MANIFEST}))

    fetched = fetch(connect(hostile.url), REPOSITORY, "latest")

    assert fetched.digest == Digest.of(content)
    assert fetched.content == content
    assert fetched.manifest is None
    assert "config.size" in fetched.problem


def test_a_manifest_of_more_than_4_mib_is_not_read(hostile: Hostile, connect: Connect) -> None:
    hostile.on("GET", "/v2/team/app/manifests/latest", Reply(200, b" " * (4 * 2**20 + 1)))

    with pytest.raises(TooLarge):
        connect(hostile.url).manifest(REPOSITORY, LATEST)


def test_a_signed_schema_1_manifest_is_known_by_the_digest_of_what_was_signed(
    tmp_path: Path,
    hostile: Hostile,
    connect: Connect,
) -> None:
    with RealRegistry(tmp_path, V2) as registry:  # which still makes one for whoever accepts nothing else
        Pusher(registry.url, "old").image("latest", docker=True)
        with urllib.request.urlopen(f"{registry.url}/v2/old/manifests/latest", timeout=10) as answer:
            content, headers = answer.read(), dict(answer.headers)
    assert "v1+prettyjws" in headers["Content-Type"]
    hostile.on("GET", "/v2/team/app/manifests/latest", Reply(200, content, headers))

    fetched = fetch(connect(hostile.url), REPOSITORY, "latest")

    assert str(fetched.digest) == headers["Docker-Content-Digest"]
    assert isinstance(fetched.manifest, Schema1Manifest)


# -- blobs ------------------------------------------------------------------------------------------------------


def test_a_blob_comes_back_whole(client: RegistryClient, push: Pusher, repository: RepositoryName) -> None:
    digest = Digest.parse(push.blob(b"some bytes"))

    assert client.blob(repository, digest, limit=10) == b"some bytes"
    assert client.blob_exists(repository, digest)
    assert not client.blob_exists(repository, Digest.of(b"absent"))


def test_a_blob_above_the_limit_is_not_read(client: RegistryClient, push: Pusher, repository: RepositoryName) -> None:
    digest = Digest.parse(push.blob(b"some bytes"))

    with pytest.raises(TooLarge):
        client.blob(repository, digest, limit=9)


@pytest.mark.parametrize("content", [b"", b"s", b"some", b"some byte", b"some bytess", b"some bytez"])
def test_a_blob_that_is_not_the_one_asked_for_is_refused(content: bytes, hostile: Hostile, connect: Connect) -> None:
    digest = Digest.of(b"some bytes")
    hostile.on("GET", f"/v2/team/app/blobs/{digest}", Reply(200, content, {"Docker-Content-Digest": str(digest)}))

    with pytest.raises(DigestMismatch):
        connect(hostile.url).blob(REPOSITORY, digest, limit=100)


def test_what_we_push_can_be_pulled(client: RegistryClient, repository: RepositoryName, push: Pusher) -> None:
    config = client.push_blob(repository, b"{}")
    content = EMPTY_IMAGE.replace(b"sha256:" + b"0" * 64, str(config).encode())

    by_tag = client.put_manifest(repository, LATEST, OCI_MANIFEST, content)
    by_digest = client.put_manifest(repository, by_tag, OCI_MANIFEST, content)

    assert by_tag == by_digest == Digest.of(content)
    assert push.fetch("latest") == content


def test_a_manifest_before_its_blobs_is_refused_with_the_missing_ones(
    client: RegistryClient,
    repository: RepositoryName,
) -> None:
    with pytest.raises(Refused, match="MANIFEST_BLOB_UNKNOWN") as refusal:
        client.put_manifest(repository, LATEST, OCI_MANIFEST, EMPTY_IMAGE)

    assert refusal.value.answered == 400
    assert refusal.value.code == "refused"


@pytest.mark.parametrize("location", ["{other}/v2/upload?_state=x", "//{host}/v2/upload", "/v2/../x", "", "ftp://a/b"])
def test_an_upload_is_never_continued_on_another_host(
    location: str,
    hostile: Hostile,
    other_host: Hostile,
    connect: Connect,
) -> None:
    location = location.format(other=other_host.url, host=f"127.0.0.1:{other_host.port}")
    hostile.on("POST", "/v2/team/app/blobs/uploads/", Reply(202, headers={"Location": location}))

    with pytest.raises(BadAnswer):
        connect(hostile.url).push_blob(REPOSITORY, b"secret bytes")

    assert other_host.requests == []
    assert [request.method for request in hostile.requests] == ["POST"]


def test_an_upload_keeps_the_state_that_its_location_carries(hostile: Hostile, connect: Connect) -> None:
    hostile.on("POST", "/v2/team/app/blobs/uploads/", Reply(202, headers={"Location": "/v2/up/load?_state=a%2Bb=="}))
    hostile.on("PUT", "/v2/up/load", Reply(201, headers={"Docker-Content-Digest": str(Digest.of(b"bytes"))}))

    digest = connect(hostile.url).push_blob(REPOSITORY, b"bytes")

    put = hostile.asked("/v2/up/load")[0]
    assert put.query == f"_state=a%2Bb==&digest={str(digest).replace(':', '%3A')}"
    assert put.body == b"bytes"


def test_what_was_taken_without_a_word_is_looked_at(hostile: Hostile, connect: Connect) -> None:
    client, blob = connect(hostile.url), Digest.of(b"bytes")
    hostile.on("POST", "/v2/team/app/blobs/uploads/", Reply(202, headers={"Location": "/v2/up/load"}), Reply(201))
    hostile.on("PUT", "/v2/up/load", Reply(201))
    hostile.on("PUT", "/v2/team/app/manifests/latest", Reply(201))

    for push in (
        lambda: client.push_blob(REPOSITORY, b"bytes"),
        lambda: client.mount_blob(REPOSITORY, blob, REPOSITORY),
        lambda: client.put_manifest(REPOSITORY, LATEST, OCI_MANIFEST, EMPTY_IMAGE),
    ):
        with pytest.raises(BadAnswer, match="is not there"):
            push()


# -- deleting ---------------------------------------------------------------------------------------------------


def test_a_delete_takes_along_every_tag_of_the_manifest(
    client: RegistryClient,
    push: Pusher,
    repository: RepositoryName,
) -> None:
    digest = push.image("stable", "1.0")
    push.image("other", seed="other")

    client.delete_manifest(repository, Digest.parse(digest))

    assert tags_of(client, repository) == ["other"]


def test_a_delete_is_never_sent_twice(hostile: Hostile, connect: Connect) -> None:
    hostile.on("DELETE", f"/v2/team/app/manifests/{Digest.of(b'')}", Reply(503))

    with pytest.raises(Refused):
        connect(hostile.url).delete_manifest(REPOSITORY, Digest.of(b""))

    assert len(hostile.requests) == 1


# -- ping -------------------------------------------------------------------------------------------------------


def test_a_ping_tells_the_generation(client: RegistryClient, real_registry: RealRegistry) -> None:
    ping = client.ping()

    assert ping.api_version == "registry/2.0"
    assert ping.generation == {V2: 2, V3: 3}[real_registry.generation]
    assert ping.auth == "none"


@pytest.mark.parametrize(("status", "body"), [(200, b"<html>Welcome</html>"), (200, b""), (204, b"")])
def test_a_web_site_is_no_registry(status: int, body: bytes, hostile: Hostile, connect: Connect) -> None:
    hostile.on("GET", "/v2/", Reply(status, body, {"Content-Type": "text/html"}))

    with pytest.raises(BadAnswer):
        connect(hostile.url).ping()


def test_the_client_says_who_it_is_and_asks_for_no_compression(hostile: Hostile, connect: Connect) -> None:
    with pytest.raises(NotFound):
        connect(hostile.url).ping()

    assert re.fullmatch(r"berth/[0-9.]+", hostile.requests[0].headers["User-Agent"])
    assert hostile.requests[0].headers["Accept-Encoding"] == "identity"


def test_whether_a_manifest_is_in_a_repository(
    client: RegistryClient, push: Pusher, repository: RepositoryName
) -> None:
    digest = Digest.parse(push.image())

    assert client.manifest_exists(repository, digest)
    assert not client.manifest_exists(parse_repository("elsewhere"), digest)
    client.delete_manifest(repository, digest)
    assert not client.manifest_exists(repository, digest)


def test_a_deleted_digest_is_not_modified_for_distribution(
    client: RegistryClient, push: Pusher, repository: RepositoryName
) -> None:
    """Why `unless` is for tags only."""
    digest = Digest.parse(push.image())
    client.delete_manifest(repository, digest)

    assert client.manifest(repository, digest, unless=digest) is None
