"""Telling Berth of events as a registry does: one at a time, on one connection, when the last one was answered."""

from __future__ import annotations

import http.client
import json
import threading
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count, takewhile
from typing import Final

from oci.events import MEDIA_TYPE
from registry_ui.bench.errors import BenchError

_TIMEOUT: Final = 30.0
_STORED: Final = 202
_LAYERS: Final = 6


def envelope(repository: str, digest: str, tag: str = "latest") -> bytes:
    """A pull of an image, as long as distribution writes one whose layers it names."""
    kind = "application/vnd.oci.image"
    layers = [{"mediaType": f"{kind}.layer.v1.tar+gzip", "size": 30_000 + n, "digest": digest} for n in range(_LAYERS)]
    event = {
        "id": str(uuid.uuid4()),
        "timestamp": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        "action": "pull",
        "target": {
            "mediaType": f"{kind}.manifest.v1+json",
            "size": 1_234,
            "digest": digest,
            "length": 1_234,
            "repository": repository,
            "url": f"http://registry.example.org/v2/{repository}/manifests/{digest}",
            "tag": tag,
            "references": layers,
        },
        "request": {
            "id": str(uuid.uuid4()),
            "addr": "192.0.2.7:51320",
            "host": "registry.example.org",
            "method": "GET",
            "useragent": "docker/27.3.1 go/go1.22.7 git-commit/41ca978 kernel/6.8.0 os/linux arch/amd64",
        },
        "actor": {"name": "bench"},
        "source": {"addr": "registry:5000", "instanceID": "7f1e8c70-6a0a-4f44-9a25-9d9d6f0f4c11"},
    }
    return json.dumps({"events": [event]}).encode()


@dataclass(slots=True)
class Told:
    """What a stretch of telling has measured."""

    seconds: list[float] = field(default_factory=list)  # of each request
    began: float = 0.0
    ended: float = 0.0
    fault: str = ""

    @property
    def rate(self) -> float:
        """Events a second."""
        return len(self.seconds) / (self.ended - self.began)


class Teller:
    """A registry called `name` that tells the Berth at `port` of pulls."""

    def __init__(self, port: int, name: str, secret: str, repository: str, digest: str) -> None:
        self._port, self._path = port, f"/api/v1/events/{name}"
        self._headers = {"Authorization": f"Bearer {secret}", "Content-Type": MEDIA_TYPE}
        self._repository, self._digest = repository, digest

    def tell(self, times: int) -> Told:
        return self._tell(range(times))

    @contextmanager
    def telling(self) -> Iterator[Told]:
        """All the time, from a thread of its own, as long as the block lasts."""
        over, told = threading.Event(), Told()
        turns = takewhile(lambda _: not over.is_set(), count())
        thread = threading.Thread(target=self._tell, args=(turns, told), daemon=True)
        thread.start()
        try:
            yield told
        finally:
            over.set()
            thread.join()
        if told.fault:
            raise BenchError(told.fault)

    def _tell(self, turns: Iterable[object], told: Told | None = None) -> Told:
        told = told or Told()
        told.began = time.perf_counter()
        with closing(http.client.HTTPConnection("127.0.0.1", self._port, timeout=_TIMEOUT)) as connection:
            for _ in turns:
                body = envelope(self._repository, self._digest)
                began = time.perf_counter()
                connection.request("POST", self._path, body, self._headers)
                answer = connection.getresponse()
                answer.read()
                told.seconds.append(time.perf_counter() - began)
                if answer.status != _STORED:
                    told.fault = f"An event is answered with {answer.status}."
                    break
        told.ended = time.perf_counter()
        return told


def ask_bare(port: int, path: str, times: int) -> list[float]:
    """Seconds of each of as many requests of the same size to a bare view."""
    seconds = []
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT)) as connection:
        for _ in range(times):
            body = envelope("team/app", "sha256:" + "0" * 64)
            began = time.perf_counter()
            connection.request("POST", path, body, {"Content-Type": MEDIA_TYPE})
            connection.getresponse().read()
            seconds.append(time.perf_counter() - began)
    return seconds
