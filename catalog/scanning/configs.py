"""Reading the configs of images, last and newest first, since each costs the registry three to seven manifests."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from django.db.models import Max
from django.utils.translation import gettext_noop

from catalog.facets import of_platform
from catalog.models import Blob, ConfigDocument, Manifest, Presence, Repository
from catalog.recording.content import label_manifests, told_of
from catalog.recording.dating import date_indexes, date_presences
from catalog.recording.platforms import show_platforms
from catalog.recording.records import ConfigRecord, compressed
from catalog.recording.refreshing import refresh
from catalog.rows import execute, insert, select, table, update
from catalog.scanning.ahead import Crew
from catalog.scanning.patience import Patience
from catalog.scanning.reading import Contents
from jobs.running import Lease
from oci.config import CONFIG_LIMIT
from oci.errors import NotFound, RegistryError
from oci.names import Digest, parse_repository

BATCH: Final = 500
_HELD: Final = 8 * 2**20  # bytes of configs in a batch
_MARKED: Final = ("id", "repository_id", "manifest_id", "state", "problem")
_DATED_BY_THEM: Final = f"tag_count > 0 AND dated_by <> '{Presence.DatedBy.PUSHED.value}'"
_WHOLE: Final = [Presence.State.WHOLE.value, ""]
_REFRESH_EVERY: Final = 30.0  # seconds: the newest images are read first, so each batch is of many repositories
_PLACES: Final = 3  # repositories that are asked for one config
_LARGE: Final = gettext_noop("the config is said to have %(n)s bytes: it was not read")
_UNREAD: Final = gettext_noop("its config could not be read: %(failure)s")
SENTENCES: Final = (_LARGE, _UNREAD)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A config that was never read, and where it may be."""

    blob_id: int
    digest: str
    size: int
    repositories: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ConfigReading:
    """What came of it: the bytes and, once they are parsed, their record; or why there is nothing for now."""

    wanted: Wanted
    content: bytes = b""
    document: bytes = b""  # the same, as it is kept
    record: ConfigRecord | None = None
    failure: RegistryError | None = None

    @property
    def weight(self) -> int:
        """Bytes that it holds."""
        return len(self.content) + len(self.document)

    @property
    def is_bad(self) -> bool:
        return self.failure is not None or bool(self.record and self.record.problem)


def unread(registry_id: int) -> list[int]:
    """Ids of the config blobs to read, those of the newest images first."""
    presences = Presence.objects.present().filter(
        repository__registry_id=registry_id, manifest__config_state=Manifest.ConfigState.UNREAD
    )
    newest = presences.values("manifest__config_id").annotate(newest=Max("dated"))
    return list(newest.order_by("-newest").values_list("manifest__config_id", flat=True))


def read_all(
    crew: Crew,
    contents: Contents,
    registry_id: int,
    lease: Lease,
    told: Callable[[int, int, int], None],
) -> int:
    """Read and write all unread configs; `told` hears how many are done, of how many, and how many failed.

    How many there were.
    """
    wanted = unread(registry_id)
    names = dict(Repository.objects.filter(registry_id=registry_id).values_list("id", "name")) if wanted else {}
    patience = Patience()
    changed: dict[int, bool] = {}  # repositories whose newest image may be another now, and if they are settled then
    failed = 0
    batch: list[ConfigReading] = []
    told(0, len(wanted), 0)
    readings = crew.map(
        lambda config: _read(contents, config, patience), _wanted(names, wanted), lambda reading: reading.weight
    )
    held, refreshed = 0, time.monotonic()
    for done, unparsed in enumerate(readings, start=1):
        reading = _parsed(unparsed)
        batch.append(reading)
        held += reading.weight
        failed += reading.is_bad
        if len(batch) >= BATCH or held >= _HELD:
            changed = _write(lease, names, batch) | changed
            batch, held = [], 0
            if time.monotonic() - refreshed > _REFRESH_EVERY:
                _refresh(lease, changed)
                refreshed = time.monotonic()
        told(done, len(wanted), failed)
    _refresh(lease, _write(lease, names, batch) | changed)
    return len(wanted)


def _refresh(lease: Lease, repositories: dict[int, bool]) -> None:
    for repository, is_settled in repositories.items():
        refresh(lease, repository, **({"is_settled": True} if is_settled else {}))
    repositories.clear()


def _wanted(names: Mapping[int, str], blob_ids: list[int]) -> Iterator[Wanted]:
    for start in range(0, len(blob_ids), BATCH):
        ids = blob_ids[start : start + BATCH]
        configs = dict(select(Manifest, ("id", "config_id"), "config_id", ids))
        places: dict[int, dict[str, None]] = {}
        for manifest, repository in select(
            Presence, ("manifest_id", "repository_id"), "manifest_id", configs, "gone_at IS NULL"
        ):
            there = places.setdefault(configs[manifest], {})
            if repository in names and len(there) < _PLACES:
                there[names[repository]] = None
        blobs = {pk: (digest, size) for pk, digest, size in select(Blob, ("id", "digest", "size"), "id", ids)}
        for pk in ids:
            yield Wanted(pk, *blobs[pk], tuple(places.get(pk, ())))


