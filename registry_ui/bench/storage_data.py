"""A storage folder as the `filesystem` driver of distribution keeps it, written without a registry and without a push.

Half as many images as tags, every tenth image an index of three platforms, and for every ten images one more that no
tag names. Half of all are of OCI types, half of Docker's. The same shape and seed give the same digests.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

_LAYERS: Final = 12  # that all images share: what the data costs is links and documents
_LAYER_BYTES: Final = 4096
_FEWEST, _MOST = 2, 6  # layers of an image
_TEAMS: Final = ("web", "data", "infra", "tools", "mobile", "core", "labs", "billing")
_PLATFORMS: Final = (("amd64", ""), ("arm64", "v8"), ("s390x", ""))
_FIRST_BUILD: Final = datetime(2020, 1, 1, tzinfo=UTC)
_DOCKER: Final = "application/vnd.docker."
_OCI: Final = "application/vnd.oci.image."


@dataclass(frozen=True, slots=True)
class Shape:
    """`images` of a repository are distinct and tagged; None: one for every two tags.

    `past`: each tag has the folder of all that it ever pointed to, which costs as much as the rest; no reader looks.
    """

    repositories: int
    tags: int
    images: int | None = None
    past: bool = True
    index_every: int = 10
    untagged_every: int = 10


@dataclass(frozen=True, slots=True)
class _Types:
    manifest: str
    index: str
    config: str
    layer: str


_KINDS: Final = (
    _Types(
        f"{_DOCKER}distribution.manifest.v2+json",
        f"{_DOCKER}distribution.manifest.list.v2+json",
        f"{_DOCKER}container.image.v1+json",
        f"{_DOCKER}image.rootfs.diff.tar.gzip",
    ),
    _Types(f"{_OCI}manifest.v1+json", f"{_OCI}index.v1+json", f"{_OCI}config.v1+json", f"{_OCI}layer.v1.tar+gzip"),
)


@dataclass(frozen=True, slots=True)
class _Blob:
    hex: str
    size: int

    @property
    def digest(self) -> str:
        return f"sha256:{self.hex}"


@dataclass(frozen=True, slots=True)
class _Layer(_Blob):
    diff_id: str


def write(root: Path, shape: Shape, seed: int) -> None:
    """Fill the empty folder `root`."""
    _Writer(root, shape, seed).write()


class _Writer:
    def __init__(self, root: Path, shape: Shape, seed: int) -> None:
        self._base = str(root / "docker/registry/v2")
        self._shape, self._seed = shape, seed
        self._random = random.Random(seed)  # noqa: S311  nothing here is secret
        self._shards: set[str] = set()
        self._built = 0

    def write(self) -> None:
        self._layers = [self._layer() for _ in range(_LAYERS)]
        for number in range(self._shape.repositories):
            self._repository(number)

    def _repository(self, number: int) -> None:
        shape = self._shape
        name = f"{_TEAMS[number % len(_TEAMS)]}/service-{self._seed}-{number:05}"
        for kind in ("_layers/sha256", "_manifests/revisions/sha256", "_manifests/tags"):
            os.makedirs(f"{self._base}/repositories/{name}/{kind}")  # noqa: PTH103  half a million files: strings
        for layer in self._layers:
            self._link(name, f"_layers/sha256/{layer.hex}", layer)
        distinct = shape.images or max(1, shape.tags // 2)
        images = [self._image_or_index(name, at) for at in range(distinct)]
        for at in range(shape.tags):
            tag, image = ("latest", images[-1]) if at == 0 else (f"1.{at // 10}.{at % 10}", images[at % distinct])
            self._tag(name, tag, image)
        for at in range(distinct // shape.untagged_every):
            self._image_or_index(name, distinct + at)

    def _tag(self, repository: str, tag: str, image: _Blob) -> None:
        folder = f"{self._base}/repositories/{repository}/_manifests/tags/{tag}"
        os.mkdir(folder)  # noqa: PTH102
        _write_new(f"{folder}/current", "link", image.digest.encode())
        if self._shape.past:
            os.makedirs(f"{folder}/index/sha256")  # noqa: PTH103
            _write_new(f"{folder}/index/sha256/{image.hex}", "link", image.digest.encode())

    def _image_or_index(self, repository: str, at: int) -> _Blob:
        types = _KINDS[at % 2]
        layers = [self._layers[0], *self._random.sample(self._layers[1:], self._random.randint(_FEWEST, _MOST) - 1)]
        # The middle of each ten, so that both kinds of types have indexes.
        if at % self._shape.index_every != (self._shape.index_every // 2 + at // self._shape.index_every % 2):
            return self._image(repository, types, _PLATFORMS[0], layers)
        entries = []
        for platform in _PLATFORMS:
            image = self._image(repository, types, platform, layers)
            entry = {"mediaType": types.manifest, "digest": image.digest, "size": image.size}
            entries.append({**entry, "platform": _platform(platform)})
        return self._manifest(repository, {"schemaVersion": 2, "mediaType": types.index, "manifests": entries})

    def _image(self, repository: str, types: _Types, platform: tuple[str, str], layers: Sequence[_Layer]) -> _Blob:
        self._built += 1
        created = (_FIRST_BUILD + timedelta(seconds=97 * self._built)).strftime("%Y-%m-%dT%H:%M:%SZ")
        labels = {
            "org.opencontainers.image.title": repository,
            "org.opencontainers.image.version": str(self._built),
            "org.opencontainers.image.revision": f"{self._seed:08x}{self._built:032x}",
        }
        config = self._document(
            {
                **_platform(platform),
                "created": created,
                "config": {
                    "Env": ["PATH=/usr/local/bin:/usr/bin:/bin"],
                    "Entrypoint": ["/srv/service"],
                    "WorkingDir": "/srv",
                    "Labels": labels,
                },
                "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in layers]},
                "history": [{"created": created, "created_by": f"COPY {layer.hex[:8]} /srv"} for layer in layers],
            }
        )
        self._link(repository, f"_layers/sha256/{config.hex}", config)
        return self._manifest(
            repository,
            {
                "schemaVersion": 2,
                "mediaType": types.manifest,
                "config": {"mediaType": types.config, "digest": config.digest, "size": config.size},
                "layers": [{"mediaType": types.layer, "digest": one.digest, "size": one.size} for one in layers],
            },
        )

    def _manifest(self, repository: str, content: dict[str, Any]) -> _Blob:
        manifest = self._document(content)
        self._link(repository, f"_manifests/revisions/sha256/{manifest.hex}", manifest)
        return manifest

    def _layer(self) -> _Layer:
        content = self._random.randbytes(_LAYER_BYTES)
        blob = self._blob(gzip.compress(content, 1, mtime=0))
        return _Layer(blob.hex, blob.size, f"sha256:{hashlib.sha256(content).hexdigest()}")

    def _document(self, content: dict[str, Any]) -> _Blob:
        return self._blob(json.dumps(content, separators=(",", ":")).encode())

    def _blob(self, content: bytes) -> _Blob:
        hex_ = hashlib.sha256(content).hexdigest()
        shard = f"{self._base}/blobs/sha256/{hex_[:2]}"
        if shard not in self._shards:
            os.makedirs(shard, exist_ok=True)  # noqa: PTH103
            self._shards.add(shard)
        _write_new(f"{shard}/{hex_}", "data", content)
        return _Blob(hex_, len(content))

    def _link(self, repository: str, place: str, blob: _Blob) -> None:
        _write_new(f"{self._base}/repositories/{repository}/{place}", "link", blob.digest.encode())


def _platform(platform: tuple[str, str]) -> dict[str, str]:
    architecture, variant = platform
    return {"architecture": architecture, "os": "linux", **({"variant": variant} if variant else {})}


def _write_new(folder: str, name: str, content: bytes) -> None:
    os.mkdir(folder)  # noqa: PTH102
    descriptor = os.open(f"{folder}/{name}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    os.write(descriptor, content)
    os.close(descriptor)
