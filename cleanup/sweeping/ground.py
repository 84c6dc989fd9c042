"""Where a registry is swept: in its own storage folder, proved and writable; or why it is not swept."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext_noop

from catalog.scanning.choosing import own_folder
from cleanup.halting import halted
from cleanup.models import SweepTerms
from cleanup.sweeping.caches import BlobCache, OwnMemory, cache_of
from jobs.models import Job
from jobs.running import JobFailed
from oci.client import RegistryClient
from oci.errors import RegistryError
from oci.storage import StorageFault, StorageFolder
from oci.storage.aside import Aside
from registries.models import Registry

_SWEEP: Final = "sweep"  # the kind of jobs that this is about
_OTHERS: Final = ("garbage-collect",)  # kinds of jobs that remove blobs too
_MOST_APART: Final = 300  # seconds between our clock and that of the file system
_RETIRED: Final = gettext_noop("The registry was removed from Berth, which no longer changes anything there.")
_AWAY: Final = gettext_noop("The registry cannot be asked: %(why)s. Nothing was deleted.")
_NO_FOLDER: Final = gettext_noop(
    "A registry that runs is swept in its storage folder alone, and that cannot be used: %(why)s Nothing was deleted."
)
_NO_DELETES: Final = gettext_noop(
    "The registry does not allow deletes (REGISTRY_STORAGE_DELETE_ENABLED=true allows them), so no blob can be"
    " unlinked. Nothing was deleted."
)
_UNSAID: Final = gettext_noop(
    "Nobody has said how many processes of the registry serve its storage: with several, each with a memory of its own,"
    " a sweep would leave what they remember wrong. Say it in the terms of its sweeps. Nothing was deleted."
)
_SEVERAL: Final = gettext_noop(
    "Several processes serve the storage, and each remembers blobs by itself: only a restart of all of them makes them"
    " forget. Give them one cache in Redis, or none, or collect garbage while the registry is read-only. Nothing was"
    " deleted."
)
_CLOCK: Final = gettext_noop(
    "The clock of this machine and that of the storage folder are %(seconds)s s apart, so nobody can tell what is old."
    " Nothing was deleted."
)
_HALTED: Final = gettext_noop("Sweeps of this registry are stopped: %(why)s Nothing was deleted.")
_OTHER: Final = gettext_noop("“%(job)s” is under way, and removes blobs too. Nothing was deleted.")
SENTENCES: Final = (
    _RETIRED,
    _AWAY,
    _NO_FOLDER,
    _NO_DELETES,
    _UNSAID,
    _SEVERAL,
    _CLOCK,
    _HALTED,
    _OTHER,
)


@dataclass(frozen=True, slots=True)
class Ground:
    registry: Registry
    client: RegistryClient
    folder: StorageFolder
    aside: Aside
    cache: BlobCache


def check_may_sweep(registry: Registry) -> None:
    """Whether anything forbids it now, by what Berth itself knows. Raises JobFailed."""
    check_is_ours_alone(registry)
    if stopped := halted(registry):
        raise JobFailed(_HALTED % {"why": _as_sentence(stopped.why)})


def check_is_ours_alone(registry: Registry) -> None:
    """Raises JobFailed where it is not ours any more, or another job removes blobs of it."""
    if registry.retired_at is not None:
        raise JobFailed(_RETIRED)
    other = _other_job(registry)
    if other is not None:
        raise JobFailed(_OTHER % {"job": other.title})


def stand_on(registry: Registry, client: RegistryClient) -> Ground:
    """Raises JobFailed, with the cure, where the registry cannot be swept while it runs."""
    check_may_sweep(registry)
    terms = terms_of(registry)
    _check_processes(terms)
    try:
        if client.probe().deletes is False:
            raise JobFailed(_NO_DELETES)
    except RegistryError as error:
        raise JobFailed(_AWAY % {"why": str(error).rstrip(".")}) from error
    folder, aside = _own_folder(registry, client)
    return Ground(registry, client, folder, aside, cache_of(terms))


def stand_to_put_back(registry: Registry, client: RegistryClient) -> Ground:
    """The same for whoever only puts back: that is right where sweeps are stopped too, and whatever it remembers."""
    check_is_ours_alone(registry)
    folder, aside = _own_folder(registry, client)
    return Ground(registry, client, folder, aside, OwnMemory())


def _own_folder(registry: Registry, client: RegistryClient) -> tuple[StorageFolder, Aside]:
    try:
        folder, why_not = own_folder(registry, client)
    except RegistryError as error:
        raise JobFailed(_AWAY % {"why": str(error).rstrip(".")}) from error
    if folder is None:
        raise JobFailed(_NO_FOLDER % {"why": _as_sentence(why_not)})
    aside = folder.aside()
    try:
        aside.prepare()
        apart = abs(time.time_ns() - aside.now_ns()) // 10**9
    except StorageFault as error:
        raise JobFailed(_NO_FOLDER % {"why": _as_sentence(str(error))}) from error
    if apart > _MOST_APART:
        raise JobFailed(_CLOCK % {"seconds": f"{apart:,}"})
    return folder, aside


def sharing(registry: Registry) -> list[Registry]:
    """Itself, and the others that Berth reaches at other addresses and that keep their images in the same folder."""
    rows = [row for row in Registry.objects.filter(retired_at=None).exclude(storage="") if _is_same(row, registry)]
    return rows if registry in rows else [registry, *rows]


def _is_same(one: Registry, other: Registry) -> bool:
    return os.path.realpath(one.storage) == os.path.realpath(other.storage)


def _other_job(registry: Registry) -> Job | None:
    """What removes blobs of the same storage just now, other than a sweep of this registry itself."""
    subjects = [row.job_subject for row in sharing(registry)]
    collecting = Job.objects.unfinished().filter(kind__in=_OTHERS, subject__in=subjects)
    sweeping = Job.objects.unfinished().filter(kind=_SWEEP, subject__in=subjects).exclude(subject=registry.job_subject)
    return collecting.first() or sweeping.first()


def terms_of(registry: Registry) -> SweepTerms:
    """What was said of its sweeps; a row that is not saved where nothing was."""
    return of_the_embedded(
        registry, SweepTerms.objects.filter(registry=registry).first() or SweepTerms(registry=registry)
    )


def of_the_embedded(registry: Registry, terms: SweepTerms) -> SweepTerms:
    """The terms of a registry; of our own local one we know its process and cache."""
    if registry.embedded:
        terms.processes, terms.cache = SweepTerms.Processes.ONE, SweepTerms.Cache.NONE
    return terms


def _check_processes(terms: SweepTerms) -> None:
    if terms.processes == SweepTerms.Processes.UNSAID:
        raise JobFailed(_UNSAID)
    is_shared = terms.cache in {SweepTerms.Cache.NONE, SweepTerms.Cache.REDIS}
    if terms.processes == SweepTerms.Processes.SEVERAL and not is_shared:
        raise JobFailed(_SEVERAL)


def _as_sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."
