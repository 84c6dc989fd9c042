"""Manifests as values: what came off the wire, checked once, with the exact bytes kept.

Image-spec 1.1 "manifest", "image index" and "descriptor"; Docker image manifest version 2, schema 2.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Self, TypeAlias, cast

from oci.document import Malformed, load_object, mapping, sequence, size, text, texts
from oci.errors import BadAnswer, InvalidName, printable
from oci.media_types import (
    ACCEPTED,
    GENERIC,
    INDEXES,
    MANIFESTS,
    OCI_INDEX,
    OCI_MANIFEST,
    SCHEMA1,
    Kind,
    bare,
    judge,
)
from oci.names import Digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = [
    "ACCEPTED",
    "MANIFEST_LIMIT",
    "Descriptor",
    "ImageIndex",
    "ImageManifest",
    "Manifest",
    "Platform",
    "Schema1Manifest",
    "parse_manifest",
]

MANIFEST_LIMIT: Final = 4 * 2**20  # bytes; what distribution itself accepts in a PUT
LARGEST_BLOB: Final = 2**44  # bytes, 16 TiB: what says more was made to break sums
MOST_LAYERS: Final = 10_000  # docker stops at 127; artifacts use layers as files
MOST_CHILDREN: Final = 1_000  # a few dozen platforms, or the referrers of one busy image

_MEDIA_TYPE: Final = re.compile(r"[ -~]{1,255}")
_ATTESTATION_KIND: Final = "vnd.docker.reference.type"
_ATTESTED_DIGEST: Final = "vnd.docker.reference.digest"


@dataclass(frozen=True, slots=True, order=True)
class Platform:
    os: str
    architecture: str
    variant: str = ""
    os_version: str = ""

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self | None:
        """None when neither the system nor the architecture is named."""
        platform = cls(
            text(document.get("os"), "os"),
            text(document.get("architecture"), "architecture"),
            text(document.get("variant"), "variant"),
            text(document.get("os.version"), "os.version"),
        )
        return platform if platform.os or platform.architecture else None

    def __str__(self) -> str:
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A pointer to content. The spec's `urls` are left out: nothing may ever fetch them."""

    media_type: str
    digest: Digest
    size: int
    platform: Platform | None = None
    annotations: Mapping[str, str] = field(default_factory=dict, hash=False)
    artifact_type: str = ""

    @classmethod
    def from_json(cls, value: Any, where: str) -> Self:
        document = mapping(value, where)
        if document.keys() == _BARE:
            try:
                return cast("Self", _bare(document["mediaType"], document["digest"], document["size"]))
            except (Malformed, TypeError, InvalidName):
                pass  # below it is said with the place
        media_type = text(document.get("mediaType"), f"{where}.mediaType")
        if not _MEDIA_TYPE.fullmatch(media_type):
            raise Malformed(f"{where}.mediaType is not a media type")
        try:
            digest = Digest.parse(text(document.get("digest"), f"{where}.digest"))
        except InvalidName as error:
            raise Malformed(f"{where}: {error}") from error
        return cls(
            media_type=media_type,
            digest=digest,
            size=size(document.get("size"), f"{where}.size"),
            platform=Platform.from_json(mapping(document.get("platform"), f"{where}.platform")),
            annotations=texts(document.get("annotations"), f"{where}.annotations"),
            artifact_type=text(document.get("artifactType"), f"{where}.artifactType"),
        )

    @property
    def is_attestation(self) -> bool:
        """BuildKit's provenance and SBOM, which an index lists beside the images that they are about."""
        return self.annotations.get(_ATTESTATION_KIND) == "attestation-manifest"

    @property
    def attests(self) -> Digest | None:
        """The image in the same index that this attestation is about."""
        try:
            return Digest.parse(self.annotations[_ATTESTED_DIGEST]) if self.is_attestation else None
        except (KeyError, InvalidName):
            return None


_BARE: Final = frozenset({"mediaType", "digest", "size"})


@lru_cache(16_384, typed=True)  # so that true is not 1
def _bare(media_type: str, digest: str, length: int) -> Descriptor:
    """A descriptor that says no more than it must. Most do, and base layers are listed in thousands of manifests."""
    if type(media_type) is not str or type(digest) is not str or not _MEDIA_TYPE.fullmatch(media_type):
        raise Malformed
    return Descriptor(media_type, Digest.parse(digest), size(length, "size"))


@dataclass(frozen=True, slots=True)
class ImageManifest:
    media_type: str
    config: Descriptor
    layers: tuple[Descriptor, ...]
    subject: Descriptor | None = None
    artifact_type: str = ""
    annotations: Mapping[str, str] = field(default_factory=dict, hash=False)
    content: bytes = field(default=b"", repr=False)

    @property
    def size(self) -> int:
        """Bytes that a client pulls: config and layers, each blob once."""
        return sum({d.digest: d.size for d in (self.config, *self.layers)}.values())

    @property
    def kind(self) -> Kind:
        """What people would call it; `oci.media_types.judge` has the rule."""
        layers = {layer.media_type for layer in self.layers}
        return judge(self.config.media_type, self.artifact_type, layers, self.annotations)


