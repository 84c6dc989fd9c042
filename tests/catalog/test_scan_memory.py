"""Registries that send as much as they may, and what a scan of them weighs: its process stays below a bound."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from tests.catalog.apart import prepare, scan_apart
from tests.catalog.serving import digest_of, image
from tests.hostile import Asked, Hostile, Raw, Reply
from tests.pushing import OCI_CONFIG, OCI_INDEX, OCI_MANIFEST

MOST: Final = 300  # megabytes
LIMIT: Final = 4 * 2**20  # bytes of a manifest
CONFIG_LIMIT: Final = 8 * 2**20


def large(number: int, document: dict[str, Any] | None = None) -> bytes:
    """A manifest of just the size that a registry takes, unlike any of another number."""
    document = (document or image()) | {"annotations": {"n": str(number), "filling": ""}}
    filling = LIMIT - len(json.dumps(document).encode())
    document["annotations"]["filling"] = "x" * filling
    return json.dumps(document).encode()


def serve_tags(hostile: Hostile, tags: list[str]) -> None:
    hostile.on("GET", "/v2/_catalog", Reply.json({"repositories": ["app"]}))
    hostile.on("GET", "/v2/app/tags/list", Reply.json({"tags": tags}))
    hostile.on("GET", f"/v2/app/blobs/{digest_of(b'{}')}", Reply(200, b"{}"))


def made(content: Callable[[int], bytes], number: int, media_type: str = OCI_MANIFEST) -> Callable[[Asked], Reply]:
    """Made when it is asked for: the test that serves it should stay small too."""
    return lambda _: Reply(200, content(number), {"Content-Type": media_type})


def of_large_manifests(hostile: Hostile) -> None:
    serve_tags(hostile, [str(number) for number in range(40)])
    for number in range(40):
        hostile.on("GET", f"/v2/app/manifests/{number}", made(large, number))


def of_large_children(hostile: Hostile) -> None:
    serve_tags(hostile, ["1"])
    manifests = []
    for number in range(40):
        digest = digest_of(large(number))
        manifests.append({"mediaType": OCI_MANIFEST, "digest": digest, "size": LIMIT})
        hostile.on("GET", f"/v2/app/manifests/{digest}", made(large, number))
    index = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests}).encode()
    hostile.on("GET", "/v2/app/manifests/1", Reply(200, index, {"Content-Type": OCI_INDEX}))


def large_config(number: int) -> bytes:
    history = json.dumps({"os": "linux", "n": number, "history": [{"created_by": "x" * 40}] * 9_000}).encode()
    return history + b" " * (CONFIG_LIMIT - len(history))


def of_large_configs(hostile: Hostile) -> None:
    serve_tags(hostile, [str(number) for number in range(28)])
    for number in range(28):
        digest = digest_of(large_config(number))
        pointer = {"mediaType": OCI_CONFIG, "digest": digest, "size": CONFIG_LIMIT}
        manifest = json.dumps(image() | {"config": pointer}).encode()
        hostile.on("GET", f"/v2/app/manifests/{number}", Reply(200, manifest, {"Content-Type": OCI_MANIFEST}))
        hostile.on("GET", f"/v2/app/blobs/{digest}", made(large_config, number))


def of_many_layers(hostile: Hostile) -> None:
    """As many as a manifest may list, each unlike any of another one, so that four megabytes become much more."""
    serve_tags(hostile, [str(number) for number in range(4)])

    def content(number: int) -> bytes:
        digests = [f"sha256:{number:02x}{layer:062x}" for layer in range(10_000)]
        layers = [{"mediaType": "application/octet-stream", "digest": digest, "size": 1} for digest in digests]
        return json.dumps(image() | {"layers": layers}).encode()

    for number in range(4):
        hostile.on("GET", f"/v2/app/manifests/{number}", made(content, number))


@pytest.mark.parametrize("serve", [of_large_manifests, of_large_children, of_large_configs, of_many_layers])
def test_m02_a_scan_stays_small_whatever_a_registry_sends(
    hostile: Hostile, tmp_path: Path, serve: Callable[[Hostile], None]
) -> None:
    serve(hostile)
    prepare(tmp_path / "data", hostile.url)

    scanned = scan_apart(tmp_path / "data")

    assert scanned.state == "done", scanned.message
    assert {row[2] for row in scanned.picture["presences"]} == {"whole"}
    assert scanned.peak < MOST


def test_m02_a_hundred_thousand_tags_of_a_registry_that_falls_silent(hostile: Hostile, tmp_path: Path) -> None:
    serve_tags(hostile, [f"v{number}.{number}.{number}" for number in range(100_000)])
    for number in range(500):  # no more will be asked for
        hostile.on("GET", f"/v2/app/manifests/v{number}.{number}.{number}", Raw(b""))
    prepare(tmp_path / "data", hostile.url)

    scanned = scan_apart(tmp_path / "data")

    assert scanned.state == "failed"
    assert "25 requests in a row" in scanned.message
    assert scanned.picture["tags"] == []
    assert scanned.peak < MOST
