"""The media types that Berth knows by name, and what a manifest is judged to be by them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

DOCKER_MANIFEST: Final = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST: Final = "application/vnd.docker.distribution.manifest.list.v2+json"
OCI_MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX: Final = "application/vnd.oci.image.index.v1+json"

# In every manifest request, by tag and by digest: without one of them registries convert, choose or hide.
ACCEPTED: Final = (DOCKER_MANIFEST, DOCKER_LIST, OCI_MANIFEST, OCI_INDEX)

MANIFESTS: Final = frozenset({DOCKER_MANIFEST, OCI_MANIFEST})
INDEXES: Final = frozenset({DOCKER_LIST, OCI_INDEX})
SCHEMA1: Final = frozenset(
    {
        "application/vnd.docker.distribution.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v1+prettyjws",
    },
)

# A Content-Type that says nothing about what the document is.
GENERIC: Final = frozenset({"", "application/json", "application/octet-stream", "text/plain"})

IMAGE_CONFIGS: Final = frozenset(
    {"application/vnd.docker.container.image.v1+json", "application/vnd.oci.image.config.v1+json"},
)

Kind: TypeAlias = Literal["image", "chart", "signature", "attestation", "sbom", "artifact"]

_ATTACHMENTS: Final[Mapping[str, Kind]] = {
    "application/vnd.dev.cosign.simplesigning.v1+json": "signature",
    "application/vnd.cncf.notary.signature": "signature",
    "application/vnd.in-toto+json": "attestation",
    "application/vnd.dsse.envelope.v1+json": "attestation",
    "application/spdx+json": "sbom",
    "text/spdx": "sbom",
    "text/spdx+json": "sbom",
    "text/spdx+xml": "sbom",
    "application/vnd.cyclonedx": "sbom",
    "application/vnd.cyclonedx+json": "sbom",
    "application/vnd.cyclonedx+xml": "sbom",
    "application/vnd.syft+json": "sbom",
}
# Layers that are none: what has nothing else borrows the config type of an image, and no runtime starts it.
_NO_LAYERS: Final = ("application/vnd.ollama.image.", "application/vnd.cncf.model.", "application/vnd.docker.ai.")
# Layers that a licence keeps elsewhere. A manifest says where, and nobody follows it there.
_FOREIGN: Final = (
    "application/vnd.docker.image.rootfs.foreign.",
    "application/vnd.oci.image.layer.nondistributable.",
)
_CHART: Final = "application/vnd.cncf.helm.config.v1+json"
_SIGSTORE_BUNDLE: Final = "application/vnd.dev.sigstore.bundle."
_COSIGN_SIGNATURE: Final = "https://sigstore.dev/cosign/sign/v1"


def bare(content_type: str) -> str:
    """A media type without its parameters, in lower case."""
    return content_type.partition(";")[0].strip().lower()


def is_foreign(media_type: str) -> bool:
    """Whether a layer is not kept by the registry that has its manifest (image-spec, "Non-Distributable Layers")."""
    return bare(media_type).startswith(_FOREIGN)


def judge(config: str, artifact: str, layers: Collection[str], annotations: Mapping[str, str]) -> Kind:
    """What a manifest is, by the media types of its config, of itself as an artifact, and of its layers.

    An image is what has the config type of an image, names no foreign artifact type, and has layers. Signatures and
    attestations borrow that config type, so what *all* layers are speaks first.
    """
    kinds = {_attachment(layer, annotations) for layer in layers}
    own = _attachment(artifact or config, annotations)
    if own is None and len(kinds) == 1:
        own = kinds.pop()
    if own is not None:
        return own
    if config == _CHART:
        return "chart"
    if config not in IMAGE_CONFIGS or artifact not in ("", config):
        return "artifact"
    return "artifact" if layers and all(layer.startswith(_NO_LAYERS) for layer in layers) else "image"


def _attachment(media_type: str, annotations: Mapping[str, str]) -> Kind | None:
    if media_type.startswith(_SIGSTORE_BUNDLE):
        predicate = annotations.get("dev.sigstore.bundle.predicateType", _COSIGN_SIGNATURE)
        return "signature" if predicate == _COSIGN_SIGNATURE else "attestation"
    return _ATTACHMENTS.get(media_type)
