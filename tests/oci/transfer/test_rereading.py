"""Reading again all that a target has: how much there may be of it."""

from __future__ import annotations

import json
from typing import Final

import pytest

from oci.client import RegistryClient
from oci.errors import TooLarge
from oci.names import Digest, parse_repository
from oci.transfer.rereading import reread
from oci.transport import Endpoint
from tests.hostile import Hostile, Reply
from tests.oci.transfer.serving import NAME, blob_path, digest_of, serve
from tests.pushing import OCI_INDEX, OCI_MANIFEST

APP: Final = parse_repository(NAME)


def index_of(registry: Hostile, children: list[str]) -> Digest:
    """Of these, whatever they are."""
    described = [{"mediaType": OCI_MANIFEST, "digest": child, "size": 2} for child in children]
    content = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": described}).encode()
    digest = digest_of(content)
    registry.on("GET", f"/v2/{NAME}/manifests/{digest}", Reply(200, content, {"Content-Type": OCI_INDEX}))
    return Digest.parse(digest)


def test_an_image_may_have_more_blobs_than_manifests(hostile: Hostile) -> None:
    """All are read, also where there are more than an image may have manifests."""
    layers = [f"layer {number}".encode() for number in range(2_000)]
    children = [serve(hostile, layers=part) for part in (layers[:1_000], layers[1_000:], layers[:1])]
    read: list[int] = []

    with RegistryClient(Endpoint(hostile.url)) as client:
        reread(client, APP, index_of(hostile, children), read.append)

    assert sum(read) == sum(map(len, layers)) + len(b"{}")
    assert len(hostile.asked(blob_path(b"{}"))) == 1


def test_one_that_is_nested_deeper_than_anybody_nests_is_not_read(hostile: Hostile) -> None:
    digest = Digest.parse(serve(hostile))
    for _ in range(4):
        digest = index_of(hostile, [str(digest)])

    with RegistryClient(Endpoint(hostile.url)) as client, pytest.raises(TooLarge):
        reread(client, APP, digest, lambda _: None)
