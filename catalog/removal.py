"""Forgetting a registry: its catalog goes, in small transactions; nothing is ever asked of the registry itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Final

from django.db import IntegrityError, models, transaction
from django.utils.translation import gettext_noop

from audit.forgetting import forget
from audit.models import Entry
from catalog.models import (
    Blob,
    IndexEntry,
    Manifest,
    ManifestBlob,
    Presence,
    Repository,
    RepositoryBlob,
    RepositoryCard,
    Scan,
    Tag,
    TagSpan,
)
from catalog.scan import KIND as SCAN
from jobs import services as jobs
from jobs.models import Job
from jobs.running import Lease
from registries import event_secrets
from registries import services as registries
from registries.models import Registry
from registries.noting import note

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

Writing = Callable[[], AbstractContextManager[None]]
"""Opens a transaction: of a job one that commits only while its lease holds."""

KIND: Final = "removal"
_BATCH: Final = 200  # rows a transaction: well under 200 ms
_STILL_WORKING: Final = gettext_noop("“%(job)s” is not over yet. Stop it on the jobs page, then remove %(name)s.")
_TITLE: Final = gettext_noop("Removal of %(name)s")
_GONE_ALREADY: Final = gettext_noop("It was gone already.")
_FORGOTTEN: Final = gettext_noop(
    "It is forgotten, with all that was read from it. Nothing was changed at the registry."
)
SENTENCES: Final = (_STILL_WORKING, _TITLE, _GONE_ALREADY, _FORGOTTEN)


class _ScanRuns(Exception):  # noqa: N818  it says why nothing was deleted
    """A scan may be about to point to content that nobody shows."""


class StillWorking(Exception):  # noqa: N818  it says what has to end first
    """A job works on the registry; the sentence says what to do."""


def stop_work(registry: Registry) -> None:
    """Ask every job on `registry` to stop: it retires, or it is about to be removed."""
    for job in _at_work(registry):
        jobs.stop(job)


def _at_work(registry: Registry) -> models.QuerySet[Job]:
    """What works on the registry as a whole, or on a part of it, which the job's parameters say."""
    about = models.Q(subject=registry.job_subject) | models.Q(params__registry=registry.pk)
    return Job.objects.unfinished().filter(about)


def check_idle(registry: Registry) -> None:
    """Raises StillWorking."""
    job = _at_work(registry).first()
    if job is not None:
        raise StillWorking(_STILL_WORKING % {"job": job.title, "name": registry.name})


def request_removal(registry: Registry, requested_by: AbstractBaseUser | None = None) -> Job:
    """Queue the removal of a registry, which retires at once and gives up its name. Raises StillWorking."""
    title = _TITLE % {"name": registry.name}
    with transaction.atomic():
        _retire(registry, give_up_name=True)
        note(Entry.Act.REGISTRY_REMOVE, registry, requested_by)
        return jobs.queue(KIND, registry.job_subject, title, requested_by=requested_by)[0]


def run(lease: Lease) -> str:
    """Remove the registry that the lease's job is about."""
    registry = Registry.objects.filter(pk=lease.subject.removeprefix("registry:")).first()
    if registry is None:
        return _GONE_ALREADY
    _remove(registry, lease.writing, lambda rows: lease.tell(phase="removing", rows=rows))
    return _FORGOTTEN


def remove_registry(registry: Registry) -> None:
    """Remove the row of a registry and all that was read from it, now. Raises StillWorking.

    It retires first, so that nothing scans it any more; a removal that was interrupted is finished
    by a second one.
    """
    _retire(registry, give_up_name=False)
    _remove(registry, transaction.atomic, lambda _rows: None)


def _retire(registry: Registry, *, give_up_name: bool) -> None:
    """Retire the row, of which `registry` may be an old copy, or change nothing at all. Raises StillWorking."""
    with transaction.atomic():
        row = Registry.objects.select_for_update().get(pk=registry.pk)
        if row.retired_at is None:
            registries.retire(row, give_up_name=give_up_name)
        check_idle(registry)  # last, so that it sees what was queued until now


def _remove(registry: Registry, writing: Writing, told: Callable[[int], None]) -> None:
    here = {"repository__registry": registry}
    removed = 0
    for rows in (
        TagSpan.objects.filter(**here),
        Tag.objects.filter(**here),
        RepositoryBlob.objects.filter(**here),
        Presence.objects.filter(**here),
        RepositoryCard.objects.filter(**here),
        Repository.objects.filter(registry=registry),
        Scan.objects.filter(registry=registry),
    ):
        for batch in _batches(rows):
            with writing():
                # By key alone: with the joins of `rows` the database would look for them anew in each batch.
                removed += models.QuerySet(rows.model).filter(pk__in=batch).delete()[0]
            told(removed)
    forget(registry.pk, {secret.name for secret in event_secrets.live(registry)})
    with writing():
        registry.delete()
    _drop_content_of_nobody(writing)


def _batches(rows: models.QuerySet[Any]) -> Iterator[list[int]]:
    """The keys of `rows`, in order, some at a time; each batch is asked for after the last was dealt with."""
    last = 0
    while batch := list(rows.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:_BATCH]):
        yield batch
        last = batch[-1]


def _drop_content_of_nobody(writing: Writing) -> None:
    """Delete manifests and blobs that no registry shows any more.

    A running scan may be about to point to one of them: then they wait for the next removal.
    """
    try:
        while _delete_orphans(_orphaned_manifests(), writing):
            pass  # the children of an index are orphans once it is gone
        _delete_orphans(_orphaned_blobs(), writing)
    except _ScanRuns:
        return


def _delete_orphans(orphans: models.QuerySet[Any], writing: Writing) -> int:
    """How many rows went. A batch with one that is pointed to again by now stays, for the next removal."""
    deleted = 0
    for batch in _batches(orphans):
        try:
            with writing():
                gone = orphans.filter(pk__in=batch).delete()[0]
                # After the delete, so that it sees a scan that began meanwhile too.
                if Job.objects.filter(state=Job.State.RUNNING, kind=SCAN).exists():
                    raise _ScanRuns
        except IntegrityError:  # at the commit, or the ProtectedError before it
            continue
        deleted += gone
    return deleted


def _orphaned_manifests() -> models.QuerySet[Manifest]:
    this = models.OuterRef("pk")
    return Manifest.objects.exclude(
        models.Exists(Presence.objects.filter(manifest=this))
        | models.Exists(TagSpan.objects.filter(manifest=this))
        | models.Exists(IndexEntry.objects.filter(child=this))
    )


def _orphaned_blobs() -> models.QuerySet[Blob]:
    this = models.OuterRef("pk")
    return Blob.objects.exclude(
        models.Exists(ManifestBlob.objects.filter(blob=this))
        | models.Exists(RepositoryBlob.objects.filter(blob=this))
        | models.Exists(Manifest.objects.filter(config=this))
    )
