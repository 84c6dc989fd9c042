"""The folder of a real registry answers as the registry itself does."""

from __future__ import annotations

import hashlib
import time
from urllib.parse import urljoin

import pytest

from oci.client import RegistryClient
from oci.errors import NotFound
from oci.names import Digest, RepositoryName, TagName, parse_repository
from oci.storage import ListedBy, StorageFolder
from tests.oci.conftest import Connect
from tests.pushing import Pusher
from tests.real_registry import V2, RealRegistry


@pytest.fixture
def folder(real_registry: RealRegistry) -> StorageFolder:
    real_registry.storage.mkdir(exist_ok=True)  # it makes it with the first push
    return StorageFolder(real_registry.storage)


def listed_by(registry: RealRegistry) -> ListedBy:
    return "_layers" if registry.generation == V2 else "_manifests"


def api_tags(client: RegistryClient, repository: RepositoryName) -> set[TagName]:
    return {name for page in client.tags(repository) for name in page.names}


def test_it_lists_the_repositories_of_the_catalog(
    real_registry: RealRegistry, folder: StorageFolder, client: RegistryClient, push: Pusher
) -> None:
    top = push.repository
    push.image("1")
    nested, by_digest = Pusher(push.url, f"{top}/nested/deeper"), Pusher(push.url, f"{top}/by-digest")
    nested.image("1")
    by_digest.image()
    blobs_only = Pusher(push.url, f"{top}/blobs-only")
    blobs_only.blob(b"a blob")
    emptied = Pusher(push.url, f"{top}/emptied")
    digest = emptied.image("1")
    client.delete_manifest(parse_repository(emptied.repository), Digest.parse(digest))

    listing = folder.repositories(listed_by=listed_by(real_registry))
    names = list(listing)

    assert sorted(names) == sorted(name for page in client.repositories() for name in page.names)
    assert {top, nested.repository, by_digest.repository, emptied.repository} <= set(names)
    assert (blobs_only.repository in names) == (real_registry.generation == V2)
    assert f"{top}/nested" not in names
    assert (listing.rejected, listing.unread, list(folder.faults)) == (0, 0, [])


def test_it_tells_an_emptied_repository_from_one_that_never_had_a_tag(
    folder: StorageFolder, client: RegistryClient, push: Pusher, repository: RepositoryName
) -> None:
    client.delete_manifest(repository, Digest.parse(push.image("1")))
    untagged = Pusher(push.url, f"{repository}/untagged")
    untagged.image()

    assert list(folder.tags(repository)) == []
    assert api_tags(client, repository) == set()
    for source in (folder, client):
        with pytest.raises(NotFound) as refusal:
            list(source.tags(parse_repository(untagged.repository)))
        assert refusal.value.unknown_name


def test_every_manifest_comes_back_as_the_api_gives_it(
    folder: StorageFolder, client: RegistryClient, push: Pusher, repository: RepositoryName
) -> None:
    amd, arm = push.image("amd", docker=True), push.image("arm", platform="linux/arm64", docker=True)
    push.index("docker", children=[amd, arm], docker=True)
    oci = push.image("oci", "same", seed="oci")
    push.index("index", children=[oci], attestations={push.attestation(): oci})
    push.chart("chart")
    push.artifact("artifact", subject=oci)

    tags = {link.name: link.digest for link in folder.tags(repository)}

    assert set(tags) == api_tags(client, repository)
    for tag, digest in tags.items():
        by_tag, fetched = client.manifest(repository, tag), folder.manifest(repository, digest)
        assert by_tag is not None
        assert (fetched.digest, fetched.content) == (by_tag.digest, by_tag.content)
        assert (fetched.media_type, fetched.manifest, fetched.problem) == (by_tag.media_type, by_tag.manifest, "")
    revisions = set(folder.revisions(repository))
    assert set(tags.values()) < revisions  # the attestation has no tag
    assert all(client.manifest_exists(repository, Digest.parse(digest)) for digest in revisions)
    assert all(folder.manifest_exists(repository, digest) for digest in revisions)


def test_a_deleted_manifest_is_gone_from_both(
    folder: StorageFolder, client: RegistryClient, push: Pusher, repository: RepositoryName
) -> None:
    kept, deleted = push.image("kept", seed="kept"), Digest.parse(push.image("deleted", "too", seed="deleted"))
    client.delete_manifest(repository, deleted)

    assert [link.name for link in folder.tags(repository)] == ["kept"]
    assert list(folder.revisions(repository)) == [kept]
    assert not folder.manifest_exists(repository, deleted)
    assert not client.manifest_exists(repository, deleted)
    assert folder.blob_size(deleted)  # its data stay until a sweep
    for source in (folder, client):
        with pytest.raises(NotFound, match="MANIFEST_UNKNOWN"):
            source.manifest(repository, deleted)