@dataclass(frozen=True, slots=True)
class ImageIndex:
    media_type: str
    manifests: tuple[Descriptor, ...]
    subject: Descriptor | None = None
    artifact_type: str = ""
    annotations: Mapping[str, str] = field(default_factory=dict, hash=False)
    content: bytes = field(default=b"", repr=False)

    @property
    def platforms(self) -> tuple[Platform, ...]:
        """Of the images in it, in their order; attestations have none to speak of."""
        return tuple(d.platform for d in self.manifests if d.platform and not d.is_attestation)


@dataclass(frozen=True, slots=True)
class Schema1Manifest:
    """The Docker format of 2014: recognised, so that it can be named, and not read further."""

    media_type: str
    content: bytes = field(repr=False)

    @property
    def payload(self) -> bytes:
        """The bytes that its digest is of: the document before its signatures were added.

        They say themselves where it ended. BadAnswer when they do not.
        """
        document = load_object(self.content, "a schema 1 manifest")
        if not document.get("signatures"):
            return self.content
        try:
            protected = json.loads(_from_base64url(document["signatures"][0]["protected"]))
            length = size(protected["formatLength"], "formatLength")
            return self.content[:length] + _from_base64url(protected["formatTail"])
        except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
            raise BadAnswer("the signature of a schema 1 manifest does not say what it signs") from error


Manifest: TypeAlias = ImageManifest | ImageIndex | Schema1Manifest


def parse_manifest(media_type: str, content: bytes) -> Manifest:
    """The manifest in `content`, which came with the Content-Type `media_type`.

    A Content-Type that says nothing leaves the word to the document's `mediaType`, and then to its shape.
    BadAnswer, with a sentence on what is wrong, for a document that contradicts itself or that others would read
    differently: both layers and manifests in one (CVE-2021-41190), keys that stand twice, sizes that are no
    int64, lists longer than `MOST_LAYERS` and `MOST_CHILDREN`.
    """
    said = bare(media_type)
    if said in SCHEMA1:
        return Schema1Manifest(said, content)
    document = load_object(content, "the manifest")
    try:
        kind = _decide_type(said, document)
        if kind in SCHEMA1:
            return Schema1Manifest(kind, content)
        return _parse_index(kind, document, content) if kind in INDEXES else _parse_image(kind, document, content)
    except Malformed as error:
        raise BadAnswer(f"the manifest is malformed: {error}") from error


def _decide_type(said: str, document: Mapping[str, Any]) -> str:
    written = text(document.get("mediaType"), "mediaType")
    if said in GENERIC:
        said = written or _guess_type(document)
    if said not in MANIFESTS | INDEXES | SCHEMA1:
        raise Malformed(f"{printable(said, 80)!r} is not a type of manifest that can be read")
    if written and written != said:
        raise Malformed(f"it came as {said} and calls itself {printable(written, 80)!r}")
    if said not in SCHEMA1 and document.get("schemaVersion", 2) != 2:  # noqa: PLR2004  its name
        raise Malformed("its schemaVersion is not 2")
    return said


def _guess_type(document: Mapping[str, Any]) -> str:
    if document.get("schemaVersion") == 1:
        return min(SCHEMA1)
    return OCI_INDEX if "manifests" in document else OCI_MANIFEST if "config" in document else "untyped document"


def _parse_image(media_type: str, document: Mapping[str, Any], content: bytes) -> ImageManifest:
    if "manifests" in document:
        raise Malformed("an image manifest that also lists manifests")
    config = Descriptor.from_json(document.get("config"), "config")
    layers = _descriptors(document.get("layers"), "layers", MOST_LAYERS)
    _check_sizes((config, *layers))
    return ImageManifest(
        media_type=media_type,
        config=config,
        layers=layers,
        subject=_subject(document),
        artifact_type=text(document.get("artifactType"), "artifactType"),
        annotations=texts(document.get("annotations"), "annotations"),
        content=content,
    )


def _parse_index(media_type: str, document: Mapping[str, Any], content: bytes) -> ImageIndex:
    if "layers" in document or "config" in document:
        raise Malformed("an index that also has layers or a config")
    manifests = _descriptors(document.get("manifests"), "manifests", MOST_CHILDREN)
    _check_sizes(manifests)
    return ImageIndex(
        media_type=media_type,
        manifests=manifests,
        subject=_subject(document),
        artifact_type=text(document.get("artifactType"), "artifactType"),
        annotations=texts(document.get("annotations"), "annotations"),
        content=content,
    )


def _descriptors(value: Any, where: str, most: int) -> tuple[Descriptor, ...]:
    return tuple(
        Descriptor.from_json(entry, f"{where}[{number}]") for number, entry in enumerate(sequence(value, where, most))
    )


def _subject(document: Mapping[str, Any]) -> Descriptor | None:
    subject = document.get("subject")
    return None if subject is None else Descriptor.from_json(subject, "subject")


def _check_sizes(descriptors: Iterable[Descriptor]) -> None:
    known: dict[Digest, int] = {}
    for descriptor in descriptors:
        if descriptor.size > LARGEST_BLOB:
            raise Malformed(f"{descriptor.digest} is said to have more than 16 TiB")
        if known.setdefault(descriptor.digest, descriptor.size) != descriptor.size:
            raise Malformed(f"two sizes are given for {descriptor.digest}")


def _from_base64url(encoded: str) -> bytes:
    return base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
