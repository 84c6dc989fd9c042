"""How long it takes from a push, as the registry has answered it, until the catalog shows it."""

from __future__ import annotations

import http.client
import json
import sqlite3
import threading
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from oci.media_types import ACCEPTED
from registry_ui.bench.errors import BenchError
from registry_ui.bench.registries import Registry

_LOOK: Final = 0.005  # seconds between two looks
_PATIENCE: Final = 20.0  # seconds for the last to show
_TIMEOUT: Final = 30.0
_CREATED: Final = 201


@dataclass(slots=True)
class _Pushes:
    """By the name of each tag, when the registry said that it was there, and when the catalog showed it."""

    pushed: dict[str, float] = field(default_factory=dict)
    shown: dict[str, float] = field(default_factory=dict)
    over: threading.Event = field(default_factory=threading.Event)


def push_and_see(
    registry: Registry, database: Path, where: tuple[str, str], rate: float, seconds: float
) -> list[float]:
    """Push new images at `rate` a second for so long, in the repository and beside the tag that are `where`.

    Seconds from the registry's answer to each until its tag is in the catalog's table, in the order of the pushes.
    """
    repository, tag = where
    pushes = _Pushes()
    watcher = threading.Thread(target=_watch, args=(database, pushes), daemon=True)
    watcher.start()
    name = f"seen-{time.monotonic_ns():x}"
    with closing(http.client.HTTPConnection(*_address(registry), timeout=_TIMEOUT)) as connection:
        path = f"/v2/{repository}/manifests"
        document = _read(connection, f"{path}/{tag}")
        begin = time.perf_counter()
        for number in range(int(rate * seconds)):
            time.sleep(max(0.0, begin + number / rate - time.perf_counter()))
            _push(connection, f"{path}/{name}-{number}", document, f"{name}-{number}")
            pushes.pushed[f"{name}-{number}"] = time.perf_counter()
    until = time.perf_counter() + _PATIENCE
    while len(pushes.shown) < len(pushes.pushed) and time.perf_counter() < until:
        time.sleep(_LOOK)
    pushes.over.set()
    watcher.join()
    if lost := pushes.pushed.keys() - pushes.shown.keys():
        raise BenchError(f"{len(lost)} of {len(pushes.pushed)} pushes never showed.")
    return [max(0.0, pushes.shown[name] - when) for name, when in pushes.pushed.items()]


def _watch(database: Path, pushes: _Pushes) -> None:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        last = connection.execute("SELECT COALESCE(MAX(id), 0) FROM catalog_tag").fetchone()[0]
        while not pushes.over.wait(_LOOK):
            now = time.perf_counter()
            for pk, name in connection.execute("SELECT id, name FROM catalog_tag WHERE id > ? ORDER BY id", (last,)):
                last = pk
                if name.startswith("seen-"):
                    pushes.shown.setdefault(name, now)


def _address(registry: Registry) -> tuple[str, int]:
    host, _, port = registry.url.removeprefix("http://").partition(":")
    return host, int(port)


def _read(connection: http.client.HTTPConnection, path: str) -> dict[str, Any]:
    connection.request("GET", path, headers={"Accept": ", ".join(ACCEPTED)})
    answer = connection.getresponse()
    document: dict[str, Any] = json.loads(answer.read())
    return document


def _push(connection: http.client.HTTPConnection, path: str, document: dict[str, Any], seed: str) -> None:
    """An image with the same layers, and another digest."""
    kind = document.get("mediaType") or "application/vnd.oci.image.manifest.v1+json"
    body = json.dumps({**document, "annotations": {"org.opencontainers.image.title": seed}}).encode()
    connection.request("PUT", path, body, {"Content-Type": kind})
    answer = connection.getresponse()
    answer.read()
    if answer.status != _CREATED:
        raise BenchError(f"The registry answers {answer.status} to a push.")
