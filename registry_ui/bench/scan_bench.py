"""The bench `scan`: how fast a registry is read into the catalog, how often it is asked, and who waits meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from oci.media_types import ACCEPTED
from registry_ui.bench import baseline, scanning
from registry_ui.bench.baseline import Inventory
from registry_ui.bench.errors import BenchError
from registry_ui.bench.events import listening
from registry_ui.bench.ground import Ground, prepared
from registry_ui.bench.registries import Asked, Registry
from registry_ui.bench.scanning import Scanned
from registry_ui.bench.site import Site
from registry_ui.bench.sizes import Size
from registry_ui.bench.table import Row
from registry_ui.bench.waiting import rows_of_waiting, rows_of_width

NAME: Final = "main"  # of the registry that is measured
_API_RATIO: Final = 1.5
_SLOWEST_BASELINE: Final = 1000.0  # requests a second; below it something else uses the machine
_FOLDER_RATIO: Final = 12.0
_UNCHANGED_RATIO: Final = 4.0
# Seconds: against less, what every scan costs is all that a ratio shows, and it has no limit.
_SHORTEST_WALK: Final = 0.1
_SHORTEST: Final = 1.0
_SHORTEST_BASELINE: Final = 5.0
_PEAK: Final = 300.0  # MB
_CATALOG_PAGE: Final = 1000  # repositories


def run(size: Size, data: Path | None, say: Callable[[str], None]) -> list[Row]:
    if data and not (data / "docker/registry/v2").is_dir():
        raise BenchError(f"--data {data}: no registry's storage folder, which would hold docker/registry/v2.")
    with prepared(size, data, say) as ground:
        say("Reading what the data hold")
        inventory = baseline.read_everything(ground.main)
        site = ground.site("api")
        return [
            *_api(ground, inventory, site),
            *_api_of_3(ground, inventory),
            *_folder(ground),
            *rows_of_width(ground),
            *rows_of_waiting(ground, site, NAME, inventory),
        ]


def _api(ground: Ground, inventory: Inventory, site: Site) -> Iterator[Row]:
    title = "API of 2.8"
    registry = ground.registry("api", ground.main)
    scanning.add(site, NAME, registry)
    with registry.serving():
        seconds, rate = _baseline(ground, title, inventory, registry)
        ground.say(f"{title}: first scan")
        first = scanning.scan(site, NAME)
        asked = registry.asked()
    yield Row(f"{title}: baseline", rate, "requests/s", _SLOWEST_BASELINE, at_least=True)
    ratio, limit = first.without_configs / seconds, _API_RATIO if seconds >= _SHORTEST_BASELINE else None
    void = limit is not None and rate < _SLOWEST_BASELINE
    yield Row(f"{title}: tags and manifests", ratio, "times the baseline", limit, void=void)
    yield from _whole(f"{title}: first scan", first)
    most = Asked(
        catalog=len(inventory.repositories) // _CATALOG_PAGE + 1,
        lists=len(inventory.repositories),
        tags=len(inventory.tags),
        digests=len(inventory.children),
        blobs=len(inventory.configs),
        others=0,
    )
    yield from _requests(f"{title}: first scan", asked, most)
    yield from _unchanged(ground, title, inventory, site, registry)


def _unchanged(ground: Ground, title: str, inventory: Inventory, site: Site, registry: Registry) -> Iterator[Row]:
    title = f"{title}: unchanged scan"
    repository, tag = inventory.tags[0]
    with listening() as listener, registry.serving(events_to=listener.url):
        ground.say(title)
        again = scanning.scan(site, NAME)
        asked = registry.asked()
        pulls = listener.pulls(f"{registry.url}/v2/{repository}/manifests/{tag}", ", ".join(ACCEPTED))
    yield from _whole(title, again)
    most = Asked(
        catalog=len(inventory.repositories) // _CATALOG_PAGE + 1,
        lists=len(inventory.repositories),
        tags=len(inventory.tags),
        digests=0,
        blobs=0,
        others=0,
    )
    yield from _requests(title, asked, most)
    yield Row(f"{title}, pull events", pulls, "events", 0)


def _api_of_3(ground: Ground, inventory: Inventory) -> Iterator[Row]:
    title = "API of 3"
    if ground.program_3 is None:
        ground.say(f"{title}: not measured, since no registry 3 is here (PATH, or BERTH_TEST_REGISTRY_V3)")
        return
    site, registry = ground.site("api-3"), ground.registry("api-3", ground.main, ground.program_3)
    scanning.add(site, NAME, registry)
    with registry.serving():
        seconds, rate = _baseline(ground, title, inventory, registry)
        ground.say(f"{title}: first scan")
        first = scanning.scan(site, NAME)
    yield Row(f"{title}: baseline", rate, "requests/s")
    yield Row(f"{title}: tags and manifests", first.without_configs / seconds, "times the baseline")
    yield from _whole(f"{title}: first scan", first)


def _folder(ground: Ground) -> Iterator[Row]:
    title = "Folder"
    site, registry = ground.site("folder"), ground.registry("folder", ground.main)
    scanning.add(site, NAME, registry, by_folder=True)
    ground.say(f"{title}: bare walks")
    everything = baseline.best(lambda: baseline.read_everything(ground.main))
    with registry.serving():
        ground.say(f"{title}: first scan")
        first = scanning.scan(site, NAME)
        ground.say(f"{title}: unchanged scan")
        again = scanning.scan(site, NAME)
    void = _was_not_read(ground, first)
    yield Row(f"{title}: bare walk of everything", everything, "s")
    limit = _FOLDER_RATIO if everything >= _SHORTEST else None
    yield Row(f"{title}: first scan", first.seconds / everything, "times the walk", limit, void=void)
    yield from _whole(f"{title}: first scan", first)
    yield from _against_walk_of_tags(f"{title}: unchanged scan", ground.main, again, void=void)


def _against_walk_of_tags(title: str, storage: Path, again: Scanned, *, void: bool) -> Iterator[Row]:
    walk = baseline.best(lambda: baseline.read_tags(storage))
    yield Row(f"{title}, bare walk of the tags", walk, "s")
    limit = _UNCHANGED_RATIO if walk >= _SHORTEST_WALK else None
    yield Row(title, again.seconds / walk, "times the walk", limit, void=void)
    yield from _whole(title, again)


def _was_not_read(ground: Ground, scanned: Scanned) -> bool:
    if scanned.is_of_folder:
        return False
    ground.say(f"The folder was not read, so its rows are void: {scanned.note or 'nothing says why'}")
    return True


def _whole(title: str, scanned: Scanned) -> Iterator[Row]:
    yield Row(f"{title}, all of it", scanned.seconds, "s")
    yield Row(f"{title}, peak memory", scanned.peak, "MB", _PEAK)


def _requests(title: str, asked: Asked, most: Asked) -> Iterator[Row]:
    yield Row(f"{title}, pages of the catalog", asked.catalog, "requests", most.catalog)
    yield Row(f"{title}, lists of tags", asked.lists, "requests", most.lists)
    yield Row(f"{title}, manifests by tag", asked.tags, "requests", most.tags)
    yield Row(f"{title}, manifests by digest", asked.digests, "requests", most.digests)
    yield Row(f"{title}, configs", asked.blobs, "requests", most.blobs)
    yield Row(f"{title}, anything else", asked.others, "requests")


def _baseline(ground: Ground, title: str, inventory: Inventory, registry: Registry) -> tuple[float, float]:
    """Seconds of the best, and its requests a second."""
    ground.say(f"{title}: baseline")
    requests = inventory.requests
    seconds = baseline.best(lambda: baseline.ask_everything(registry.url, requests))
    return seconds, len(requests) / seconds
