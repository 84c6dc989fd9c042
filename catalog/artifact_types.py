"""What people call the artifacts that registries hold, by their media types. Pure: a table and how it is read.

A type that stands in no table is shown as it is: nothing is guessed from the sound of a name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from oci.media_types import IMAGE_CONFIGS

_ValueT = TypeVar("_ValueT")


@dataclass(frozen=True, slots=True)
class ArtifactType:
    """`icon` is one of `static/icons.svg`; `files` is what its layers are called."""

    name: str | Promise
    icon: str
    files: str | Promise


_CACHE: Final = ArtifactType(_("Build cache"), "layers", _("Cached layers"))
_CHART: Final = ArtifactType(_("Helm chart"), "box", _("Chart archive"))
_WASM: Final = ArtifactType(_("WebAssembly module"), "braces", _("Modules"))
_MODEL: Final = ArtifactType(_("Model"), "server", _("Files of the model"))
_OLLAMA: Final = ArtifactType(_("Ollama model"), "server", _("Files of the model"))
_SPDX: Final = ArtifactType(_("SBOM, SPDX"), "clip", _("Documents"))
_CYCLONEDX: Final = ArtifactType(_("SBOM, CycloneDX"), "clip", _("Documents"))
_COSIGN: Final = ArtifactType(_("Signature, cosign"), "shield", _("Signatures"))
_NOTATION: Final = ArtifactType(_("Signature, Notation"), "shield", _("Signatures"))
_BUNDLE: Final = ArtifactType(_("Sigstore bundle"), "shield", _("Bundles"))
_IN_TOTO: Final = ArtifactType(_("Attestation, in-toto"), "shield", _("Statements"))
_FLUX: Final = ArtifactType(_("Flux manifests"), "box", _("Archives"))
_OPA: Final = ArtifactType(_("Policies, Open Policy Agent"), "braces", _("Policies"))
_FALCO: Final = ArtifactType(_("Falco rules"), "braces", _("Archives"))

# The longest beginning that fits holds. A type that ends in a dot or a slash names a family.
_TYPES: Final[Mapping[str, ArtifactType]] = {
    "application/vnd.buildkit.cacheconfig.": _CACHE,
    "application/vnd.cncf.helm.config.": _CHART,
    "application/vnd.cncf.helm.chart.content.": _CHART,
    "application/vnd.cncf.helm.chart.provenance.": ArtifactType(_("Helm provenance"), "shield", _("Documents")),
    "application/vnd.cncf.model.": _MODEL,
    "application/vnd.docker.ai.": ArtifactType(_("Model, Docker"), "server", _("Files of the model")),
    "application/vnd.ollama.image.": _OLLAMA,
    "application/vnd.kitops.modelkit.": ArtifactType(_("Model, KitOps"), "server", _("Files of the model")),
    "application/vnd.wasm.": _WASM,
    "application/vnd.module.wasm.": _WASM,
    "application/vnd.bytecodealliance.": ArtifactType(_("WebAssembly package"), "braces", _("Modules")),
    "application/wasm": _WASM,
    "application/spdx": _SPDX,
    "text/spdx": _SPDX,
    "application/vnd.cyclonedx": _CYCLONEDX,
    "application/vnd.syft+json": ArtifactType(_("SBOM, Syft"), "clip", _("Documents")),
    "application/vnd.dev.cosign.simplesigning.": _COSIGN,
    "application/vnd.dev.cosign.artifact.sig.": _COSIGN,
    "application/vnd.dev.cosign.artifact.sbom.": ArtifactType(_("SBOM, cosign"), "clip", _("Documents")),
    "application/vnd.dev.cosign.artifact.att.": ArtifactType(_("Attestation, cosign"), "shield", _("Statements")),
    "application/vnd.dev.sigstore.bundle.": _BUNDLE,
    "application/vnd.cncf.notary.signature": _NOTATION,
    "application/vnd.in-toto": _IN_TOTO,
    "application/vnd.dsse.envelope.": ArtifactType(_("Attestation, DSSE"), "shield", _("Statements")),
    "application/vnd.docker.attestation.manifest.": ArtifactType(_("Attestation, BuildKit"), "shield", _("Statements")),
    "application/sarif+json": ArtifactType(_("Scan report, SARIF"), "clip", _("Documents")),
    "application/vnd.aquasec.trivy.report": ArtifactType(_("Scan report, Trivy"), "clip", _("Documents")),
    "application/vnd.openvex": ArtifactType(_("OpenVEX document"), "clip", _("Documents")),
    "application/openvex": ArtifactType(_("OpenVEX document"), "clip", _("Documents")),
    "application/vnd.cncf.flux.": _FLUX,
    "application/vnd.cncf.openpolicyagent.": _OPA,
    "application/vnd.cncf.kyverno.": ArtifactType(_("Policies, Kyverno"), "braces", _("Policies")),
    "application/vnd.cncf.falco.": _FALCO,
    "application/vnd.cncf.artifacthub.": ArtifactType(_("Artifact Hub metadata"), "tag", _("Documents")),
    "application/vnd.dev.tekton.": ArtifactType(_("Tekton bundle"), "play", _("Objects")),
    "application/vnd.devcontainers": ArtifactType(_("Dev container feature"), "terminal", _("Archives")),
    "application/vnd.sylabs.sif.": ArtifactType(_("Singularity image"), "layers", _("SIF files")),
    "application/vnd.docker.plugin.": ArtifactType(_("Docker plugin"), "box", _("Layers")),
    "application/vnd.docker.compose.": ArtifactType(_("Compose application"), "box", _("Compose files")),
    "application/vnd.docker.volume.": ArtifactType(_("Docker volume"), "box", _("Archives")),
    "application/vnd.cnab.": ArtifactType(_("CNAB bundle"), "box", _("Documents")),
    "application/vnd.crossplane.": ArtifactType(_("Crossplane package"), "box", _("Layers")),
    "application/vnd.vmware.carvel.imgpkg.": ArtifactType(_("Carvel bundle"), "box", _("Layers")),
    "application/vnd.gardener.": ArtifactType(_("Gardener component"), "box", _("Files")),
    "application/vnd.ocm.software.": ArtifactType(_("OCM component"), "box", _("Files")),
}
# What an artifact says in its annotations where its media types are those of an image.
_ANNOTATED: Final[Mapping[str, ArtifactType]] = {
    "sh.brew.": ArtifactType(_("Homebrew bottle"), "box", _("Layers")),
    "dev.tekton.image.": ArtifactType(_("Tekton bundle"), "play", _("Layers")),
}

_FILES: Final[Mapping[str, str | Promise]] = {
    "application/vnd.cncf.helm.chart.content.": _("chart archive"),
    "application/vnd.cncf.helm.chart.provenance.": _("provenance of the chart"),
    "application/vnd.wasm.": _("WebAssembly module"),
    "application/wasm": _("WebAssembly module"),
    "application/vnd.module.wasm.": _("WebAssembly module"),
    "application/vnd.in-toto": _("in-toto statement"),
    "application/vnd.dsse.envelope.": _("DSSE envelope"),
    "application/vnd.dev.cosign.simplesigning.": _("signed payload"),
    "application/vnd.dev.sigstore.bundle.": _("Sigstore bundle"),
    "application/spdx": _("SPDX document"),
    "text/spdx": _("SPDX document"),
    "application/vnd.cyclonedx": _("CycloneDX document"),
    "application/vnd.syft+json": _("Syft document"),
    "application/jose+json": _("signature, JWS"),
    "application/cose": _("signature, COSE"),
    "application/vnd.ollama.image.model": _("weights"),
    "application/vnd.ollama.image.template": _("template of the prompt"),
    "application/vnd.ollama.image.system": _("system prompt"),
    "application/vnd.ollama.image.params": _("parameters"),
    "application/vnd.ollama.image.license": _("licence"),
    "application/vnd.ollama.image.projector": _("projector"),
    "application/vnd.ollama.image.adapter": _("adapter"),
    "application/vnd.ollama.image.messages": _("messages"),
    "application/vnd.docker.ai.gguf.": _("weights, GGUF"),
    "application/vnd.docker.ai.safetensors": _("weights, safetensors"),
    "application/vnd.docker.ai.license": _("licence"),
    "application/vnd.docker.ai.chat.template": _("template of the chat"),
    "application/vnd.cncf.model.weight.": _("weights"),
    "application/vnd.cncf.model.doc.": _("documentation"),
    "application/vnd.cncf.model.code.": _("code"),
    "application/vnd.cncf.model.dataset.": _("data set"),
    "application/vnd.devcontainers.layer.": _("archive of the feature"),
    "application/vnd.sylabs.sif.layer.": _("SIF file"),
    "application/vnd.cncf.flux.content.": _("archive of manifests"),
    "application/vnd.cncf.openpolicyagent.policy.layer.": _("policy, Rego"),
    "application/vnd.oci.image.layer.": _("layer"),
    "application/vnd.docker.image.rootfs.": _("layer"),
    "application/vnd.buildkit.cacheconfig.": _("index of the cache"),
}


def type_named(media_type: str) -> ArtifactType | None:
    """What an `artifactType`, or the media type of a config, is called; None where nobody knows."""
    return _longest(_TYPES, media_type)


def file_named(media_type: str) -> str:
    """What a layer of this media type is; "" where nobody knows."""
    return str(_longest(_FILES, media_type) or "")


def type_of(artifact_type: str, layers: Iterable[str] = (), annotations: Iterable[str] = ()) -> ArtifactType | None:
    """By what the artifact says it is; else by what all its layers are; else by the names of its annotations.

    `layers` are media types. None for an image, and for what nobody knows.
    """
    said = type_named(artifact_type) if artifact_type not in IMAGE_CONFIGS else None
    if said is not None:
        return said
    found = {type_named(layer) for layer in layers}
    if len(found) == 1 and (one := found.pop()) is not None:
        return one
    return next((kind for name in annotations if (kind := _longest(_ANNOTATED, name))), None)


def _longest(table: Mapping[str, _ValueT], name: str) -> _ValueT | None:
    """The value of the longest key that `name` begins with."""
    fitting = max((key for key in table if name.startswith(key)), key=len, default=None)
    return table[fitting] if fitting else None
