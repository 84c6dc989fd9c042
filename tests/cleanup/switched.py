"""A real registry that commands restart, files of commands, and what can be read of it. It knows no Django."""

from __future__ import annotations

import hashlib
import http.client
import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Self

from tests.cleanup import switch
from tests.real_registry import V2, RealRegistry, binary

SWITCH = [sys.executable, "-I", "-S", switch.__file__]


class Switched:
    """A real registry that `tests.cleanup.switch` ends and starts: no child of the test's."""

    def __init__(self, folder: Path, generation: str = V2, **more: Any) -> None:
        self.folder, self._real = folder, RealRegistry(folder, generation, **more)
        self.url, self.storage, self.program = self._real.url, self._real.storage, binary(generation) or ""

    def __enter__(self) -> Self:
        with self._real:
            (self.folder / "program").write_text(self.program)
        self.switch("open")
        return self

    def __exit__(self, *_: object) -> None:
        switch.end(self.folder)

    def command(self, mode: str) -> list[str]:
        return [*SWITCH, str(self.folder), mode]

    def switch(self, mode: str) -> None:
        subprocess.run(self.command(mode), check=True, capture_output=True)
        while not self.answers():
            time.sleep(0.01)

    def answers(self) -> bool:
        try:
            urllib.request.urlopen(f"{self.url}/v2/", timeout=5).close()
        except OSError:
            return False
        return True

    def takes_uploads(self) -> bool:
        request = urllib.request.Request(f"{self.url}/v2/probe/blobs/uploads/", b"", method="POST")
        try:
            urllib.request.urlopen(request, timeout=5).close()
        except urllib.error.HTTPError as answer:
            answer.close()
            if answer.code != 405:
                raise
            return False
        return True

    @property
    def collect(self) -> list[str]:
        return [self.program, "garbage-collect", str(self.folder / "config.yml")]

    def blobs(self) -> set[str]:
        """The digests of all data in the storage folder, of manifests too."""
        return {f"sha256:{path.parent.name}" for path in (self.storage / "docker/registry/v2/blobs").rglob("data")}

    def way(self, **more: Any) -> dict[str, Any]:
        return {
            "address": self.url,
            "read-only-on": [self.command("read-only")],
            "garbage-collect": self.collect,
            "read-only-off": [self.command("open")],
            "seconds": {"answers": 3},
            **more,
        }


def written(path: Path, *ways: dict[str, Any]) -> Path:
    """A file of commands, as TOML: what JSON writes of lists and texts is TOML too."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.parent.chmod(0o700)
    lines = []
    for way in ways:
        lines.append("[[registry]]")
        for key, value in way.items():
            told = (
                ", ".join(f"{json.dumps(k)} = {json.dumps(v)}" for k, v in value.items())
                if isinstance(value, dict)
                else ""
            )
            lines.append(f"{key} = " + (f"{{ {told} }}" if isinstance(value, dict) else json.dumps(value)))
    path.write_text("\n".join(lines))
    path.chmod(0o600)
    return path


def python(*lines: str) -> list[str]:
    """A command that runs these lines."""
    return [sys.executable, "-I", "-S", "-c", "\n".join(lines)]


def is_whole(url: str, repository: str, target: str) -> bool:
    """Whether each byte of an image is there, read as a client would."""
    accept = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json"
    content = got(f"{url}/v2/{repository}/manifests/{target}", accept)
    if content is None:
        return False
    document = json.loads(content)
    if not all(is_whole(url, repository, child["digest"]) for child in document.get("manifests", ())):
        return False
    blobs = [document["config"], *document["layers"]] if "layers" in document else []
    return all(_digest(got(f"{url}/v2/{repository}/blobs/{blob['digest']}")) == blob["digest"] for blob in blobs)


def got(url: str, accept: str = "*/*") -> bytes | None:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers={"Accept": accept}), timeout=10) as answer:
            content: bytes = answer.read()
            return content
    except (urllib.error.HTTPError, http.client.IncompleteRead):
        return None


def delete(url: str, repository: str, digest: str) -> None:
    urllib.request.urlopen(
        urllib.request.Request(f"{url}/v2/{repository}/manifests/{digest}", method="DELETE"), timeout=10
    ).close()


def _digest(content: bytes | None) -> str:
    return "" if content is None else f"sha256:{hashlib.sha256(content).hexdigest()}"
