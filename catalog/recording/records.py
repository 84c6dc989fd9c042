"""What the catalog keeps of a manifest and of a config: plain values, made without Django by a process of its own.

The words for kinds, states and roles are those of `catalog.models`.
"""

from __future__ import annotations

import zlib
from datetime import datetime
from typing import Final, NamedTuple

from catalog.facets import of_kind, of_platforms
from catalog.labels import searchable
from catalog.layers_keys import layers_key
from oci.config import parse_time, summarise
from oci.errors import BadAnswer
from oci.fetched import Fetched
from oci.media_types import IMAGE_CONFIGS
from oci.model import Descriptor, ImageIndex, ImageManifest

_CREATED: Final = "org.opencontainers.image.created"
_TYPE_LENGTH: Final = 255
_NAME_LENGTH: Final = 64
_FAST: Final = 1  # of zlib: half the time of its usual level, and a twentieth more bytes


class ConfigRecord(NamedTuple):
    """What lists show of a config, or why nothing can be made of it: a `Manifest.ConfigState`, and the problem."""

    state: str
    problem: str = ""
    os: str = ""
    architecture: str = ""
    variant: str = ""
    created: datetime | None = None
    labels: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, content: bytes) -> ConfigRecord:
        try:
            summary = summarise(content)
        except BadAnswer as error:
            return cls.malformed(str(error))
        labels = searchable(summary.labels.items())
        if (platform := summary.platform) is None:
            return cls("read", created=summary.created, labels=labels)
        os, architecture, variant = _short(platform.os, platform.architecture, platform.variant)
        return cls("read", "", os, architecture, variant, summary.created, labels)

    @classmethod
    def malformed(cls, problem: str) -> ConfigRecord:
        return cls("malformed", problem)

    @property
    def platform(self) -> str:
        return _platform(self.os, self.architecture, self.variant)


class EntryRecord(NamedTuple):
    """A line of an index; `role` is an `IndexEntry.Role`."""

    digest: str
    media_type: str
    document_size: int
    role: str
    os: str = ""
    architecture: str = ""
    variant: str = ""
    os_version: str = ""
    attests: str = ""

    @classmethod
    def of(cls, child: Descriptor) -> EntryRecord:
        said = (str(child.digest), child.media_type[:_TYPE_LENGTH], child.size, _role(child))
        attests = str(child.attests or "")
        if (platform := child.platform) is None:
            return cls(*said, attests=attests)
        names = _short(platform.os, platform.architecture, platform.variant)
        return cls(*said, *names, platform.os_version[:_NAME_LENGTH], attests)

    @property
    def platform(self) -> str:
        """Nothing where it names none, and of what is no image for a platform."""
        return _platform(self.os, self.architecture, self.variant) if self.role == "platform" else ""


class ManifestRecord(NamedTuple):
    """`kind` is a `Manifest.Kind`; `created` is when its annotations say so.

    `document` is its bytes compressed, and `document_size` their number; `config` comes with `config_document`, its
    bytes compressed, where it was read too.
    """

    digest: str
    media_type: str
    kind: str
    document_size: int
    artifact_type: str = ""
    size: int = 0  # bytes that a client pulls
    layer_count: int = 0
    subject: str = ""
    problem: str = ""
    created: datetime | None = None
    layers_key: int = 0
    labels: tuple[tuple[str, str], ...] = ()  # its annotations, as search knows them
    blobs: tuple[tuple[str, int], ...] = ()  # digest and bytes of its config, then of its layers
    entries: tuple[EntryRecord, ...] = ()
    document: bytes = b""
    config: ConfigRecord | None = None
    config_document: bytes = b""

    @classmethod
    def of(cls, fetched: Fetched) -> ManifestRecord:
        """Without its documents."""
        manifest = fetched.manifest
        digest, media_type, size = str(fetched.digest), fetched.media_type[:_TYPE_LENGTH], len(fetched.content)
        if isinstance(manifest, ImageManifest):
            return _image(cls(digest, media_type, manifest.kind, size), manifest)
        if isinstance(manifest, ImageIndex):
            return cls(
                digest,
                media_type,
                "index",
                size,
                manifest.artifact_type[:_TYPE_LENGTH],
                subject=str(manifest.subject.digest) if manifest.subject else "",
                labels=searchable(manifest.annotations.items()),
                entries=tuple(map(EntryRecord.of, manifest.manifests)),
            )
        return cls(digest, media_type, "schema1" if manifest else "malformed", size, problem=fetched.problem)

    @property
    def weight(self) -> int:
        """Bytes that it holds: its values take about what they took in its document."""
        return self.document_size + len(self.config_document)

    @property
    def facets(self) -> int:
        """Its kind, and the platforms that its config or its entries name."""
        named = (self.config.platform if self.config else "", *(entry.platform for entry in self.entries))
        return of_kind(self.kind) | of_platforms(named)

    @property
    def children(self) -> list[str]:
        """The digests of what it lists, where it is an index."""
        return [entry.digest for entry in self.entries]


def _platform(*parts: str) -> str:
    return "/".join(part for part in parts if part)


def _short(os: str, architecture: str, variant: str) -> tuple[str, str, str]:
    return os[:_NAME_LENGTH], architecture[:_NAME_LENGTH], variant[:_NAME_LENGTH]


def _image(record: ManifestRecord, image: ImageManifest) -> ManifestRecord:
    return record._replace(
        artifact_type=_artifact_type(image),
        size=image.size,
        layer_count=len(image.layers),
        subject=str(image.subject.digest) if image.subject else "",
        created=parse_time(image.annotations.get(_CREATED)),
        layers_key=layers_key(str(layer.digest) for layer in image.layers) if image.kind == "image" else 0,
        labels=searchable(image.annotations.items()),
        blobs=tuple((str(blob.digest), blob.size) for blob in (image.config, *image.layers)),
    )


def _artifact_type(image: ImageManifest) -> str:
    """What the artifact says it is: before OCI 1.1 by its config's type, or where that says image, by its layers'."""
    if image.kind == "image":
        return ""
    layer = image.layers[0].media_type if image.layers else ""
    config = image.config.media_type
    return (image.artifact_type or (layer if config in IMAGE_CONFIGS else config))[:_TYPE_LENGTH]


def _role(child: Descriptor) -> str:
    """BuildKit gives its attestations the platform unknown/unknown; a descriptor may also name no platform."""
    if child.is_attestation:
        return "attestation"
    if child.artifact_type or (child.platform and child.platform.os == "unknown"):
        return "other"
    return "platform"


def compressed(content: bytes) -> bytes:
    """A document as it is kept."""
    return zlib.compress(content, _FAST)
