"""An image that a hostile registry serves, as long as nobody says otherwise, and a target that takes whatever comes."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any, Final
from urllib.parse import parse_qs

from tests.hostile import Answer, Asked, Hostile, Reply
from tests.pushing import OCI_CONFIG, OCI_INDEX, OCI_LAYER, OCI_MANIFEST

NAME: Final = "team/app"
UPLOADS: Final = f"/v2/{NAME}/blobs/uploads/"


def digest_of(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


def serve(
    source: Hostile, *tags: str, layers: Sequence[bytes] = (b"layer",), parts: Mapping[str, object] | None = None
) -> str:
    """The digest of an image with these layers, under these tags; `parts` replace those of its manifest."""
    blobs = {content: _serve_blob(source, content) for content in (b"{}", *layers)}
    described = [{"mediaType": OCI_LAYER, "digest": blobs[layer], "size": len(layer)} for layer in layers]
    document = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": {"mediaType": OCI_CONFIG, "digest": blobs[b"{}"], "size": 2},
        "layers": described,
    } | dict(parts or {})
    return _serve_manifest(source, document, *tags)


def serve_index(source: Hostile, *tags: str, children: Sequence[str], annotations: Mapping[str, str]) -> str:
    """The digest of an index of images that are served."""
    listed = [{"mediaType": OCI_MANIFEST, "digest": child, "size": 1} for child in children]
    document = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": listed, "annotations": dict(annotations)}
    return _serve_manifest(source, document, *tags)


def _serve_manifest(source: Hostile, document: Mapping[str, Any], *tags: str) -> str:
    content = json.dumps(document).encode()
    digest = digest_of(content)
    reply = Reply(200, content, {"Content-Type": document["mediaType"], "Docker-Content-Digest": digest})
    for target in (*tags, digest):
        for method in ("GET", "HEAD"):
            source.on(method, f"/v2/{NAME}/manifests/{target}", reply)
    return digest


def blob_path(content: bytes) -> str:
    return f"/v2/{NAME}/blobs/{digest_of(content)}"


def taking(asked: Asked) -> Reply:
    """Of a target that takes every manifest, says what it stored, and has nothing before."""
    return Reply(201, headers={"Docker-Content-Digest": digest_of(asked.body)}) if asked.method == "PUT" else Reply(404)


def ranged(content: bytes, first: int, *, cut: bool = True) -> list[Any]:
    """Its first bytes, though all are announced, and then whatever range is asked for."""

    def rest(asked: Asked) -> Reply:
        start = int(asked.headers["Range"].removeprefix("bytes=").removesuffix("-"))
        said = {"Content-Range": f"bytes {start}-{len(content) - 1}/{len(content)}"}
        return Reply(206, content[start:], said)

    return [Reply(200, content[:first], announced=len(content) if cut else None), rest]


class Uploads:
    """Uploads to a hostile target, which takes requests of `least` to `most` bytes, and leads to them by `location`.

    `taken`: what was closed, by its digest; `left`: uploads that are open; `sizes`: of the chunks, in their order;
    `answers` are given in place of its own, by the method.
    """

    def __init__(
        self, target: Hostile, most: int = 2**40, least: int = 0, location: str = "{path}", name: str = NAME
    ) -> None:
        self._path = f"/v2/{name}/blobs/uploads/"
        self._target, self._most, self._least, self._location = target, most, least, location
        self.answers: dict[str, Answer] = {}
        self.taken: dict[str, bytes] = {}
        self.left: dict[str, bytes] = {}
        self.sizes: list[int] = []
        self._numbers = count(1)
        target.on("POST", self._path, self._begin)

    def patch(self, asked: Asked) -> Reply:
        there = self.left[asked.path]
        said = re.fullmatch(r"([0-9]+)-([0-9]+)", asked.headers.get("Content-Range", ""))
        if len(asked.body) > self._most or (said and int(said[1]) != len(there)):
            return Reply.errors(416, "BLOB_UPLOAD_INVALID")
        if said:
            assert int(said[2]) - int(said[1]) + 1 == len(asked.body)
            self.sizes.append(len(asked.body))
        self.left[asked.path] = there + asked.body
        return Reply(202, headers=self._standing(asked))

    def put(self, asked: Asked) -> Reply:
        if len(asked.body) > self._most:
            return Reply.errors(413, "SIZE_INVALID")
        content, digest = self.left.pop(asked.path) + asked.body, parse_qs(asked.query)["digest"][0]
        if digest_of(content) != digest:
            return Reply.errors(400, "DIGEST_INVALID")
        self.taken[digest] = content
        return Reply(201, headers={"Location": "/", "Docker-Content-Digest": digest})

    def _begin(self, _: Asked) -> Reply:
        path = f"{self._path}{next(self._numbers)}"
        self.left[path] = b""
        answers = {"PATCH": self.patch, "PUT": self.put, "GET": self._get, "DELETE": self._delete} | self.answers
        for method, answer in answers.items():
            self._target.on(method, path, answer)
        least = {"OCI-Chunk-Min-Length": str(self._least)} if self._least else {}
        location = self._location.format(path=path, url=self._target.url, number=path.removeprefix(self._path))
        return Reply(202, headers={"Location": location, **least})

    def _get(self, asked: Asked) -> Reply:
        return Reply(204, headers=self._standing(asked))

    def _delete(self, asked: Asked) -> Reply:
        return Reply(204) if self.left.pop(asked.path, None) is not None else Reply.errors(404, "BLOB_UPLOAD_UNKNOWN")

    def _standing(self, asked: Asked) -> dict[str, str]:
        return {"Location": asked.path, "Range": f"0-{max(len(self.left[asked.path]) - 1, 0)}"}


def of_uploads(target: Hostile, method: str) -> list[Asked]:
    """Requests to the uploads that it opened."""
    return [asked for asked in target.asked() if asked.method == method and asked.path.startswith(UPLOADS)]


def _serve_blob(source: Hostile, content: bytes) -> str:
    source.on("GET", blob_path(content), Reply(200, content))
    return digest_of(content)
