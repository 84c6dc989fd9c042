"""What a hostile registry serves while it behaves, and what is left when a scan of it is over."""

from __future__ import annotations

import json
from typing import Any

from catalog.models import Presence, Repository, Tag
from registries.models import Registry
from tests.hostile import Asked, Hostile, Reply
from tests.pushing import OCI_CONFIG, OCI_INDEX, OCI_MANIFEST
from tests.storage_layout import StorageLayout, digest_of

__all__ = ["digest_of", "image", "index_of", "live", "nothing_is_gone", "serve", "serve_manifest", "use_folder"]


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


def index_of(*children: tuple[str, str]) -> dict[str, Any]:
    manifests = [{"mediaType": media_type, "digest": digest, "size": 400} for media_type, digest in children]
    return {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests}


def use_folder(row: Registry, hostile: Hostile, layout: StorageLayout) -> None:
    """Read this from now on: the registry plays the one it belongs to, and takes uploads."""
    two = {"Content-Type": "application/json; charset=utf-8", "Docker-Distribution-Api-Version": "registry/2.0"}
    hostile.on("GET", "/v2/", Reply(200, b"{}", two))
    uuid = "8c9e2a10-0000-4000-8000-000000000001"

    def begin(asked: Asked) -> Reply:
        name = asked.path.removeprefix("/v2/").removesuffix("/blobs/uploads/")
        layout.upload(name, uuid)
        return Reply(202, headers={"Location": f"{asked.path}{uuid}", "Docker-Upload-UUID": uuid})

    for repository in layout.repositories.glob("**/_layers"):
        name = repository.parent.relative_to(layout.repositories)
        hostile.on("POST", f"/v2/{name}/blobs/uploads/", begin)
        hostile.on("DELETE", f"/v2/{name}/blobs/uploads/{uuid}", Reply(204))
    Registry.objects.filter(pk=row.pk).update(storage=str(layout.root))
    row.refresh_from_db()


def live() -> set[tuple[str, str]]:
    return set(Tag.objects.live().values_list("repository__name", "name"))


def nothing_is_gone() -> bool:
    return not (
        Tag.objects.exclude(gone_at=None).exists()
        or Repository.objects.exclude(gone_at=None, missed=0).exists()
        or Presence.objects.exclude(gone_at=None).exists()
    )
