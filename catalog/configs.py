"""Reading the configs of images, last and newest first, since each costs the registry three to seven manifests."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Final

from django.db.models import Max

from catalog.ahead import in_order
from catalog.dating import date_indexes, date_presences, refresh_newest
from catalog.models import Blob, ConfigDocument, Manifest, Presence
from catalog.patience import Patience
from jobs.running import Lease
from oci.client import RegistryClient
from oci.config import CONFIG_LIMIT, ImageConfig, parse_config
from oci.errors import BadAnswer, NotFound, RegistryError
from oci.names import Digest, parse_repository

BATCH: Final = 100
_PLACES: Final = 3  # repositories that are asked for one config


@dataclass(frozen=True, slots=True)
class Wanted:
    """A config that was never read, and where it may be."""

    blob_id: int
    digest: str
    size: int
    repositories: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ConfigReading:
    """What came of it: the bytes and their meaning, or why there is none."""

    wanted: Wanted
    content: bytes = b""
    config: ImageConfig | None = None
    problem: str = ""  # the bytes are what they are: this is for ever
    failure: RegistryError | None = None  # nothing came: this is for now


def unread(registry_id: int) -> list[int]:
    """Ids of the config blobs to read, those of the newest images first."""
    presences = Presence.objects.present().filter(
        repository__registry_id=registry_id, manifest__config_state=Manifest.ConfigState.UNREAD
    )
    newest = presences.values("manifest__config_id").annotate(newest=Max("dated"))
    return list(newest.order_by("-newest").values_list("manifest__config_id", flat=True))


def read_all(
    pool: Executor,
    client: RegistryClient,
    registry_id: int,
    lease: Lease,
    told: Callable[[int, int, int], None],
) -> None:
    """Read and write all unread configs; `told` hears how many are done, of how many, and how many failed."""
    wanted = unread(registry_id)
    patience = Patience()
    failed = 0
    batch: list[ConfigReading] = []
    told(0, len(wanted), 0)
    readings = in_order(pool, lambda config: _read(client, config), _wanted(registry_id, wanted))
    for done, reading in enumerate(readings, start=1):
        patience.heard(reading.failure)
        batch.append(reading)
        failed += bool(reading.failure or reading.problem)
        if len(batch) >= BATCH:
            _write(lease, registry_id, batch)
            batch = []
        told(done, len(wanted), failed)
    _write(lease, registry_id, batch)


def _wanted(registry_id: int, blob_ids: list[int]) -> Iterator[Wanted]:
    for start in range(0, len(blob_ids), BATCH):
        ids = blob_ids[start : start + BATCH]
        places: dict[int, list[str]] = {}
        rows = Presence.objects.present().filter(repository__registry_id=registry_id, manifest__config_id__in=ids)
        for blob, name in rows.values_list("manifest__config_id", "repository__name").distinct():
            if len(places.setdefault(blob, [])) < _PLACES:
                places[blob].append(name)
        blobs = Blob.objects.in_bulk(ids)
        for pk in ids:
            yield Wanted(pk, blobs[pk].digest, blobs[pk].size, tuple(places.get(pk, ())))


def _read(client: RegistryClient, wanted: Wanted) -> ConfigReading:
    if wanted.size > CONFIG_LIMIT:
        return ConfigReading(wanted, problem=f"the config is said to have {wanted.size:,} bytes: it was not read")
    failure: RegistryError = NotFound.build(f"GET config {wanted.digest}", 404, ())
    for repository in wanted.repositories:
        try:
            content = client.blob(parse_repository(repository), Digest.parse(wanted.digest), limit=CONFIG_LIMIT)
        except RegistryError as error:
            failure = error
            continue
        try:
            return ConfigReading(wanted, content, parse_config(content))
        except BadAnswer as error:
            return ConfigReading(wanted, content, problem=str(error))
    return ConfigReading(wanted, failure=failure)


def _write(lease: Lease, registry_id: int, readings: Iterable[ConfigReading]) -> None:
    """One transaction for the configs, one for each repository whose newest image that changes."""
    readings = list(readings)
    if not readings:
        return
    with lease.writing():
        read = [reading for reading in readings if reading.failure is None]
        ConfigDocument.objects.bulk_create(
            [
                ConfigDocument(blob_id=reading.wanted.blob_id, compressed=zlib.compress(reading.content))
                for reading in read
                if reading.content
            ],
            ignore_conflicts=True,
        )
        for reading in read:
            _describe(reading)
        changed = _date([reading.wanted.blob_id for reading in read])
        _mark(registry_id, readings)
    for repository in changed:
        with lease.writing():
            refresh_newest(repository)


def _describe(reading: ConfigReading) -> None:
    """Tell the manifests of a config what it says of them."""
    manifests = Manifest.objects.filter(config_id=reading.wanted.blob_id, config_state=Manifest.ConfigState.UNREAD)
    if reading.config is None:
        manifests.update(config_state=Manifest.ConfigState.MALFORMED, config_problem=reading.problem)
        return
    platform, created = reading.config.platform, reading.config.created
    values = {"created": created} if created else {}
    manifests.update(
        config_state=Manifest.ConfigState.READ,
        os=platform.os[:64] if platform else "",
        architecture=platform.architecture[:64] if platform else "",
        variant=platform.variant[:64] if platform else "",
        **values,
    )


def _date(blob_ids: list[int]) -> set[int]:
    """Date the images of these configs; the repositories in which they are."""
    manifests = set(Manifest.objects.filter(config_id__in=blob_ids).values_list("id", flat=True))
    manifests |= date_indexes(manifests)
    date_presences(manifests)
    tagged = Presence.objects.tagged().filter(manifest_id__in=manifests)
    return set(tagged.values_list("repository_id", flat=True))


def _mark(registry_id: int, readings: list[ConfigReading]) -> None:
    """An image whose config is missing says so, until a later scan reads it."""
    here = Presence.objects.present().filter(repository__registry_id=registry_id)
    for reading in readings:
        mine = here.filter(manifest__config_id=reading.wanted.blob_id)
        if reading.failure is None:
            mine.filter(state=Presence.State.NO_CONFIG).update(state=Presence.State.WHOLE, problem="")
        else:
            problem = f"its config could not be read: {reading.failure}"
            mine.filter(state__in=[Presence.State.WHOLE, Presence.State.NO_CONFIG]).exclude(problem=problem).update(
                state=Presence.State.NO_CONFIG, problem=problem
            )
