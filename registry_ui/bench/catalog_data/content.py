"""Documents of images, indexes, charts and what is attached to them, and what a scan would keep of each.

Bases are shared: a few of them by thousands of repositories, as official images are.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final

from catalog.recording.records import ConfigRecord, ManifestRecord, compressed
from oci.fetched import Fetched
from oci.names import Digest

LABELS: Final = (
    "maintainer",
    "org.opencontainers.image.licenses",
    "org.opencontainers.image.ref.name",
    "org.opencontainers.image.revision",
    "org.opencontainers.image.source",
    "org.opencontainers.image.title",
    "org.opencontainers.image.vendor",
    "org.opencontainers.image.version",
    "team",
)
PLATFORMS: Final = (
    ("linux", "amd64", ""),
    ("linux", "arm64", "v8"),
    ("linux", "arm", "v7"),
    ("linux", "s390x", ""),
    ("linux", "ppc64le", ""),
)
BASES: Final = 80
_BASE_LAYERS: Final = (1, 2, 2, 3, 4)
_SKEW: Final = 1.6  # of how popular a base is, as a power law
_DOCKER: Final = "application/vnd.docker."
_OCI: Final = "application/vnd.oci.image."
_IN_TOTO: Final = "application/vnd.in-toto+json"
_COSIGN: Final = "application/vnd.dev.cosign.simplesigning.v1+json"
_HELM: Final = "application/vnd.cncf.helm."
_MODEL: Final = "application/vnd.acme.model.v1"


@dataclass(frozen=True, slots=True)
class Types:
    manifest: str
    index: str
    config: str
    layer: str


KINDS: Final = (
    Types(
        f"{_DOCKER}distribution.manifest.v2+json",
        f"{_DOCKER}distribution.manifest.list.v2+json",
        f"{_DOCKER}container.image.v1+json",
        f"{_DOCKER}image.rootfs.diff.tar.gzip",
    ),
    Types(f"{_OCI}manifest.v1+json", f"{_OCI}index.v1+json", f"{_OCI}config.v1+json", f"{_OCI}layer.v1.tar+gzip"),
)
_OCI_TYPES: Final = KINDS[1]


@dataclass(frozen=True, slots=True)
class Layer:
    digest: str
    size: int
    step: str  # what the history says of it


@dataclass(frozen=True, slots=True)
class Source:
    """What the images of a repository have in common."""

    name: str
    types: Types
    team: str


def layer(text: str, size: int, step: str) -> Layer:
    """`text` stands for its bytes: nobody ever reads them."""
    return Layer(_digest(text.encode()), size, step)


@cache
def bases(seed: int) -> tuple[tuple[Layer, ...], ...]:
    """The layers of official images, one list an image and platform, the popular ones first."""
    chance = random.Random(seed)  # noqa: S311  nothing here is secret
    return tuple(
        tuple(
            layer(f"base {seed} {number} {at}", chance.randrange(10**6, 90 * 10**6), f"RUN install base-{number} {at}")
            for at in range(chance.choice(_BASE_LAYERS))
        )
        for number in range(BASES * len(PLATFORMS))
    )


def choose_base(chance: random.Random) -> int:
    """The number of a base, of which each platform has layers of its own: see `base_for`."""
    return min(BASES - 1, int(BASES * chance.random() ** (1 + _SKEW)))


def base_for(seed: int, number: int, platform: int) -> tuple[Layer, ...]:
    return bases(seed)[number * len(PLATFORMS) + platform]


def image(source: Source, at: datetime, version: str, layers: Sequence[Layer], platform: int) -> ManifestRecord:
    """A manifest with its config, both read."""
    os, architecture, variant = PLATFORMS[platform]
    created = at.strftime("%Y-%m-%dT%H:%M:%SZ")
    revision = _digest(f"{source.name} {created} {version}".encode())[7:47]
    labels = {
        "maintainer": f"{source.team}@example.com",
        "org.opencontainers.image.revision": revision,
        "org.opencontainers.image.source": f"https://git.example.com/{source.name}",
        "org.opencontainers.image.title": source.name.rpartition("/")[2],
        **({"org.opencontainers.image.version": version} if version else {}),
        "team": source.team,
    }
    settings = {"created": created, "created_by": f"ENV VERSION={version or revision[:7]}", "empty_layer": True}
    entry = {"created": created, "created_by": 'ENTRYPOINT ["/srv/service"]', "empty_layer": True}
    steps = [{"created": created, "created_by": one.step} for one in layers]
    config = _json(
        {
            "architecture": architecture,
            "os": os,
            **({"variant": variant} if variant else {}),
            "created": created,
            "config": {
                "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin", f"VERSION={version}", "TZ=UTC"],
                "Entrypoint": ["/srv/service"],
                "Cmd": ["--listen", ":8080"],
                "WorkingDir": "/srv",
                "User": "65532",
                "ExposedPorts": {"8080/tcp": {}},
                "Labels": labels,
            },
            "rootfs": {"type": "layers", "diff_ids": [_digest(one.digest.encode()) for one in layers]},
            "history": [*steps[:-1], settings, *steps[-1:], entry],
        }
    )
    document = _manifest(
        source.types, source.types.config, config, [_descriptor(source.types.layer, x) for x in layers]
    )
    return _record(source.types.manifest, document)._replace(
        config=ConfigRecord.of(config), config_document=compressed(config)
    )


def attestation(about: ManifestRecord) -> ManifestRecord:
    """What BuildKit says of an image, listed beside it in an index."""
    config = _json({"architecture": "unknown", "os": "unknown", "config": {}, "about": about.digest})
    layers = [
        {
            **_descriptor(_IN_TOTO, layer(f"{what} {about.digest}", 9_000, "")),
            "annotations": {"in-toto.io/predicate-type": f"https://{what}"},
        }
        for what in ("spdx.dev/Document", "slsa.dev/provenance/v0.2")
    ]
    return _record(_OCI_TYPES.manifest, _manifest(_OCI_TYPES, _OCI_TYPES.config, config, layers))


def signature(about: ManifestRecord) -> ManifestRecord:
    """As cosign signs, under a tag made of the digest."""
    config = _json({"architecture": "", "os": "", "config": {}, "about": about.digest})
    layers = [_descriptor(_COSIGN, layer(f"signature of {about.digest}", 250, ""))]
    return _record(_OCI_TYPES.manifest, _manifest(_OCI_TYPES, _OCI_TYPES.config, config, layers))


def chart(source: Source, at: datetime, version: str) -> ManifestRecord:
    name = source.name.rpartition("/")[2]
    home = f"https://git.example.com/{source.name}"
    config = _json({"name": name, "version": version, "appVersion": version, "apiVersion": "v2", "home": home})
    content = _descriptor(f"{_HELM}chart.content.v1.tar+gzip", layer(f"chart {source.name} {version}", 24_000, ""))
    said = {**_said(at, version), "org.opencontainers.image.title": name}
    return _record(_OCI_TYPES.manifest, _manifest(_OCI_TYPES, f"{_HELM}config.v1+json", config, [content], said))


def artifact(source: Source, at: datetime, version: str) -> ManifestRecord:
    """A model, as ORAS pushes one."""
    config = _json({"framework": "onnx", "version": version, "model": source.name})
    content = _descriptor(f"{_MODEL}.tar+gzip", layer(f"model {source.name} {version}", 480_000_000, ""))
    said = {**_said(at, version), "org.opencontainers.image.title": f"{source.name.rpartition('/')[2]}.onnx"}
    return _record(_OCI_TYPES.manifest, _manifest(_OCI_TYPES, f"{_MODEL}.config+json", config, [content], said))


def _said(at: datetime, version: str) -> dict[str, str]:
    return {
        "org.opencontainers.image.created": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "org.opencontainers.image.version": version,
    }


def index(
    types: Types, images: Sequence[tuple[ManifestRecord, int]], attestations: Sequence[ManifestRecord]
) -> ManifestRecord:
    """Of images, each with the number of its platform, and of the attestation of each, or of none."""
    entries = []
    for child, platform in images:
        os, architecture, variant = PLATFORMS[platform]
        named = {"os": os, "architecture": architecture, **({"variant": variant} if variant else {})}
        entries.append({**_entry(child), "platform": named})
    for (about, _), child in zip(images, attestations, strict=False):
        kind = {"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": about.digest}
        unknown = {"os": "unknown", "architecture": "unknown"}
        entries.append({**_entry(child), "platform": unknown, "annotations": kind})
    return _record(types.index, _json({"schemaVersion": 2, "mediaType": types.index, "manifests": entries}))


def _entry(child: ManifestRecord) -> dict[str, Any]:
    return {"mediaType": child.media_type, "digest": child.digest, "size": child.document_size}


def _manifest(
    types: Types, config_type: str, config: bytes, layers: list[dict[str, Any]], said: dict[str, str] | None = None
) -> bytes:
    return _json(
        {
            "schemaVersion": 2,
            "mediaType": types.manifest,
            "config": {"mediaType": config_type, "digest": _digest(config), "size": len(config)},
            "layers": layers,
            **({"annotations": said} if said else {}),
        }
    )


def _record(media_type: str, document: bytes) -> ManifestRecord:
    """As a scan makes it of what came from a registry."""
    fetched = Fetched(Digest.parse(_digest(document)), media_type, document)
    return ManifestRecord.of(fetched)._replace(document=compressed(document))


def _descriptor(media_type: str, one: Layer) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": one.digest, "size": one.size}


def _json(content: dict[str, Any]) -> bytes:
    return json.dumps(content, separators=(",", ":")).encode()


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
