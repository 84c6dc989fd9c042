"""What an attestation is about, by the type of its predicate (in-toto, "predicate types"). Pure: a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

PREDICATE_TYPE: Final = "in-toto.io/predicate-type"  # BuildKit says it of each statement
_ANNOTATIONS: Final = (PREDICATE_TYPE, "predicateType", "dev.sigstore.bundle.predicateType")

# The longest beginning that fits holds.
_PREDICATES: Final[Mapping[str, str | Promise]] = {
    "https://slsa.dev/provenance/v0.1": _("SLSA provenance v0.1"),
    "https://slsa.dev/provenance/v0.2": _("SLSA provenance v0.2"),
    "https://slsa.dev/provenance/v1": _("SLSA provenance v1"),
    "https://slsa.dev/provenance": _("SLSA provenance"),
    "https://slsa.dev/verification_summary": _("SLSA verification summary"),
    "https://spdx.dev/Document": _("SBOM, SPDX"),
    "https://cyclonedx.org": _("SBOM, CycloneDX"),
    "https://syft.dev/bom": _("SBOM, Syft"),
    "https://openvex.dev/ns": _("OpenVEX statements"),
    "https://cosign.sigstore.dev/attestation/vuln": _("Vulnerability report"),
    "https://in-toto.io/attestation/vulns": _("Vulnerability report"),
    "https://cosign.sigstore.dev/attestation": _("Cosign attestation"),
    "https://sigstore.dev/cosign/sign": _("Signature, cosign"),
    "https://in-toto.io/attestation/test-result": _("Test result"),
    "https://in-toto.io/attestation/scai": _("SCAI report"),
    "https://in-toto.io/attestation/release": _("Release attestation"),
    "https://in-toto.io/attestation/link": _("in-toto link"),
    "https://in-toto.io/Link": _("in-toto link"),
    "https://docker.com/dhi": _("Docker Hardened Image attestation"),
    "https://scout.docker.com": _("Docker Scout report"),
    "https://github.com/in-toto/attestation": _("in-toto attestation"),
}


def predicate_in(annotations: Mapping[str, str]) -> str:
    """The type of the predicate that annotations tell, "" where they tell none."""
    return next((annotations[name] for name in _ANNOTATIONS if annotations.get(name)), "")


def predicate_named(predicate: str) -> str:
    """What people call it; "" where nobody does."""
    fitting = max((key for key in _PREDICATES if predicate.startswith(key)), key=len, default="")
    return str(_PREDICATES[fitting]) if fitting else ""
