"""Pushers, pullers and sweeps in one registry at once, for as long as one likes; as a script it prints its counts.

    python -m tests.cleanup.stress --seconds 300 [--kill-every 3] [--registry 3]

A push that was told it is done is remembered with its blobs, until its pusher sets out to delete it. Whatever is
remembered has to be whole, whenever it is pulled. A push that is refused is tried again, and has to succeed then.
"""

from __future__ import annotations

import argparse
import hashlib
import http.client
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import tests.environment  # noqa: F401  it says what Django needs, where no pytest has
from tests.catalog.apart import ROOT, prepare
from tests.real_registry import RealRegistry

PUSHERS, PULLERS = 8, 4
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
_TRIES = 5
_REPOSITORIES = 6
_LAYERS = 40  # contents that images are made of: few, so that they share and come back
_SWEEPER = "tests.cleanup.sweeper"


@dataclass
class Told:
    """What was counted, and what went wrong."""

    counts: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, what: str, n: int = 1) -> None:
        with self.lock:
            self.counts[what] += n

    def fail(self, what: str) -> None:
        with self.lock:
            self.broken.append(what)


class Client:
    """One connection, and what a client says on it; no more than the API."""

    def __init__(self, url: str) -> None:
        self._host = urlsplit(url).netloc
        self._connection = http.client.HTTPConnection(self._host, timeout=30)

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, bytes, str]:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            self._connection.request(method, path, body, sent)
            answer = self._connection.getresponse()
            return answer.status, answer.read(), answer.getheader("Location") or ""
        except (OSError, http.client.HTTPException):
            self._connection.close()
            self._connection = http.client.HTTPConnection(self._host, timeout=30)
            raise

    def upload(self, repository: str, content: bytes) -> bool:
        status, _, location = self.ask("POST", f"/v2/{repository}/blobs/uploads/", Content_Length="0")
        if status != 202:
            return False
        parts = urlsplit(location)
        path = f"{parts.path}?{parts.query}&digest={digest_of(content)}"
        return self.ask("PUT", path, content, Content_Type="application/octet-stream")[0] == 201


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@dataclass(frozen=True)
class Image:
    blobs: tuple[bytes, ...]  # the config first

    @property
    def manifest(self) -> bytes:
        config, *layers = self.blobs
        pointers = [{"mediaType": _LAYER, "digest": digest_of(layer), "size": len(layer)} for layer in layers]
        pointer = {"mediaType": _CONFIG, "digest": digest_of(config), "size": len(config)}
        return json.dumps({"schemaVersion": 2, "mediaType": _MANIFEST, "config": pointer, "layers": pointers}).encode()


class Harbour:
    """The tags that pushers were told are done."""

    def __init__(self) -> None:
        self._tags: dict[tuple[str, str], Image] = {}
        self._lock = threading.Lock()

    def add(self, repository: str, tag: str, image: Image) -> None:
        with self._lock:
            self._tags[repository, tag] = image

    def drop(self, repository: str, tag: str) -> None:
        with self._lock:
            self._tags.pop((repository, tag), None)

    def has(self, repository: str, tag: str, image: Image) -> bool:
        with self._lock:
            return self._tags.get((repository, tag)) is image

    def everything(self) -> list[tuple[str, str, Image]]:
        with self._lock:
            return [(*name, image) for name, image in self._tags.items()]


class Pusher:
    """Pushes into one repository, deletes again what it pushed, and pushes that anew."""

    def __init__(self, number: int, url: str, harbour: Harbour, told: Told) -> None:
        self._client, self._harbour, self._told = Client(url), harbour, told
        self._random, self._number = random.Random(number), number  # noqa: S311  the same each time
        self._repository = f"team-{number % _REPOSITORIES}/app-{number}"
        self._live: list[tuple[str, Image]] = []
        self._doomed: list[Image] = []

    def act(self) -> None:
        if self._live and self._random.random() < 0.45:
            self._delete()
        elif self._doomed and self._random.random() < 0.6:
            self._push(self._doomed[self._random.randrange(len(self._doomed))])  # just doomed, and back again
        else:
            config = json.dumps({"os": "linux", "of": self._number, "n": self._random.randrange(30)}).encode()
            layers = [b"layer %d" % self._random.randrange(_LAYERS) * 50 for _ in range(3)]
            self._push(Image((config, *layers)))

    def _push(self, image: Image) -> None:
        tag = f"t{self._random.randrange(20)}"
        self._live = [(name, other) for name, other in self._live if name != tag]
        self._harbour.drop(self._repository, tag)  # it points elsewhere in a moment
        aliases = [name for name, other in self._live if other == image]
        for alias in aliases:  # 2.8 empties the link of a manifest that is put again before it writes it
            self._harbour.drop(self._repository, alias)
        for attempt in range(_TRIES):
            if self._try(image, tag):
                self._told.count("pushed" if not attempt else "pushed when tried again")
                self._live.append((tag, image))
                for name in (tag, *aliases):
                    self._harbour.add(self._repository, name, image)
                return
            self._told.count("refused")
        self._told.fail(f"{self._repository}:{tag} could not be pushed in {_TRIES} tries")

    def _try(self, image: Image, tag: str) -> bool:
        for blob in image.blobs:
            path = f"/v2/{self._repository}/blobs/{digest_of(blob)}"
            if self._client.ask("HEAD", path)[0] == 200:
                self._told.count("blobs that were there")
            elif self._random.random() < 0.3 and self._mount(blob):
                self._told.count("mounted")
            elif not self._client.upload(self._repository, blob):
                return False
        path = f"/v2/{self._repository}/manifests/{tag}"
        return self._client.ask("PUT", path, image.manifest, Content_Type=_MANIFEST)[0] == 201

    def _mount(self, blob: bytes) -> bool:
        other = self._random.randrange(PUSHERS)
        source = f"team-{other % _REPOSITORIES}/app-{other}"
        path = f"/v2/{self._repository}/blobs/uploads/?mount={digest_of(blob)}&from={source}"
        return self._client.ask("POST", path, Content_Length="0")[0] == 201

    def _delete(self) -> None:
        _, image = self._live[self._random.randrange(len(self._live))]
        for tag, other in self._live:
            if other == image:
                self._harbour.drop(self._repository, tag)
        self._live = [(tag, other) for tag, other in self._live if other != image]
        self._client.ask("DELETE", f"/v2/{self._repository}/manifests/{digest_of(image.manifest)}")
        self._told.count("deleted")
        self._doomed = [*self._doomed, image][-5:]


