"""A small registry made up from a seed, written straight into a storage folder: what is whole in it, and what is not.

    written = Written(StorageLayout(folder), seed=1)

The same seed writes the same bytes. What no registry would have stored is left to other tests: here a registry serves
all of it, so its API and its folder have to tell the same.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any, Final

from tests.pushing import (
    DOCKER_CONFIG,
    DOCKER_LAYER,
    DOCKER_LIST,
    DOCKER_MANIFEST,
    EMPTY,
    HELM_CHART,
    HELM_CONFIG,
    IN_TOTO,
    OCI_CONFIG,
    OCI_INDEX,
    OCI_LAYER,
    OCI_MANIFEST,
)
from tests.storage_layout import StorageLayout, digest_of

NAMES: Final = ("app", "app/nested", "app/nested/deeper", "team/tool", "a/b/c/d", "team/tool-2", "x__y/z.w", "team/q")
MIRROR: Final = "mirror/of-all"
SIGNED: Final = "application/vnd.dev.cosign.simplesigning.v1+json"
_PLATFORMS: Final = ("linux/amd64", "linux/arm64", "linux/arm/v7", "windows/amd64")


class Written:
    """Some repositories, each with some things of every sort."""

    def __init__(self, layout: StorageLayout, seed: int) -> None:
        self.layout, self._random = layout, Random(seed)  # noqa: S311  no secret
        self._count = 0
        self.blobs_only: set[str] = set()
        self.images: list[tuple[str, str]] = []  # repository and digest of those that are whole
        for name in self._random.sample(NAMES, self._random.randint(3, len(NAMES))):
            self._repository(name)
        self._foreign()

    def _repository(self, name: str) -> None:
        match self._random.randrange(10):
            case 0:
                self.layout.layer(name, b"only a blob")
                self.blobs_only.add(name)
            case 1:
                self._image(name, "gone")
                _remove(self.layout.tags(name) / "gone")
            case 2:
                self._image(name)  # which was pushed by its digest: there never was a tag
            case _:
                for thing in self._random.choices(_THINGS, k=self._random.randint(2, 9)):
                    thing(self, name)

    def _tag(self) -> str:
        self._count += 1
        return self._random.choice((f"1.{self._count}", f"v{self._count}.0.1-rc", f"main-{self._count}"))

    # What is whole

    def _image(self, name: str, *tags: str, platform: str = "", **parts: Any) -> dict[str, Any]:
        """An image; its descriptor."""
        docker = self._random.random() < 0.4
        platform = platform or self._random.choice(_PLATFORMS)
        os, architecture, variant = [*platform.split("/"), ""][:3]
        day = f"2023-01-{self._random.randint(10, 28)}"
        created = self._random.choice((None, "2024-05-06T07:08:09Z", f"{day}T00:00:00Z"))
        said = {"os": os, "architecture": architecture, "variant": variant, "created": created, "n": self._next()}
        config = self._blob(name, json.dumps(said).encode(), DOCKER_CONFIG if docker else OCI_CONFIG)
        layers = [b"base %d" % self._random.randrange(3) * 40 for _ in range(self._random.randrange(3))]
        document = {
            "schemaVersion": 2,
            "mediaType": DOCKER_MANIFEST if docker else OCI_MANIFEST,
            "config": config,
            "layers": [self._blob(name, layer, DOCKER_LAYER if docker else OCI_LAYER) for layer in layers],
            **parts,
        }
        digest, size = self._manifest(name, document, *tags)
        self.images.append((name, digest))
        named = {"os": os, "architecture": architecture, **({"variant": variant} if variant else {})}
        return {"mediaType": document["mediaType"], "digest": digest, "size": size, "platform": named}

    def _aliases(self, name: str) -> None:
        self._image(name, *[self._tag() for _ in range(self._random.randint(1, 4))])

    def _index(self, name: str, children: Sequence[dict[str, Any]] = (), *, tagged: bool = True) -> dict[str, Any]:
        children = children or [self._image(name, platform=platform) for platform in self._random.sample(_PLATFORMS, 2)]
        media_type = DOCKER_LIST if self._random.random() < 0.3 else OCI_INDEX
        document = {"schemaVersion": 2, "mediaType": media_type, "manifests": [*children]}
        digest, size = self._manifest(name, document, *([self._tag()] if tagged else []))
        return {"mediaType": media_type, "digest": digest, "size": size}

    def _attested_index(self, name: str) -> None:
        image = self._image(name)
        statement = self._image(name, layers=[self._blob(name, b"statement %d" % self._next(), IN_TOTO)])
        said = {"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": image["digest"]}
        nowhere = {"os": "unknown", "architecture": "unknown"}
        self._index(name, [image, statement | {"platform": nowhere, "annotations": said}])

    def _nested_index(self, name: str) -> None:
        inner = self._index(name, tagged=self._random.random() < 0.3)
        self._index(name, [self._image(name), inner])

    def _artifact(self, name: str) -> None:
        subject = self._image(name, self._tag())
        del subject["platform"]
        document = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "artifactType": "application/vnd.example.thing",
            "config": self._blob(name, b"{}", EMPTY),
            "layers": [self._blob(name, b"thing", "application/octet-stream")],
            "subject": subject,
            "annotations": {"org.opencontainers.image.created": "2022-02-02T02:02:02Z"},
        }
        self._manifest(name, document, subject["digest"].replace(":", "-"))

    def _signature(self, name: str) -> None:
        about = self._image(name, self._tag())["digest"].replace(":", "-")
        self._image(name, f"{about}.sig", layers=[self._blob(name, b"signature %d" % self._next(), SIGNED)])

    def _chart(self, name: str) -> None:
        config = json.dumps({"name": "chart", "version": "1.0.0", "apiVersion": "v2", "n": self._next()}).encode()
        layers = [self._blob(name, b"chart", HELM_CHART)]
        # Helm names no type of its manifest; every registry takes that for an OCI manifest.
        document = {"schemaVersion": 2, "config": self._blob(name, config, HELM_CONFIG), "layers": layers}
        self._manifest(name, document, self._tag())

    def _by_sha512(self, name: str) -> None:
        """A config that was pushed by its sha512: kept under its sha256, which is linked by the other."""
        config = json.dumps({"os": "linux", "architecture": "s390x", "n": self._next()}).encode()
        self.layout.layer(name, config)
        digest = f"sha512:{hashlib.sha512(config).hexdigest()}"
        link = self.layout.layer_link(name, digest)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.write_text(digest_of(config))
        self._image(name, self._tag(), config={"mediaType": OCI_CONFIG, "digest": digest, "size": len(config)})

    def _mirrored_index(self, name: str) -> None:
        """The same in another repository, as a copy of it would be."""
        self._mirror(self._index(name)["digest"], self._tag())

    def _mirror(self, digest: str, *tags: str) -> None:
        content = self.layout.data(digest).read_bytes()
        document = json.loads(content)
        for blob in [document["config"], *document["layers"]] if "config" in document else []:
            self.layout.layer(MIRROR, self.layout.data(blob["digest"]).read_bytes())
        for child in document.get("manifests", []):
            self._mirror(child["digest"])
        self.layout.manifest(MIRROR, content, *tags)

    # What is broken

    def _index_without_a_child(self, name: str) -> None:
        never = {"mediaType": OCI_MANIFEST, "digest": digest_of(b"never %d" % self._next()), "size": 400}
        lost = self._image(name)
        self._index(name, [self._image(name), lost, never])
        self._random.choice((self._unlink, self._lose))(name, lost["digest"])

    def _unlink(self, name: str, digest: str) -> None:
        self.layout.revision_link(name, digest).unlink()

    def _lose(self, name: str, digest: str) -> None:  # noqa: ARG002  as _unlink
        self.layout.data(digest).unlink()

    def _lost_manifest(self, name: str) -> None:
        digest = self._image(name, self._tag(), self._tag())["digest"]
        self._random.choice((self._unlink, self._lose, self._truncate))(name, digest)

    def _truncate(self, name: str, digest: str) -> None:  # noqa: ARG002  as _unlink
        data = self.layout.data(digest)
        data.write_bytes(data.read_bytes()[: self._random.choice((0, 10))])

    def _broken_link(self, name: str) -> None:
        tag = self._tag()
        self._image(name, tag, self._tag())
        link = self.layout.tag_link(name, tag)
        match self._random.randrange(4):
            case 0:
                link.unlink()
            case 1:
                link.write_text("")
            case 2:
                link.write_text("sha256:what")
            case 3:
                link.write_text(digest_of(b"nothing that is here"))

    def _broken_revision_link(self, name: str) -> None:
        digest = self._image(name, self._tag())["digest"]
        self.layout.revision_link(name, digest).write_text(self._random.choice(("", "sha256:what")))

    def _broken_config(self, name: str) -> None:
        content = b'{"os": "linux", "architecture": "riscv64", "n": %d}' % self._next()
        if self._random.random() < 0.3:
            content = b"no json %d" % self._next()
        config = self._blob(name, content, OCI_CONFIG)
        self._image(name, self._tag(), mediaType=OCI_MANIFEST, layers=[], config=config)
        match self._random.randrange(4):
            case 0:
                self.layout.layer_link(name, config["digest"]).unlink()
            case 1:
                self.layout.data(config["digest"]).unlink()
            case 2:
                self._truncate(name, config["digest"])

    def _lost_layer(self, name: str) -> None:
        layer = self._blob(name, b"lost layer %d" % self._next(), OCI_LAYER)
        self._image(name, self._tag(), mediaType=OCI_MANIFEST, layers=[layer])
        self.layout.layer_link(name, layer["digest"]).unlink()

    def _of_another_repository(self, name: str) -> None:
        """A tag that points to what only another repository has."""
        if self.images:
            other, digest = self._random.choice(self.images)
            self.layout.manifest(name, self._chart_bytes())
            self.layout.tag(name, f"from-{other.replace('/', '-')}", digest)

    def _chart_bytes(self) -> bytes:
        return json.dumps({"schemaVersion": 2, "config": _pointer(b"{}", EMPTY), "layers": []}).encode()

    def _foreign(self) -> None:
        """What somebody left there, and uploads that never ended."""
        (self.layout.repositories / "README.txt").write_text("not a repository")
        (self.layout.repositories / "team/lost+found").mkdir(parents=True, exist_ok=True)
        self.layout.upload("team/uploading", "8c9e2a10-0000-4000-8000-000000000001", b"half")

    def _next(self) -> int:
        self._count += 1
        return self._count

    def _blob(self, name: str, content: bytes, media_type: str) -> dict[str, Any]:
        self.layout.layer(name, content)
        return _pointer(content, media_type)

    def _manifest(self, name: str, document: dict[str, Any], *tags: str) -> tuple[str, int]:
        content = json.dumps(document).encode()
        return self.layout.manifest(name, content, *tags), len(content)


_THINGS: Final[Sequence[Callable[[Written, str], object]]] = (
    *([Written._aliases] * 4),
    Written._index,
    Written._attested_index,
    Written._nested_index,
    *([Written._mirrored_index] * 2),
    Written._artifact,
    Written._signature,
    Written._chart,
    Written._by_sha512,
    Written._index_without_a_child,
    Written._lost_manifest,
    Written._broken_link,
    Written._broken_revision_link,
    Written._broken_config,
    Written._lost_layer,
    Written._of_another_repository,
)


def _pointer(content: bytes, media_type: str) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest_of(content), "size": len(content)}


def _remove(folder: Path) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    folder.rmdir()
