"""What a scan is held against: the same requests by bare threads, and the same files by a bare walk."""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import urllib3

from oci.media_types import ACCEPTED
from registry_ui.bench.errors import BenchError

AGENT: Final = "berth-baseline"
_THREADS: Final = 8
_TIMES: Final = 3  # the best of them counts
_OK: Final = 200


@dataclass(slots=True)
class Inventory:
    """What the tags of a storage folder reach, in the folder's order."""

    repositories: list[str] = field(default_factory=list)
    tags: list[tuple[str, str]] = field(default_factory=list)  # repository, tag
    children: list[tuple[str, str]] = field(default_factory=list)  # repository, digest of what an index in it lists
    manifests: set[str] = field(default_factory=set)
    configs: set[str] = field(default_factory=set)

    @property
    def requests(self) -> list[str]:
        """The paths that a first scan has to ask for, but for the catalog and the configs."""
        lists = [f"/v2/{name}/tags/list" for name in self.repositories]
        return lists + [f"/v2/{name}/manifests/{target}" for name, target in (*self.tags, *self.children)]


def best(measured: Callable[[], object]) -> float:
    """Seconds that the fastest of a few runs took."""
    return min(_seconds(measured) for _ in range(_TIMES))


def ask_everything(url: str, requests: Sequence[str]) -> None:
    """Each of `requests` once, by threads that keep their connections; the answers are dropped."""
    headers = {"Accept": ", ".join(ACCEPTED), "User-Agent": AGENT, "Accept-Encoding": "identity"}
    todo, taking, over = iter(requests), threading.Lock(), threading.Event()

    def work() -> None:
        while not over.is_set():
            with taking:
                path = next(todo, None)
            if path is None:
                return
            answer = pool.request("GET", path, headers=headers, retries=False)
            if answer.status != _OK:
                raise BenchError(f"The registry of the baseline answers {answer.status} to {path}.")

    with urllib3.connection_from_url(url, maxsize=_THREADS) as pool, ThreadPoolExecutor(_THREADS) as threads:
        try:
            for future in [threads.submit(work) for _ in range(_THREADS)]:
                future.result()
        finally:
            over.set()


def read_everything(root: Path) -> Inventory:
    """Read, parse and hash each document that a tag reaches, once."""
    found = Inventory()
    base = f"{root}/docker/registry/v2"
    for name in _repositories(f"{base}/repositories"):
        found.repositories.append(name)
        wanted = []
        for tag, digest in _tags(f"{base}/repositories/{name}"):
            found.tags.append((name, tag))
            wanted.append(digest)
        seen = set(wanted)
        wanted = list(seen)
        while wanted:
            children = [child for child in _read_manifest(base, wanted.pop(), found) if child not in seen]
            found.children += [(name, child) for child in children]
            seen.update(children)
            wanted += children
    return found


def read_tags(root: Path) -> int:
    """Where each tag points to; how many there are."""
    base = f"{root}/docker/registry/v2/repositories"
    return sum(1 for name in _repositories(base) for _ in _tags(f"{base}/{name}"))


def read_where_tags_point(root: Path) -> dict[str, dict[str, str]]:
    """The digest of each tag of each repository."""
    base = f"{root}/docker/registry/v2/repositories"
    return {name: dict(_tags(f"{base}/{name}")) for name in _repositories(base)}


def _repositories(base: str, name: str = "") -> Iterator[str]:
    """A repository may hold others; whatever begins with an underscore is its own."""
    with os.scandir(f"{base}/{name}" if name else base) as entries:
        below = [entry.name for entry in entries if entry.is_dir()]
    if name and "_manifests" in below:
        yield name
    for part in below:
        if not part.startswith("_"):
            yield from _repositories(base, f"{name}/{part}" if name else part)


def _tags(repository: str) -> Iterator[tuple[str, str]]:
    tags = f"{repository}/_manifests/tags"
    try:
        entries = os.scandir(tags)
    except FileNotFoundError:
        return
    with entries:
        for entry in entries:
            with open(f"{tags}/{entry.name}/current/link", "rb") as link:  # noqa: PTH123  as bare as can be
                yield entry.name, link.read().decode()


def _read_manifest(base: str, digest: str, found: Inventory) -> list[str]:
    """The digests that it lists, where it is an index."""
    content = _read_blob(base, digest)
    found.manifests.add(digest)
    if config := content.get("config"):
        if config["digest"] not in found.configs:
            found.configs.add(config["digest"])
            _read_blob(base, config["digest"])
        return []
    return [entry["digest"] for entry in content.get("manifests", ())]


def _read_blob(base: str, digest: str) -> dict[str, Any]:
    hex_ = digest.removeprefix("sha256:")
    with open(f"{base}/blobs/sha256/{hex_[:2]}/{hex_}/data", "rb") as file:  # noqa: PTH123
        content = file.read()
    if hashlib.sha256(content).hexdigest() != hex_:
        raise BenchError(f"The data folder is damaged: {digest} is something else.")
    parsed: dict[str, Any] = json.loads(content)
    return parsed


def _seconds(measured: Callable[[], object]) -> float:
    began = time.perf_counter()
    measured()
    return time.perf_counter() - began