class Puller:
    def __init__(self, number: int, url: str, harbour: Harbour, told: Told) -> None:
        self._client, self._harbour, self._told = Client(url), harbour, told
        self._random = random.Random(1000 + number)  # noqa: S311  the same each time

    def act(self) -> None:
        tags = self._harbour.everything()
        if not tags:
            time.sleep(0.05)
            return
        repository, tag, image = tags[self._random.randrange(len(tags))]
        fault = self.fault(repository, tag, image)
        if fault and self._harbour.has(repository, tag, image):
            self._told.fail(f"{repository}:{tag} {fault}; again: {self.fault(repository, tag, image) or 'whole'}")
        elif not fault:
            self._told.count("pulled")

    def fault(self, repository: str, tag: str, image: Image) -> str:
        status, content, _ = self._client.ask("GET", f"/v2/{repository}/manifests/{tag}", Accept=_MANIFEST)
        if status != 200 or content != image.manifest:
            return f"its manifest is {status}"
        for blob in image.blobs:
            status, content, _ = self._client.ask("GET", f"/v2/{repository}/blobs/{digest_of(blob)}")
            if status != 200 or content != blob:
                return f"{digest_of(blob)} is {status}, {len(content)} bytes"
        return ""


class Sweeps(threading.Thread):
    """A process that sweeps again and again, killed every so often."""

    def __init__(self, data: Path, told: Told, kill_every: float) -> None:
        super().__init__()
        self._data, self._told, self._kill_every = data, told, kill_every
        self.over = threading.Event()

    def run(self) -> None:
        while not self.over.is_set():
            line = [sys.executable, "-m", _SWEEPER]
            with subprocess.Popen(line, cwd=ROOT, env=_environment(self._data), stdin=subprocess.PIPE) as process:
                pause = self._kill_every * random.uniform(0.5, 1.5) if self._kill_every else None  # noqa: S311
                if self.over.wait(pause):
                    process.communicate(b"end")
                    assert process.returncode == 0
                else:
                    process.kill()
                    self._told.count("killed")


def stress(real: RealRegistry, data: Path, seconds: float, kill_every: float = 0) -> Told:
    prepare(data, real.url)
    sweeper = [sys.executable, "-m", _SWEEPER, "--prepare", str(real.storage)]
    subprocess.run(sweeper, cwd=ROOT, env=_environment(data), check=True)
    told, harbour, over = Told(), Harbour(), threading.Event()

    def go_on(who: Pusher | Puller) -> None:
        while not over.is_set():
            try:
                who.act()
            except Exception as error:  # noqa: BLE001  it is told, and fails the run
                told.fail(f"{type(who).__name__}: {error!r}")
                return

    people: list[Pusher | Puller] = [Pusher(n, real.url, harbour, told) for n in range(PUSHERS)]
    people += [Puller(n, real.url, harbour, told) for n in range(PULLERS)]
    threads = [threading.Thread(target=go_on, args=(who,)) for who in people]
    sweeps = Sweeps(data, told, kill_every)
    for thread in [*threads, sweeps]:
        thread.start()
    time.sleep(seconds)
    over.set()
    for thread in threads:
        thread.join()
    sweeps.over.set()
    sweeps.join()
    counted = subprocess.run(
        [sys.executable, "-m", _SWEEPER, "--last"], cwd=ROOT, env=_environment(data), check=True, capture_output=True
    )
    told.counts.update(json.loads(counted.stdout))
    last = Puller(0, real.url, harbour, told)
    for repository, tag, image in harbour.everything():
        told.count("looked at in the end")
        if fault := last.fault(repository, tag, image):
            told.fail(f"in the end {repository}:{tag} {fault}")
    return told


def _environment(data: Path) -> dict[str, str]:
    given = {**os.environ, "BERTH_DATA": str(data), "DJANGO_SETTINGS_MODULE": "registry_ui.settings"}
    given.pop("DATABASE_URL", None)
    return given | {"REDIS_URL": "memory://"}  # else each would wait for a broker that is not there


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--kill-every", type=float, default=0)
    parser.add_argument("--registry", default="2.8")
    parser.add_argument("--cache", default="inmemory")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        storage = {"cache": {"blobdescriptor": given.cache}} if given.cache != "none" else {}
        with RealRegistry(Path(folder) / "registry", given.registry, storage=storage) as real:
            told = stress(real, Path(folder) / "data", given.seconds, given.kill_every)
    sys.stdout.write(json.dumps({"counts": told.counts, "broken": told.broken}, indent=1) + "\n")
    return 1 if told.broken else 0


if __name__ == "__main__":
    sys.exit(main())
