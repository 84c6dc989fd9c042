"""A stand-in for Docker Hub: tokens that last 300 seconds, a quota of pulls that is told of, blobs at signed addresses.

with Hub() as hub:
    hub.image("library/app", "1.0", layers=[b"…"])
    hub.pulls_left = 3
"""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import Final, Self
from urllib.parse import parse_qs, urlsplit

from tests.hostile import Asked, Hostile, Raw, Reply
from tests.oci.transfer.serving import digest_of
from tests.pushing import OCI_CONFIG, OCI_INDEX, OCI_LAYER, OCI_MANIFEST

LIMIT: Final = 100
_WINDOW: Final = 21_600  # seconds


class Hub:
    """`registry` is asked for images, `auth` for tokens, and `cdn` has the blobs; what each was asked it remembers."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self.registry, self.auth, self.cdn = (self._stack.enter_context(Hostile()) for _ in range(3))
        self.pulls_left: int | None = LIMIT  # None: it speaks of no quota, as to those who pay
        self.tokens = 0
        self.lifetime = 300
        self.retry_after = "3600"
        self._manifests: dict[tuple[str, str], tuple[bytes, str]] = {}
        self._tags: dict[str, list[str]] = {}
        self._blobs: dict[str, bytes] = {}
        self.registry.otherwise(self._answer)
        self.auth.otherwise(self._token)
        self.cdn.otherwise(self._blob)

    @property
    def url(self) -> str:
        return self.registry.url

    @property
    def realm(self) -> str:
        return f"{self.auth.url}/token"

    def image(self, name: str, *tags: str, layers: tuple[bytes, ...] = (b"layer",)) -> str:
        described = [self._described(OCI_LAYER, layer) for layer in layers]
        config = self._described(OCI_CONFIG, json.dumps({"of": [one["digest"] for one in described]}).encode())
        document = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": described}
        return self._put(name, tags, document)

    def index(self, name: str, *tags: str, children: tuple[str, ...]) -> str:
        listed = [
            {"mediaType": OCI_MANIFEST, "digest": child, "size": len(self._manifests[name, child][0])}
            | {"platform": {"os": "linux", "architecture": f"arch{number}"}}
            for number, child in enumerate(children)
        ]
        return self._put(name, tags, {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": listed})

    def content(self, name: str, target: str) -> bytes:
        return self._manifests[name, target][0]

    def serve(self, name: str, tag: str, manifest: bytes) -> None:
        """A manifest as it is, of which it has no blobs."""
        self._put_bytes(name, (tag,), manifest, str(json.loads(manifest)["mediaType"]))

    def forget(self, name: str, tag: str) -> None:
        self._tags[name].remove(tag)
        del self._manifests[name, tag]

    def asked(self, method: str, kind: str) -> list[Asked]:
        """Requests for `kind`, "manifests" or "blobs", that came with a token."""
        return [
            asked
            for asked in self.registry.asked()
            if asked.method == method and f"/{kind}/" in asked.path and asked.headers["Authorization"]
        ]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _described(self, media_type: str, content: bytes) -> dict[str, object]:
        self._blobs[digest_of(content)] = content
        return {"mediaType": media_type, "digest": digest_of(content), "size": len(content)}

    def _put(self, name: str, tags: tuple[str, ...], document: dict[str, object]) -> str:
        return self._put_bytes(name, tags, json.dumps(document).encode(), str(document["mediaType"]))

    def _put_bytes(self, name: str, tags: tuple[str, ...], content: bytes, media_type: str) -> str:
        digest = digest_of(content)
        for target in (*tags, digest):
            self._manifests[name, target] = content, media_type
        known = self._tags.setdefault(name, [])
        known += [tag for tag in tags if tag not in known]
        return digest

    def _answer(self, asked: Asked) -> Reply | Raw:
        if not asked.headers.get("Authorization", "").startswith("Bearer token-"):
            name = asked.path.removeprefix("/v2/").rpartition("/")[0].rpartition("/")[0]
            challenge = f'Bearer realm="{self.realm}",service="registry.docker.io",scope="repository:{name}:pull"'
            return Reply.challenge(challenge)
        name, _, kind = asked.path.removeprefix("/v2/").rpartition("/")[0].rpartition("/")
        target = asked.path.rpartition("/")[2]
        if kind == "tags":
            return Reply.json({"name": name, "tags": self._tags.get(name, [])})
        if kind == "blobs":
            return Reply.redirect(f"{self.cdn.url}/{target}?signature=secret")
        return self._manifest(asked, name, target) if kind == "manifests" else Reply(404, b"404 page not found")

    def _manifest(self, asked: Asked, name: str, target: str) -> Reply:
        found = self._manifests.get((name, target))
        if found is None:
            return Reply.errors(404, "MANIFEST_UNKNOWN")
        headers: dict[str, str] = {}
        if self.pulls_left is not None:
            if asked.method == "GET":
                if not self.pulls_left:
                    return Reply.errors(429, "TOOMANYREQUESTS", Retry_After=self.retry_after)
                self.pulls_left -= 1
            headers = {
                "RateLimit-Limit": f"{LIMIT};w={_WINDOW}",
                "RateLimit-Remaining": f"{self.pulls_left};w={_WINDOW}",
            }
        content, media_type = found
        return Reply(200, content, {"Content-Type": media_type, "Docker-Content-Digest": digest_of(content), **headers})

    def _token(self, asked: Asked) -> Reply:
        self.tokens += 1
        scope = parse_qs(urlsplit(asked.target).query).get("scope", [""])[0]
        return Reply.json({"token": f"token-{self.tokens}-{scope}", "expires_in": self.lifetime})

    def _blob(self, asked: Asked) -> Reply:
        if asked.headers["Authorization"]:
            return Reply(400, b"only one auth mechanism allowed")
        return Reply(200, self._blobs[asked.path.removeprefix("/")])
