"""What is in a registry without being an image to run: signatures, bills of materials, charts."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from registry_ui.start.samples.documents import (
    OCI_CONFIG,
    OCI_EMPTY,
    OCI_INDEX,
    Blob,
    Document,
    dump,
    manifest,
)
from registry_ui.start.samples.layers import filler, layer

_SPDX: Final = "application/spdx+json"
_HELM_CONFIG: Final = "application/vnd.cncf.helm.config.v1+json"
_HELM_LAYER: Final = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
_VALUES: Final = "replicas: 2\nimage:\n  repository: platform/api\n  pullPolicy: IfNotPresent\n"
_DEPLOYMENT: Final = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {{ .Release.Name }}\n"


def signature(of: Document) -> Document:
    """In the shape of cosign's; nobody has signed, so the signature is filler of the right length."""
    payload = {
        "critical": {
            "identity": {"docker-reference": "platform/api"},
            "image": {"docker-manifest-digest": of.digest},
            "type": "cosign container image signature",
        },
        "optional": None,
    }
    signed = base64.b64encode(filler(f"signature {of.digest}", 71)).decode()
    kind = "application/vnd.dev.cosign.simplesigning.v1+json"
    layer_ = Blob(kind, dump(payload), {"dev.cosignproject.cosign/signature": signed})
    config = {
        "architecture": "",
        "os": "",
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": [layer_.digest]},
    }
    return manifest(Blob(OCI_CONFIG, dump(config)), [layer_])


def sbom(of: Document, packages: Sequence[tuple[str, str, int]], when: datetime) -> Document:
    """An artifact whose subject is `of`."""
    bill = {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": "platform/api",
        "documentNamespace": f"https://sbom.example.com/{of.digest}",
        "creationInfo": {
            "created": when.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "creators": ["Organization: Example"],
        },
        "packages": [
            {
                "SPDXID": f"SPDXRef-{name}",
                "name": name,
                "versionInfo": version,
                "downloadLocation": "NOASSERTION",
            }
            for name, version, _ in packages
        ],
    }
    return manifest(
        Blob(OCI_EMPTY, b"{}"),
        [Blob(_SPDX, dump(bill), {"org.opencontainers.image.title": "sbom.spdx.json"})],
        artifactType=_SPDX,
        subject=of.descriptor,
    )


def referrers(artifacts: Sequence[Document]) -> Document:
    """The index under a subject's fallback tag (distribution-spec, "Referrers Tag Schema")."""
    listed = [
        artifact.descriptor | {"artifactType": json.loads(artifact.content)["artifactType"]} for artifact in artifacts
    ]
    document = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": listed}
    return Document(OCI_INDEX, dump(document), children=tuple(artifacts))


def helm_chart(version: str, application: str, when: datetime) -> Document:
    about = {
        "apiVersion": "v2",
        "name": "platform",
        "version": version,
        "appVersion": application,
        "description": "The platform's services",
        "type": "application",
    }
    chart = layer(
        {
            "platform/Chart.yaml": "".join(f"{name}: {value}\n" for name, value in about.items()),
            "platform/templates/deployment.yaml": _DEPLOYMENT,
            "platform/values.yaml": _VALUES,
        },
        when,
    )
    return manifest(
        Blob(_HELM_CONFIG, dump(about)),
        [Blob(_HELM_LAYER, chart.content)],
        own_annotations={
            "org.opencontainers.image.created": when.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "org.opencontainers.image.description": about["description"],
            "org.opencontainers.image.title": about["name"],
            "org.opencontainers.image.version": version,
        },
    )
