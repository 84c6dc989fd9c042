"""Manifests, indexes and what hangs on them, in the words of the OCI and Docker specifications."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from registry_ui.start.samples.layers import Layer

OCI_MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX: Final = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG: Final = "application/vnd.oci.image.config.v1+json"
OCI_LAYER: Final = "application/vnd.oci.image.layer.v1.tar+gzip"
OCI_EMPTY: Final = "application/vnd.oci.empty.v1+json"
DOCKER_MANIFEST: Final = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST: Final = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_CONFIG: Final = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER: Final = "application/vnd.docker.image.rootfs.diff.tar.gzip"

# What each kind of manifest calls its config and its layers.
_PARTS: Final = {OCI_MANIFEST: (OCI_CONFIG, OCI_LAYER), DOCKER_MANIFEST: (DOCKER_CONFIG, DOCKER_LAYER)}

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Blob:
    media_type: str
    content: bytes
    annotations: Mapping[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        return f"sha256:{hashlib.sha256(self.content).hexdigest()}"

    @property
    def descriptor(self) -> Json:
        found: Json = {"mediaType": self.media_type, "digest": self.digest, "size": len(self.content)}
        return found | ({"annotations": dict(self.annotations)} if self.annotations else {})


@dataclass(frozen=True, slots=True)
class Document(Blob):
    """A manifest or an index, and what has to be pushed before it."""

    blobs: tuple[Blob, ...] = ()
    children: tuple[Document, ...] = ()
    platform: Mapping[str, str] = field(default_factory=dict)

    @property
    def as_child(self) -> Json:
        return self.descriptor | ({"platform": dict(self.platform)} if self.platform else {})


@dataclass(frozen=True, slots=True)
class Step:
    """A line of an image's history; one without a layer changed only the config."""

    command: str
    layer: Layer | None = None


def image(steps: Sequence[Step], platform: str, when: datetime, run: Json, media_type: str = OCI_MANIFEST) -> Document:
    """An image of `platform` ("linux/arm64/v8"), finished at `when`; `run` is the config's `config`."""
    named = dict(zip(("os", "architecture", "variant"), platform.split("/"), strict=False))
    layers = [step.layer for step in steps if step.layer]
    start = when - timedelta(seconds=7 * len(steps))
    history = [
        {"created": _time(start + timedelta(seconds=7 * number)), "created_by": step.command}
        | ({"comment": "buildkit.dockerfile.v0"} if number else {})
        | ({} if step.layer else {"empty_layer": True})
        for number, step in enumerate(steps, 1)
    ]
    rootfs = {"type": "layers", "diff_ids": [layer.diff_id for layer in layers]}
    config = {**named, "created": _time(when), "config": run, "rootfs": rootfs, "history": history}
    config_type, layer_type = _PARTS[media_type]
    return manifest(
        Blob(config_type, dump(config)),
        [Blob(layer_type, layer.content) for layer in layers],
        media_type=media_type,
        platform=named,
    )


def manifest(
    config: Blob,
    layers: Sequence[Blob],
    *,
    media_type: str = OCI_MANIFEST,
    platform: Mapping[str, str] | None = None,
    own_annotations: Mapping[str, str] | None = None,
    **extra: Any,
) -> Document:
    """`own_annotations` stand in the manifest, `annotations` in the descriptor of an index that lists it."""
    annotations = extra.pop("annotations", {})
    document = {
        "schemaVersion": 2,
        "mediaType": media_type,
        **extra,
        "config": config.descriptor,
        "layers": [layer.descriptor for layer in layers],
    } | ({"annotations": dict(own_annotations)} if own_annotations else {})
    return Document(media_type, dump(document), annotations, blobs=(config, *layers), platform=platform or {})


def index(children: Sequence[Document], media_type: str = OCI_INDEX) -> Document:
    listed = [child.as_child for child in children]
    document = {"schemaVersion": 2, "mediaType": media_type, "manifests": listed}
    return Document(media_type, dump(document), children=tuple(children))


def attestation(of: Document, when: datetime) -> Document:
    """Where an image came from, the way BuildKit attaches it to an index."""
    statement = {
        "_type": "https://in-toto.io/Statement/v0.1",
        "predicateType": "https://slsa.dev/provenance/v0.2",
        "subject": [{"name": "image", "digest": {"sha256": of.digest.removeprefix("sha256:")}}],
        "predicate": {
            "builder": {"id": "https://ci.example.com/builders/1"},
            "buildType": "https://mobyproject.org/buildkit@v1",
            "metadata": {"buildFinishedOn": _time(when), "reproducible": True},
        },
    }
    predicate = {"in-toto.io/predicate-type": "https://slsa.dev/provenance/v0.2"}
    layer = Blob("application/vnd.in-toto+json", dump(statement), predicate)
    unknown = {"architecture": "unknown", "os": "unknown"}
    config = {**unknown, "config": {}, "rootfs": {"type": "layers", "diff_ids": [layer.digest]}}
    return manifest(
        Blob(OCI_CONFIG, dump(config)),
        [layer],
        platform=unknown,
        annotations={
            "vnd.docker.reference.digest": of.digest,
            "vnd.docker.reference.type": "attestation-manifest",
        },
    )


def dump(document: Json) -> bytes:
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()


def _time(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")
