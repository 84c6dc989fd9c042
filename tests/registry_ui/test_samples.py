from __future__ import annotations

import gzip
import hashlib
import io
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from oci.client import RegistryClient
from oci.endpoint import Endpoint
from oci.names import parse_repository
from registry_ui.start.samples import BEGUN, DONE
from registry_ui.start.samples.contents import pushes
from registry_ui.start.samples.push import fill
from tests.pushing import Pusher
from tests.real_registry import RealRegistry


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[RealRegistry]:
    with RealRegistry(tmp_path) as registry:
        yield registry


@pytest.fixture
def client(empty: RealRegistry) -> Iterator[RegistryClient]:
    with RegistryClient(Endpoint.parse(empty.url)) as client:
        yield client


def repositories(client: RegistryClient) -> set[str]:
    return {name for page in client.repositories() for name in page.names}


def test_the_bytes_are_the_same_everywhere() -> None:
    digests = "".join(push.document.digest for push in pushes())
    pinned = "b0aa3458506c2a4024fe30525608778402b4c64cc541091e9bb44f5fee1ad899"

    assert hashlib.sha256(digests.encode()).hexdigest() == pinned


def test_every_layer_is_a_tar_in_a_gzip() -> None:
    layers = {
        blob.digest: blob.content
        for push in pushes()
        for document in (push.document, *push.document.children)
        for blob in document.blobs
        if "gzip" in blob.media_type
    }

    names: set[str] = set()
    for layer in layers.values():
        with tarfile.open(fileobj=io.BytesIO(gzip.decompress(layer))) as archive:
            names.update(archive.getnames())

    assert {"etc/os-release", "var/lib/dpkg/status", "var/cache/apt/.wh.pkgcache.bin"} <= names
    assert sum(map(len, layers.values())) < 25_000_000


def test_an_empty_registry_is_filled_once(client: RegistryClient, tmp_path: Path) -> None:
    marker = tmp_path / "samples"

    assert fill(client, marker)
    assert repositories(client) == {push.repository for push in pushes()}
    assert not fill(client, marker)
    assert marker.read_text() == DONE


def test_a_filling_that_was_cut_short_goes_on(client: RegistryClient, tmp_path: Path) -> None:
    marker = tmp_path / "samples"
    client.push_blob(parse_repository("hello"), b"the first of many")
    marker.write_text(BEGUN)

    assert fill(client, marker)
    assert "platform/api" in repositories(client)


def test_a_registry_that_holds_something_is_left_alone(
    client: RegistryClient, empty: RealRegistry, tmp_path: Path
) -> None:
    Pusher(empty.url, "mine").image("1")

    assert not fill(client, tmp_path / "samples")
    assert repositories(client) == {"mine"}


def test_other_tools_can_copy_them(client: RegistryClient, empty: RealRegistry, tmp_path: Path) -> None:
    fill(client, tmp_path / "samples")

    for name in ("platform/api:latest", "base/debian:12", "web/storefront:latest", "tools/deep/nested/cli:latest"):
        source = f"docker://{empty.url.removeprefix('http://')}/{name}"
        target = f"oci:{tmp_path}/copied:{name.replace('/', '-').replace(':', '-')}"
        subprocess.run(["skopeo", "copy", "-q", "--all", "--src-tls-verify=false", source, target], check=True)
