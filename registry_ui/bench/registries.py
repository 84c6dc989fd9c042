"""A registry for a storage folder, and what its access log says that it was asked."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from registry_ui.bench.processes import free_port, serving
from registry_ui.start import environment, probes

_SETTLED: Final = 0.2  # seconds until the last answers are in the log
_LINE: Final = re.compile(r'"([A-Z]+) /v2/(\S*) HTTP/1\.1" \d+ \d+ "[^"]*" "berth/')
_READING: Final = ("GET", "HEAD")
_KINDS: Final = (
    ("catalog", re.compile(r"_catalog(\?.*)?")),
    ("lists", re.compile(r".+/tags/list(\?.*)?")),
    ("digests", re.compile(r".+/manifests/sha256:[0-9a-f]+")),
    ("tags", re.compile(r"(?!berth-probe/).+/manifests/[^/]+")),
    ("blobs", re.compile(r".+/blobs/sha256:[0-9a-f]+")),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """Requests of Berth at a registry, by what they asked for."""

    catalog: int  # pages
    lists: int  # of tags
    tags: int  # manifests by tag
    digests: int  # manifests by digest
    blobs: int
    others: int


class Registry:
    """A storage folder at one address, whatever program serves it: `with registry.serving(): …`."""

    def __init__(self, program: str, storage: Path, folder: Path) -> None:
        self.storage = storage
        self._program, self._folder, self._port = program, folder, free_port()
        self._heard = 0  # bytes of the access log
        folder.mkdir(parents=True)
        self._access.touch()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def _access(self) -> Path:
        return self._folder / "access"

    @contextmanager
    def serving(self, events_to: str = "", secret: str = "") -> Iterator[None]:
        """`events_to`: an address that is told of each event, and shown the `secret`."""
        config = self._folder / "config.yml"
        config.write_text(json.dumps(self._config(events_to, secret)))  # JSON is YAML
        with serving(
            [self._program, "serve", str(config)],
            {**environment.plain(), "OTEL_TRACES_EXPORTER": "none"},
            lambda: probes.answers("127.0.0.1", self._port, "/v2/"),
            self._access,
            self._folder / "log",
        ):
            yield

    def asked(self) -> Asked:
        """What Berth has asked since the last call, but for what it has written."""
        counts = self.heard()
        kinds = ("catalog", "lists", "tags", "digests", "blobs", "others")
        return Asked(*(sum(counts[method, kind] for method in _READING) for kind in kinds))

    def heard(self) -> Counter[tuple[str, str]]:
        """How often since the last call Berth has sent each method for each kind of thing."""
        time.sleep(_SETTLED)
        with self._access.open("rb") as log:
            log.seek(self._heard)
            lines = log.read().decode(errors="replace").splitlines()
            self._heard = log.tell()
        return Counter((found[1], _kind(found[2])) for line in lines if (found := _LINE.search(line)))

    def _config(self, events_to: str, secret: str) -> dict[str, Any]:
        config: dict[str, Any] = {
            "version": "0.1",
            "log": {"level": "error"},
            "storage": {
                "filesystem": {"rootdirectory": str(self.storage)},
                "cache": {"blobdescriptor": "inmemory"},
                "delete": {"enabled": True},
                "maintenance": {"uploadpurging": {"enabled": False}},
            },
            "http": {"addr": f"127.0.0.1:{self._port}", "secret": "of-a-bench"},
        }
        if events_to:
            headers = {"Authorization": [f"Bearer {secret}"]} if secret else {}
            endpoint = {"name": "bench", "url": events_to, "timeout": "5s", "threshold": 3, "backoff": "1s"}
            endpoint |= {"headers": headers}
            config["notifications"] = {"endpoints": [endpoint]}
        return config


def _kind(path: str) -> str:
    return next((name for name, pattern in _KINDS if pattern.fullmatch(path)), "others")
