"""Writes a registry's storage folder for tests, as the filesystem driver of distribution lays it out.

It shares no code with `oci`: else a wrong path would agree with itself.

    storage = StorageLayout(folder)
    digest = storage.manifest("team/app", {"schemaVersion": 2}, "1.0", "latest")
    storage.tag_link("team/app", "1.0").write_text("")  # and then it is broken

The methods that write return a digest as text; those that end in a noun of the layout return where it stands.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"


class StorageLayout:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.base = root / "docker/registry/v2"
        self.repositories = self.base / "repositories"
        self.blobs = self.base / "blobs"
        self.repositories.mkdir(parents=True, exist_ok=True)

    def blob(self, content: bytes) -> str:
        """Only its data: no repository links it."""
        digest = digest_of(content)
        _write(self.data(digest), content)
        return digest

    def layer(self, repository: str, content: bytes) -> str:
        digest = self.blob(content)
        _write(self.layer_link(repository, digest), digest.encode())
        return digest

    def manifest(self, repository: str, content: bytes | Mapping[str, Any], *tags: str) -> str:
        digest = self.blob(content if isinstance(content, bytes) else json.dumps(content).encode())
        _write(self.revision_link(repository, digest), digest.encode())
        (self.repository(repository) / "_layers").mkdir(exist_ok=True)
        for tag in tags:
            self.tag(repository, tag, digest)
        return digest

    def image(self, repository: str, *tags: str, seed: str = "") -> str:
        """The smallest image: a config, and no layers."""
        config = json.dumps({"os": "linux", "architecture": "amd64", "config": {"Labels": {"seed": seed}}}).encode()
        digest = self.layer(repository, config)
        pointer = {"mediaType": OCI_CONFIG, "digest": digest, "size": len(config)}
        document = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": pointer, "layers": []}
        return self.manifest(repository, document, *tags)

    def tag(self, repository: str, name: str, digest: str) -> None:
        _write(self.tag_link(repository, name), digest.encode())
        algorithm, _, hex_ = digest.partition(":")
        _write(self.tags(repository) / name / "index" / algorithm / hex_ / "link", digest.encode())

    def upload(
        self, repository: str, uuid: str, content: bytes = b"", started_at: str = "2024-05-06T07:08:09Z"
    ) -> None:
        folder = self.repository(repository) / "_uploads" / uuid
        _write(folder / "startedat", started_at.encode())
        _write(folder / "data", content)

    def repository(self, name: str) -> Path:
        return self.repositories / name

    def tags(self, repository: str) -> Path:
        return self.repository(repository) / "_manifests/tags"

    def tag_link(self, repository: str, tag: str) -> Path:
        return self.tags(repository) / tag / "current/link"

    def revision_link(self, repository: str, digest: str) -> Path:
        return self.repository(repository) / "_manifests/revisions" / digest.replace(":", "/") / "link"

    def layer_link(self, repository: str, digest: str) -> Path:
        return self.repository(repository) / "_layers" / digest.replace(":", "/") / "link"

    def data(self, digest: str) -> Path:
        algorithm, _, hex_ = digest.partition(":")
        return self.blobs / algorithm / hex_[:2] / hex_ / "data"


def digest_of(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
