"""How much data a bench works on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from registry_ui.bench.catalog_data.shape import Catalog
from registry_ui.bench.storage_data import Shape
from registry_ui.bench.sync_data import Load


@dataclass(frozen=True, slots=True)
class Size:
    main: Shape  # what the speed of a scan is measured on
    load: Shape  # what is scanned while pages are asked for
    wide: Shape  # one repository of very many tags
    quiet: float  # seconds for which pages are asked for while nothing else happens
    catalog: Catalog  # what pages are measured on
    visits: int  # of each page, on each number of connections
    told: Shape  # the registry that tells of events
    tellings: int  # of one event each
    tags: Shape  # the repository that half of the tags are deleted from
    sync: Load  # what is copied in
    rounds: int = 3  # of deletions and copies; the best of each side counts
    everywhere: bool = False  # the wide repository is read through the API too, one request a tag


def _wide(tags: int) -> Shape:
    return Shape(1, tags, images=max(1, tags // 100), past=False)


TINY: Final = Size(
    main=Shape(3, 20),
    load=Shape(3, 20),
    wide=_wide(200),
    quiet=1,
    catalog=Catalog(repositories=80, tags=1_600, wide=250),
    visits=3,
    told=Shape(3, 20),
    tellings=50,
    tags=Shape(1, 120),
    sync=Load(layer=300_000, images=5, layer_of_signed=5_000),
    rounds=1,
)
USUAL: Final = Size(
    main=Shape(40, 40),
    load=Shape(12, 40),
    wide=_wide(20_000),
    quiet=5,
    catalog=Catalog(repositories=400, tags=20_000, wide=1_500),
    visits=20,
    told=Shape(12, 40),
    tellings=1_000,
    tags=Shape(1, 400),
    sync=Load(layer=16 * 2**20, images=60, layer_of_signed=1_000_000),
)
FULL: Final = Size(
    main=Shape(1000, 100),
    load=Shape(200, 100),
    wide=_wide(100_000),
    quiet=20,
    # Some of the tags are gone again: a million are there.
    catalog=Catalog(repositories=20_000, tags=1_004_000, wide=50_000),
    visits=200,
    told=Shape(200, 100),
    tellings=5_000,
    tags=Shape(1, 2_000),
    sync=Load(layer=128 * 2**20, images=200, layer_of_signed=8_000_000),
    everywhere=True,
)