def test_a_manifest_of_another_repository_is_not_served(
    folder: StorageFolder, client: RegistryClient, push: Pusher, repository: RepositoryName
) -> None:
    other = Pusher(push.url, f"{repository}/other")
    other.image("1", seed="other")
    digest = Digest.parse(push.image("1", seed="mine"))

    for source in (folder, client):
        assert not source.manifest_exists(parse_repository(other.repository), digest)
        with pytest.raises(NotFound):
            source.manifest(parse_repository(other.repository), digest)


def test_blobs_are_served_to_the_repositories_that_link_them(
    folder: StorageFolder, client: RegistryClient, push: Pusher, repository: RepositoryName
) -> None:
    content = repository.encode()
    digest = Digest.parse(push.blob(content))
    other = Pusher(push.url, f"{repository}/other")
    other.image("1")

    assert folder.blob(repository, digest, limit=1000) == client.blob(repository, digest, limit=1000) == content
    assert folder.blob_size(digest) == len(content)
    assert (str(digest), len(content)) in {(blob.digest, blob.size) for blob in folder.blobs()}
    assert str(digest) in set(folder.layer_links(repository))
    for source in (folder, client):
        with pytest.raises(NotFound, match="BLOB_UNKNOWN"):
            source.blob(parse_repository(other.repository), digest, limit=1000)
    push._send("DELETE", f"/v2/{repository}/blobs/{digest}")
    for source in (folder, client):
        with pytest.raises(NotFound, match="BLOB_UNKNOWN"):
            source.blob(repository, digest, limit=1000)
    assert str(digest) not in set(folder.layer_links(repository))


def test_a_blob_that_was_pushed_by_its_sha512_is_found_by_it(
    folder: StorageFolder, client: RegistryClient, push: Pusher, repository: RepositoryName
) -> None:
    content = b"by sha512"
    digest = Digest("sha512", hashlib.sha512(content).hexdigest())
    location = urljoin(push.url, push._send("POST", f"/v2/{repository}/blobs/uploads/")["Location"])
    push._send("PUT", f"{location}&digest={digest}", content)

    assert folder.blob(repository, digest, limit=1000) == client.blob(repository, digest, limit=1000) == content
    assert set(folder.layer_links(repository)) == {str(digest), str(Digest.of(content))}


def test_a_tag_was_linked_when_it_was_pushed_last(
    folder: StorageFolder, push: Pusher, repository: RepositoryName
) -> None:
    started = time.time_ns()
    push.image("1", "2", seed="first")
    first = {link.name: link.linked_ns for link in folder.tags(repository)}
    push.image("1", seed="second")
    second = {link.name: link.linked_ns for link in folder.tags(repository)}

    tick = 10_000_000  # a file system stamps with the clock of its last tick
    assert started - tick <= first[TagName("1")] <= first[TagName("2")] <= time.time_ns()
    assert second[TagName("2")] == first[TagName("2")]
    assert second[TagName("1")] > first[TagName("2")]


def test_an_open_upload_is_seen_until_it_is_cancelled(
    real_registry: RealRegistry, folder: StorageFolder, connect: Connect, push: Pusher, repository: RepositoryName
) -> None:
    push.image("1")
    client = connect(real_registry.url)
    upload = client.begin_upload(repository)

    assert folder.has_upload(repository, upload.uuid)
    (seen,) = folder.uploads(repository)
    assert (seen.uuid, seen.size) == (upload.uuid, 0)
    assert seen.started_at is not None
    assert abs(seen.started_at.timestamp() - time.time()) < 60
    client.cancel_upload(upload)
    assert not folder.has_upload(repository, upload.uuid)
    assert list(folder.uploads(repository)) == []  # though the registry leaves its folder


def test_a_registry_that_nobody_pushed_to_is_empty(real_registry: RealRegistry) -> None:
    with RealRegistry(real_registry.folder / "fresh", real_registry.generation) as fresh:
        fresh.storage.mkdir(exist_ok=True)
        folder = StorageFolder(fresh.storage)
        assert list(folder.repositories()) == []
        assert list(folder.blobs()) == []
        push = Pusher(fresh.url, "team/app")
        push.image("1")
        assert list(folder.repositories()) == ["team/app"]
        assert [link.name for link in folder.tags(parse_repository("team/app"))] == ["1"]
