"""What one repository holds: each build of its history as manifests, with ids that are always the same.

A repository has a range of ids of its own, so that many can be made at once, and any of them again.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Final

from catalog.recording.records import ManifestRecord
from registry_ui.bench.catalog_data import content
from registry_ui.bench.catalog_data.content import KINDS, PLATFORMS, Layer, Source
from registry_ui.bench.catalog_data.shape import GONE_TAGS, WIDE, Catalog, is_empty, is_gone
from registry_ui.bench.catalog_data.tagging import Build, History, Style, history_of

STRIDE: Final = 400_000  # ids of each table for one repository
_SHARES: Final = ((0.01, Style.ARTIFACT), (0.04, Style.CHART), (0.12, Style.NIGHTLY), (0.32, Style.LIBRARY))
_SIGNED: Final = 5  # images that are signed
_FLAVOURS: Final = {"": 0, "alpine": 7, "slim": 13}  # bases apart


@dataclass(slots=True)
class Held:
    """A manifest that the repository holds, with the tags that point to it."""

    id: int
    record: ManifestRecord
    at: datetime  # when it was pushed
    blobs: dict[int, int]  # sizes by id
    is_own: bool = True  # this repository is where its content was first seen
    children: list[Held] = field(default_factory=list)
    problem: str = ""  # why it is not whole
    is_absent: bool = False  # an index lists it, and nobody ever saw it
    tags: list[str] = field(default_factory=list)
    presence: int = 0
    gone_at: datetime | None = None

    def everything(self) -> Iterator[Held]:
        yield from self.children
        yield self


class Ids:
    """The next id of each table."""

    def __init__(self, number: int) -> None:
        self._first, self._used = number * STRIDE, Counter[str]()

    def next(self, table: str) -> int:
        self._used[table] += 1
        return self._first + self._used[table]


@lru_cache(1)
def blobs_of_bases(seed: int) -> dict[str, tuple[int, int]]:
    """Id and size, by digest: the first ids of all."""
    layers = {layer.digest: layer.size for base in content.bases(seed) for layer in base}
    return {digest: (pk, size) for pk, (digest, size) in enumerate(layers.items(), start=1)}


class Builds:
    def __init__(self, catalog: Catalog, number: int, name: str, tags: int) -> None:
        self.catalog, self.number, self.name, self.ids = catalog, number, name, Ids(number)
        self.own_blobs: dict[str, tuple[int, int]] = {}  # id and size, by digest
        self._chance = random.Random(f"{catalog.seed} {number}")  # noqa: S311  nothing here is secret
        tags = GONE_TAGS if is_gone(number) else tags
        self.style = self._choose_style()
        self.is_multi = number % 10 == 9 and self.style not in {Style.CHART, Style.ARTIFACT}  # noqa: PLR2004
        self.has_unreadable = number % 50 == 7 and tags > 1 and not is_gone(number)  # noqa: PLR2004
        self.signed = min(_SIGNED, tags // 4) if number % 20 == 11 else 0  # noqa: PLR2004
        self._source = Source(name, KINDS[number % 2], name.partition("/")[0])
        left = tags - self.signed - self.has_unreadable
        self.history = History() if is_empty(number) else history_of(self._chance, self.style, left)

    def _choose_style(self) -> Style:
        share = self._chance.random()
        if self.number == WIDE:
            return Style.SERVICE
        return next((style for most, style in _SHARES if share < most), Style.SERVICE)

    @cached_property
    def held(self) -> list[Held]:
        """What each build left, the oldest first."""
        found: list[Held] = []
        base = content.choose_base(self._chance)
        dependencies = self._layer("dependencies 0", 30_000_000)
        for number, build in enumerate(self.history.builds):
            if self._chance.random() < 0.2:  # noqa: PLR2004
                dependencies = self._layer(f"dependencies {number}", 30_000_000)
            if self._chance.random() < 0.02:  # noqa: PLR2004
                base = content.choose_base(self._chance)
            found.append(self._build(build, number, base + _FLAVOURS[build.flavour], dependencies))
        return found

    def sign(self, images: Sequence[Held]) -> list[Held]:
        """Signatures of the last images, under tags made of their digests."""
        signatures = [self._hold(content.signature(one.record), one.at) for one in images[-self.signed :]]
        for one, signature in zip(images[-self.signed :], signatures, strict=True):
            signature.tags = [f"{one.record.digest.replace(':', '-')}.sig"]
        return signatures

    def _build(self, build: Build, number: int, base: int, dependencies: Layer) -> Held:
        version = build.version or build.tags[0]
        if self.style is Style.CHART:
            return self._hold(content.chart(self._source, build.at, version), build.at)
        if self.style is Style.ARTIFACT:
            return self._hold(content.artifact(self._source, build.at, version), build.at)
        platforms = range(self._chance.randint(2, len(PLATFORMS)) if self.is_multi else 1)
        parts = ("app", "assets")[: self._chance.randint(1, 2)]
        images = []
        for platform in platforms:
            below = content.base_for(self.catalog.seed, base % content.BASES, platform)
            own = [self._layer(f"{part} {number} {platform}", 4_000_000) for part in parts]
            record = content.image(self._source, build.at, build.version, [*below, dependencies, *own], platform)
            images.append(self._hold(record, build.at))
        return self._index(build, images) if self.is_multi else images[0]

    def _index(self, build: Build, images: list[Held]) -> Held:
        is_attested = self.number % 20 == 9  # noqa: PLR2004
        about = [self._hold(content.attestation(image.record), build.at) for image in images] if is_attested else []
        pairs = [(image.record, platform) for platform, image in enumerate(images)]
        record = content.index(self._source.types, pairs, [held.record for held in about])
        held = self._hold(record._replace(created=build.at), build.at)
        held.children = [*images, *about]
        return held

    def _hold(self, record: ManifestRecord, at: datetime) -> Held:
        shared = blobs_of_bases(self.catalog.seed)
        for digest, size in record.blobs:
            if digest not in shared and digest not in self.own_blobs:
                self.own_blobs[digest] = self.ids.next("Blob"), size
        blobs = dict(shared.get(digest) or self.own_blobs[digest] for digest, _ in record.blobs)
        return Held(self.ids.next("Manifest"), record, at, blobs)

    def _layer(self, text: str, most: int) -> Layer:
        step = f"COPY {text} /srv # buildkit"
        return content.layer(f"{self.catalog.seed} {self.number} {text}", self._chance.randrange(1_000, most), step)