def _read(contents: Contents, wanted: Wanted, patience: Patience) -> ConfigReading:
    if wanted.size > CONFIG_LIMIT:
        problem = _LARGE % {"n": f"{wanted.size:,}"}
        return ConfigReading(wanted, record=ConfigRecord.malformed(problem))
    failure: RegistryError = NotFound.build(f"GET config {wanted.digest}", 404, ())
    patience.check()
    for repository in wanted.repositories:
        try:
            content = contents.blob(parse_repository(repository), Digest.parse(wanted.digest), limit=CONFIG_LIMIT)
        except RegistryError as error:
            failure = error
            continue
        patience.heard(None)
        return ConfigReading(wanted, content, compressed(content))
    patience.heard(failure)
    return ConfigReading(wanted, failure=failure)


def _parsed(reading: ConfigReading) -> ConfigReading:
    """With the record of its bytes. One at a time: a megabyte of brackets becomes thirty in memory."""
    if reading.failure or reading.record:
        return reading
    return replace(reading, record=ConfigRecord.of(reading.content))


def _write(lease: Lease, names: Mapping[int, str], readings: list[ConfigReading]) -> dict[int, bool]:
    """Write a batch in one transaction; the repositories to refresh, each with whether it is settled then."""
    if not readings:
        return {}
    read = [reading for reading in readings if reading.failure is None]
    documents = [(reading.wanted.blob_id, reading.document) for reading in read if reading.content]
    with lease.writing():
        insert(ConfigDocument, ("blob_id", "compressed"), documents)
        _describe(read)
        manifests = dict(
            select(Manifest, ("id", "config_id"), "config_id", [reading.wanted.blob_id for reading in read])
        )
        labels = {reading.wanted.blob_id: reading.record.labels for reading in read if reading.record}
        label_manifests([(pk, label) for pk, config in manifests.items() for label in labels.get(config, ())])
        show_platforms(manifests)
        return _unsettle(names, _date(set(manifests)) | _mark(names, readings))


def _unsettle(names: Mapping[int, str], changed: set[int]) -> dict[int, bool]:
    """Until they are refreshed, in case that we are killed; each with whether it is settled then.

    Not one in which another scan has begun something, nor one of another registry: that may be scanned right now.
    """
    settled = {pk for (pk,) in select(Repository, ("id",), "id", changed, "is_settled")}
    update(Repository, ("is_settled",), [(False, pk) for pk in settled])
    return {pk: pk in settled and pk in names for pk in changed}


def _describe(readings: Iterable[ConfigReading]) -> None:
    """Tell the manifests of each config what it says of them."""
    statement = (
        f"UPDATE {table(Manifest)} SET config_state = %s, config_problem = %s, os = %s, architecture = %s,"  # noqa: S608  our own names
        " variant = %s, created = COALESCE(%s, created), facets = facets | %s"
        " WHERE config_id = %s AND config_state = %s"
    )
    unread = Manifest.ConfigState.UNREAD.value
    execute(
        statement,
        [(*told_of(r.record), of_platform(r.record.platform), r.wanted.blob_id, unread) for r in readings if r.record],
    )


def _date(manifests: set[int]) -> set[int]:
    """Date these images, and the indexes above them; the repositories in which they are."""
    manifests |= date_indexes(manifests)
    date_presences(manifests)
    return {pk for (pk,) in select(Presence, ("repository_id",), "manifest_id", manifests, _DATED_BY_THEM)}


def _mark(names: Mapping[int, str], readings: list[ConfigReading]) -> set[int]:
    """An image whose config is missing says so, until a later scan reads it; the repositories where that is news."""
    failures = {reading.wanted.blob_id: reading.failure for reading in readings}
    manifests = dict(select(Manifest, ("id", "config_id"), "config_id", failures))
    here = f"gone_at IS NULL AND state IN ('{Presence.State.WHOLE.value}', '{Presence.State.NO_CONFIG.value}')"
    changed, repositories = [], set()
    for presence, repository, manifest, *before in select(Presence, _MARKED, "manifest_id", manifests, here):
        failure = failures[manifests[manifest]]
        now = [Presence.State.NO_CONFIG.value, _UNREAD % {"failure": failure}] if failure else _WHOLE
        if repository in names and before != now:
            changed.append((*now, presence))
            repositories.add(repository)
    update(Presence, ("state", "problem"), changed)
    return repositories
