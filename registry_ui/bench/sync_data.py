"""Repositories to copy from: a large image, many small ones that share layers, and one for four platforms, signed."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from oci.client import RegistryClient
from oci.endpoint import Endpoint
from oci.media_types import OCI_INDEX
from oci.names import Digest, parse_repository, parse_tag
from oci.transfer.attached import tag_of

LARGE: Final = "bench/large"
SMALL: Final = "bench/small"
SIGNED: Final = "bench/signed"
_MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
_CONFIG: Final = "application/vnd.oci.image.config.v1+json"
_LAYER: Final = "application/vnd.oci.image.layer.v1.tar+gzip"
_COSIGN: Final = "application/vnd.dev.cosign.simplesigning.v1+json"
_IN_TOTO: Final = "application/vnd.in-toto+json"
_PLATFORMS: Final = ("amd64", "arm64", "s390x", "ppc64le")


@dataclass(frozen=True, slots=True)
class Load:
    """`layer` is the bytes of each of the eight layers of the large image; `images` how many small ones there are."""

    layer: int
    images: int
    layer_of_signed: int


def write(url: str, load: Load) -> None:
    """Push all of it to the registry at `url`."""
    with RegistryClient(Endpoint.parse(url, plain_http=True)) as client:
        noise = random.Random(7)  # noqa: S311  the same each time, and nothing that shrinks
        large = _Pusher(client, LARGE)
        large.image("1.0", [noise.randbytes(load.layer) for _ in range(8)])
        small = _Pusher(client, SMALL)
        shared = [noise.randbytes(10_000) for _ in range(3)]
        for number in range(load.images):
            small.image(f"1.{number}", [*shared, noise.randbytes(10_000), noise.randbytes(10_000)])
        _write_signed(_Pusher(client, SIGNED), noise, load.layer_of_signed)


def _write_signed(push: _Pusher, noise: random.Random, size: int) -> None:
    children = []
    for platform in _PLATFORMS:
        image = push.image("", [noise.randbytes(size) for _ in range(3)], platform)
        children.append(image | {"platform": {"os": "linux", "architecture": platform}})
    attested = []
    for child in children:
        attestation = push.image("", [noise.randbytes(4_000)], "unknown", layer=_IN_TOTO)
        annotations = {
            "vnd.docker.reference.type": "attestation-manifest",
            "vnd.docker.reference.digest": child["digest"],
        }
        unknown = {"os": "unknown", "architecture": "unknown"}
        attested.append(attestation | {"platform": unknown, "annotations": annotations})
    index = push.put({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [*children, *attested]}, "1.0")
    for signed in (index, *children):
        tag = tag_of(Digest.parse(signed["digest"]), "sig")
        push.image(tag, [noise.randbytes(600)], "unknown", layer=_COSIGN)


class _Pusher:
    def __init__(self, client: RegistryClient, repository: str) -> None:
        self._client, self._name = client, parse_repository(repository)

    def image(
        self, tag: str, layers: Sequence[bytes], platform: str = "amd64", *, layer: str = _LAYER
    ) -> dict[str, Any]:
        described = [self._blob(layer, content) for content in layers]
        config = {"architecture": platform, "os": "linux", "rootfs": {"type": "layers", "diff_ids": []}}
        of_config = self._blob(_CONFIG, json.dumps(config | {"layers": [one["digest"] for one in described]}).encode())
        return self.put({"schemaVersion": 2, "mediaType": _MANIFEST, "config": of_config, "layers": described}, tag)

    def put(self, document: dict[str, Any], tag: str) -> dict[str, Any]:
        content = json.dumps(document).encode()
        digest, media_type = Digest.of(content), str(document["mediaType"])
        self._client.put_manifest(self._name, parse_tag(tag) if tag else digest, media_type, content)
        return {"mediaType": media_type, "digest": str(digest), "size": len(content)}

    def _blob(self, media_type: str, content: bytes) -> dict[str, Any]:
        digest = Digest.of(content)
        if not self._client.blob_exists(self._name, digest):
            self._client.push_blob(self._name, content)
        return {"mediaType": media_type, "digest": str(digest), "size": len(content)}
