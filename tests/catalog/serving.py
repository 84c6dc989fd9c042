"""What a hostile registry serves while it behaves: a catalog, tags, manifests, configs."""

from __future__ import annotations

import json
from typing import Any

from tests.hostile import Hostile, Reply
from tests.pushing import OCI_CONFIG, OCI_MANIFEST
from tests.storage_layout import digest_of

__all__ = ["digest_of", "image", "serve", "serve_manifest"]


def serve_manifest(hostile: Hostile, repository: str, document: Any, *tags: str, media_type: str = OCI_MANIFEST) -> str:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    digest = digest_of(body)
    reply = Reply(200, body, {"Content-Type": media_type, "Docker-Content-Digest": digest})
    for target in (*tags, digest):
        hostile.on("GET", f"/v2/{repository}/manifests/{target}", reply)
    return digest


def image(config: bytes = b"{}") -> dict[str, Any]:
    return {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": {"mediaType": OCI_CONFIG, "digest": digest_of(config), "size": len(config)},
        "layers": [{"mediaType": "application/octet-stream", "digest": digest_of(b"layer"), "size": 1000}],
    }


def serve(hostile: Hostile, **repositories: list[str]) -> None:
    """A catalog of these repositories, each with these tags, all of one image."""
    hostile.on("GET", "/v2/_catalog", Reply.json({"repositories": list(repositories)}))
    for name, tags in repositories.items():
        hostile.on("GET", f"/v2/{name}/tags/list", Reply.json({"name": name, "tags": tags}))
        serve_manifest(hostile, name, image(), *tags)
        hostile.on("GET", f"/v2/{name}/blobs/{digest_of(b'{}')}", Reply(200, b"{}"))
