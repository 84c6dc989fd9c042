"""The same catalog comes of a registry's API and of its folder, of 2.8 and of 3, whichever was read first."""

from __future__ import annotations

import shutil
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest

from catalog.models import Scan, Tag
from jobs.models import Job
from registries.models import Registry
from tests.catalog.generated import Written
from tests.catalog.picture import check_counters, forget_all, picture, told_by_any
from tests.catalog.scanning import last_scan, scan
from tests.pushing import Pusher
from tests.real_registry import V2, V3, RealRegistry, generations
from tests.storage_layout import StorageLayout

pytestmark = pytest.mark.django_db(transaction=True)

API, FOLDER = Scan.Source.API, Scan.Source.FOLDER


@pytest.fixture(scope="module", params=generations())
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealRegistry]:
    """A registry that remembers nothing, so that its storage may be replaced while it runs."""
    with RealRegistry(tmp_path_factory.mktemp("served"), request.param) as registry:
        yield registry


class Storage:
    """What a seed makes of a registry's storage, and the way back to it."""

    def __init__(self, registry: RealRegistry, seed: int) -> None:
        self._folder, self._copy = registry.storage, registry.folder / "copy"
        shutil.rmtree(self._copy, ignore_errors=True)
        self.written = Written(StorageLayout(self._copy), seed)
        self.restore()

    def restore(self) -> None:
        """With the times of all files."""
        shutil.rmtree(self._folder, ignore_errors=True)
        shutil.copytree(self._copy, self._folder)


def read(url: str, *sources: str, storage: Path) -> dict[str, list[Any]]:
    """What is in an empty catalog once a registry was scanned from each of these sources."""
    forget_all()
    row = Registry.objects.create(name="test", url=url)
    for source in sources:
        read_again(row, source, storage)
    return picture()


def read_again(row: Registry, source: str, storage: Path) -> dict[str, list[Any]]:
    Registry.objects.filter(pk=row.pk).update(storage=str(storage) if source == FOLDER else "")
    row.refresh_from_db()
    job = scan(row)
    assert (job.state, last_scan().source) == (Job.State.DONE, source), (job.message, last_scan().source_note)
    check_counters()
    return picture()


def change(registry: RealRegistry, written: Written) -> None:
    """Push, push again, move, delete and take away: always the same, whatever the seed was."""
    whole = Pusher(registry.url, "app")
    for tag in ("new", "moved"):
        whole.index(tag, children=[whole.image(seed=tag), whole.image(platform="linux/arm64", seed=tag)])
    Pusher(registry.url, "late/comer").image("1", "2", seed="late")
    for place, digest in written.images[:12:4]:
        with suppress(HTTPError):  # it is one of those that are broken
            delete(registry, place, digest)
    layout = StorageLayout(registry.storage)
    for name in sorted({place for place, _ in written.images}):
        for folder in sorted(layout.tags(name).glob("*.0.1*"))[:1]:
            shutil.rmtree(folder)


def delete(registry: RealRegistry, repository: str, digest: str) -> None:
    request = urllib.request.Request(f"{registry.url}/v2/{repository}/manifests/{digest}", method="DELETE")
    urllib.request.urlopen(request).close()


def links() -> list[tuple[Any, ...]]:
    """When each tag was linked that can be read."""
    return sorted(Tag.objects.filter(problem="").values_list("repository__name", "name", "link_ns"))


@pytest.mark.parametrize("seed", [1, 2])
def test_a_folder_tells_what_the_api_tells(served: RealRegistry, seed: int) -> None:
    storage = Storage(served, seed)
    seen: dict[str, list[dict[str, list[Any]]]] = {}
    for source in (API, FOLDER):
        storage.restore()
        first = read(served.url, source, storage=served.storage)
        change(served, storage.written)
        seen[source] = [first, read_again(Registry.objects.get(), source, served.storage)]

    for by_api, by_folder in zip(seen[API], seen[FOLDER], strict=True):
        assert told_by_any(by_folder) == told_by_any(by_api)
    assert seen[API][0] != seen[API][1]


@pytest.mark.parametrize("seed", [202, 204])
def test_whichever_is_read_first_the_last_one_decides(served: RealRegistry, seed: int) -> None:
    Storage(served, seed)
    by_api = read(served.url, API, storage=served.storage)
    by_folder = read(served.url, FOLDER, storage=served.storage)

    then_by_folder = read(served.url, API, FOLDER, storage=served.storage)
    linked = links()
    then_by_api = read(served.url, FOLDER, API, storage=served.storage)

    assert then_by_folder == by_folder
    assert told_by_any(then_by_api) == told_by_any(by_api)
    assert links() == linked  # which an API does not take away


@pytest.mark.skipif(V3 not in generations(), reason="the registry of generation 3 is not on this machine")
@pytest.mark.parametrize("source", [API, FOLDER])
@pytest.mark.parametrize("seed", [6, 7])
def test_2_8_and_3_tell_the_same_of_one_storage(tmp_path: Path, source: str, seed: int) -> None:
    written = Written(StorageLayout(tmp_path / "storage"), seed)
    seen = []
    for generation in (V2, V3):
        with RealRegistry(tmp_path, generation) as registry:
            seen.append(told_by_any(read(registry.url, source, storage=registry.storage)))

    in_2, in_3 = seen
    # 3 lists by manifests, 2.8 by layers: so it does not list what holds blobs only.
    listed = [row for row in in_2["repositories"] if row[0] not in written.blobs_only]
    assert in_3["repositories"] == listed
    counted = {"repositories", "totals", "namespaces"}
    assert {key: rows for key, rows in in_3.items() if key not in counted} == {
        key: rows for key, rows in in_2.items() if key not in counted
    }
