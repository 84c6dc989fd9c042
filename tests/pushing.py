"""Pushes images into a registry for tests. Shares no code with `oci`: else a wrong digest would agree with itself.

    push = Pusher("http://127.0.0.1:5000", "team/app")
    amd, arm = push.image(), push.image(platform="linux/arm64")
    push.index("1.0", children=[amd, arm])

Every method returns a digest as text, and tags it with the names it is given. Two images with the same arguments are
the same image; `seed` makes them differ.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import ssl
import tarfile
import urllib.request
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
EMPTY = "application/vnd.oci.empty.v1+json"
HELM_CONFIG = "application/vnd.cncf.helm.config.v1+json"
HELM_CHART = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
IN_TOTO = "application/vnd.in-toto+json"


class Pusher:
    def __init__(
        self,
        url: str,
        repository: str,
        *,
        headers: Mapping[str, str] | None = None,
        context: ssl.SSLContext | None = None,
    ) -> None:
        """`headers` go with every request (an Authorization, a User-Agent); `context` is for TLS."""
        self.url, self.repository = url, repository
        self._headers, self._context = dict(headers or {}), context
        self._pushed: dict[str, tuple[str, int, str]] = {}  # digest: media type, size, platform

    def blob(self, content: bytes) -> str:
        digest = _digest(content)
        opened = self._send("POST", f"/v2/{self.repository}/blobs/uploads/")
        location = urljoin(self.url, opened["Location"])
        self._send("PUT", f"{location}{'&' if '?' in location else '?'}digest={digest}", content)
        return digest

    def manifest(self, content: bytes | Mapping[str, Any], *tags: str, media_type: str = OCI_MANIFEST) -> str:
        """Exactly these bytes, or this document; under its digest, and under each tag."""
        body = content if isinstance(content, bytes) else _json(content)
        digest = _digest(body)
        for target in tags or (digest,):
            path = f"/v2/{self.repository}/manifests/{target}"
            self._send("PUT", path, body, {"Content-Type": media_type})
        self._pushed[digest] = media_type, len(body), self._pushed.get(digest, ("", 0, ""))[2]
        return digest

    def image(  # noqa: PLR0913  each is a part of the image
        self,
        *tags: str,
        platform: str = "linux/amd64",
        layers: Sequence[bytes] = (b"hello",),
        docker: bool = False,
        seed: str = "",
        config: Mapping[str, Any] | None = None,
        annotations: Mapping[str, str] | None = None,
    ) -> str:
        """An image whose layers are a file each; `config` replaces parts of the image config."""
        archives = [_layer(content) for content in layers]
        os_, architecture, variant = [*platform.split("/"), "", ""][:3]
        document: dict[str, Any] = {
            "architecture": architecture,
            "os": os_,
            **({"variant": variant} if variant else {}),
            "created": "2024-05-06T07:08:09.123456789Z",
            "config": {"Env": ["PATH=/bin"], "Cmd": ["/bin/sh"], "Labels": {"seed": seed}},
            "rootfs": {"type": "layers", "diff_ids": [_digest(tar) for tar, _ in archives]},
            "history": [{"created_by": f"COPY file {n}"} for n, _ in enumerate(archives)],
        } | dict(config or {})
        manifest = {
            "schemaVersion": 2,
            "mediaType": DOCKER_MANIFEST if docker else OCI_MANIFEST,
            "config": self._blob(_json(document), DOCKER_CONFIG if docker else OCI_CONFIG),
            "layers": [self._blob(packed, DOCKER_LAYER if docker else OCI_LAYER) for _, packed in archives],
            **({"annotations": dict(annotations)} if annotations else {}),
        }
        digest = self.manifest(manifest, *tags, media_type=str(manifest["mediaType"]))
        media_type, size, _ = self._pushed[digest]
        self._pushed[digest] = media_type, size, platform
        return digest

    def index(
        self,
        *tags: str,
        children: Sequence[str],
        attestations: Mapping[str, str] | None = None,
        docker: bool = False,
        annotations: Mapping[str, str] | None = None,
    ) -> str:
        """An index of what this pusher pushed; `attestations` maps an attestation to the image it is about."""
        manifests = [self.descriptor(child) for child in children]
        for digest, about in (attestations or {}).items():
            said = {"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": about}
            nowhere = {"os": "unknown", "architecture": "unknown"}
            manifests.append(self.descriptor(digest) | {"platform": nowhere, "annotations": said})
        document = {
            "schemaVersion": 2,
            "mediaType": DOCKER_LIST if docker else OCI_INDEX,
            "manifests": manifests,
            **({"annotations": dict(annotations)} if annotations else {}),
        }
        return self.manifest(document, *tags, media_type=str(document["mediaType"]))

    def attestation(self, statement: Mapping[str, Any] | None = None) -> str:
        """What BuildKit attaches to an image: an image manifest by its types, with an in-toto statement inside."""
        document = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": self._blob(_json({"architecture": "unknown", "os": "unknown"}), OCI_CONFIG),
            "layers": [self._blob(_json(statement or {"predicateType": "test"}), IN_TOTO)],
        }
        return self.manifest(document)

    def artifact(
        self,
        *tags: str,
        artifact_type: str = "application/vnd.example.thing",
        subject: str = "",
        content: bytes = b"thing",
        layer_type: str = "application/octet-stream",
        annotations: Mapping[str, str] | None = None,
    ) -> str:
        """Anything that is no image, attached to `subject` (a digest that this pusher pushed) when given."""
        document = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "artifactType": artifact_type,
            "config": self._blob(b"{}", EMPTY),
            "layers": [self._blob(content, layer_type)],
            **({"subject": self.descriptor(subject)} if subject else {}),
            **({"annotations": dict(annotations)} if annotations else {}),
        }
        return self.manifest(document, *tags)

    def chart(self, *tags: str, name: str = "mychart", version: str = "1.0.0") -> str:
        document = {
            "schemaVersion": 2,
            "config": self._blob(_json({"name": name, "version": version, "apiVersion": "v2"}), HELM_CONFIG),
            "layers": [self._blob(_layer(name.encode())[1], HELM_CHART)],
        }
        return self.manifest(document, *tags)

    def descriptor(self, digest: str) -> dict[str, Any]:
        """The pointer to a manifest that this pusher pushed, as an index or a subject would hold it."""
        media_type, size, platform = self._pushed[digest]
        os_, architecture, variant = [*platform.split("/"), "", "", ""][:3]
        named = {"os": os_, "architecture": architecture} | ({"variant": variant} if variant else {})
        return {
            "mediaType": media_type,
            "digest": digest,
            "size": size,
            **({"platform": named} if platform else {}),
        }

    def fetch(self, target: str) -> bytes:
        """The stored bytes of a manifest, by tag or digest."""
        accept = f"{DOCKER_MANIFEST}, {DOCKER_LIST}, {OCI_MANIFEST}, {OCI_INDEX}"
        request = self._request("GET", f"/v2/{self.repository}/manifests/{target}", None, {"Accept": accept})
        with urllib.request.urlopen(request, timeout=10, context=self._context) as answer:
            content: bytes = answer.read()
            return content

    def _blob(self, content: bytes, media_type: str) -> dict[str, Any]:
        return {"mediaType": media_type, "digest": self.blob(content), "size": len(content)}

    def _request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> urllib.request.Request:
        sent = {"Content-Type": "application/octet-stream"} | self._headers | dict(headers or {})
        return urllib.request.Request(urljoin(self.url, path), data=body, headers=sent, method=method)

    def _send(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Mapping[str, str]:
        request = self._request(method, path, body, headers)
        with urllib.request.urlopen(request, timeout=10, context=self._context) as answer:
            answer.read()
            received: Mapping[str, str] = answer.headers
            return received


def _layer(content: bytes) -> tuple[bytes, bytes]:
    """A tar with one file in it, and the same compressed; the same bytes each time."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        entry = tarfile.TarInfo("file")
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue(), gzip.compress(buffer.getvalue(), mtime=0)


def _json(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, indent=2).encode()


def _digest(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()
