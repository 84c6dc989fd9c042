"""What a plan of deletions is held against: the same chunked requests on one connection, by a loop that keeps nothing.

It shares no code with `tagging`: the throwaway is one of its own.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import time
from collections.abc import Collection, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from oci.media_types import ACCEPTED, OCI_INDEX
from registry_ui.bench.baseline import AGENT
from registry_ui.bench.errors import BenchError

CHUNK: Final = 50
_TIMEOUT: Final = 30.0
_UNCHANGED: Final = (304,)
_CREATED: Final = (201,)
_ACCEPTED: Final = (202,)


@dataclass(frozen=True, slots=True)
class Doomed:
    """Tags of one repository that are to go, each with the digest that it points to."""

    repository: str
    tags: Mapping[str, str]


def delete_by_name(url: str, doomed: Doomed) -> float:
    """Look at each tag and delete it by its name, which distribution 3 can; the seconds that it took."""
    began = time.perf_counter()
    with closing(_Connection(url)) as connection:
        for tag, digest in doomed.tags.items():
            connection.look(doomed.repository, tag, digest)
            connection.ask("DELETE", _manifest(doomed.repository, tag), _ACCEPTED)
    return time.perf_counter() - began


def delete_by_throwaway(url: str, doomed: Doomed, *, looks: bool) -> float:
    """Overwrite the tags of each chunk and delete what they point to then; the seconds that it took.

    `looks`: each is read right before, so that one that has moved would be left alone.
    """
    began = time.perf_counter()
    with closing(_Connection(url)) as connection:
        for number, chunk in enumerate(_chunks(doomed.tags)):
            content = _throwaway(number)
            for tag in chunk:
                if looks:
                    connection.look(doomed.repository, tag, doomed.tags[tag])
                connection.put(doomed.repository, tag, content)
            digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
            connection.ask("DELETE", _manifest(doomed.repository, digest), _ACCEPTED)
    return time.perf_counter() - began


class _Connection:
    """One that is kept: the cheapest client there is."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._http = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_TIMEOUT)

    def close(self) -> None:
        self._http.close()

    def look(self, repository: str, tag: str, digest: str) -> None:
        headers = {"Accept": ", ".join(ACCEPTED), "If-None-Match": f'"{digest}"'}
        self.ask("GET", _manifest(repository, tag), _UNCHANGED, headers)

    def put(self, repository: str, tag: str, content: bytes) -> None:
        self.ask("PUT", _manifest(repository, tag), _CREATED, {"Content-Type": OCI_INDEX}, content)

    def ask(
        self,
        method: str,
        path: str,
        expected: Collection[int],
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> None:
        self._http.request(method, path, body, {"User-Agent": AGENT, **(headers or {})})
        answer = self._http.getresponse()
        answer.read()
        if answer.status not in expected:
            raise BenchError(f"The registry of the bare loop answers {answer.status} to {method} {path}.")


def _chunks(tags: Iterable[str]) -> list[list[str]]:
    names = list(tags)
    return [names[start : start + CHUNK] for start in range(0, len(names), CHUNK)]


def _throwaway(number: int) -> bytes:
    annotations = {"io.berth.bench": f"{number:08}"}
    document = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [], "annotations": annotations}
    return json.dumps(document, separators=(",", ":")).encode()


def _manifest(repository: str, target: str) -> str:
    return f"/v2/{repository}/manifests/{target}"
