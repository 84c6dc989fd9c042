"""Uploads that were begun and never ended: removed from the storage folder, since the API has no way to find them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from audit.models import Entry
from audit.services import record
from catalog.scanning.choosing import own_folder
from jobs import services as jobs
from jobs.models import Job
from jobs.running import JobFailed, Lease
from oci.names import RepositoryName, parse_repository
from oci.storage import StorageFolder, Upload
from registries.clients import client_for
from registries.models import Registry
from tagging.permission import check_may_act

if TYPE_CHECKING:
    from access.models import User

KIND: Final = "clear-uploads"
LEFT: Final = timedelta(days=1)  # since which nobody has written to it: then nobody goes on with it
_TOGETHER: Final = 50  # uploads of a repository that are named before they go
_TITLE: Final = gettext_noop("Removal of uploads that were left in %(name)s")
_RETIRED: Final = gettext_noop("The registry has retired or was removed: nothing was changed.")
_NO_FOLDER: Final = gettext_noop("Nothing was removed: %(why)s")
_NONE: Final = gettext_noop("No upload was left.")
_REMOVED: Final = gettext_noop("%(n)s uploads with %(bytes)s bytes were removed.")
_ENTRY: Final = gettext_noop("%(n)s uploads with %(bytes)s bytes, untouched for a day")
SENTENCES: Final = (_TITLE, _RETIRED, _NO_FOLDER, _NONE, _REMOVED, _ENTRY)


def request_clearing(registry: Registry, person: User) -> tuple[Job, bool]:
    """The job that removes what was left for a day, and whether it is new. Raises NotPermitted."""
    check_may_act(person, registry)
    with transaction.atomic():
        title = _TITLE % {"name": registry.name}
        return jobs.queue(KIND, registry.job_subject, title, requested_by=person)


def run(lease: Lease) -> str:
    """Remove the uploads that were left in the registry of the lease's job; what came of it. Raises JobFailed."""
    registry = Registry.objects.active().filter(pk=lease.subject.removeprefix("registry:")).first()
    if registry is None:
        return _RETIRED
    with client_for(registry, lease.caller) as client:
        folder, why = own_folder(registry, client)
    if folder is None:
        raise JobFailed(_NO_FOLDER % {"why": why})
    return _Clearing(lease, registry, folder).run()


class _Clearing:
    def __init__(self, lease: Lease, registry: Registry, folder: StorageFolder) -> None:
        self._lease, self._registry, self._folder = lease, registry, folder
        self._job = Job.objects.select_related("requested_by").get(pk=lease.job_id)
        self._removed = self._size = 0

    def run(self) -> str:
        self._finish(self._job.progress.get("clearing"))
        before = timezone.now() - LEFT
        for name in sorted(self._folder.repositories()):
            left = [upload for upload in self._folder.uploads(name) if _is_left(upload, before)]
            for start in range(0, len(left), _TOGETHER):
                self._remove(name, left[start : start + _TOGETHER], before)
        if not self._removed:
            return _NONE
        return _REMOVED % {"n": f"{self._removed:,}", "bytes": f"{self._size:,}"}

    def _remove(self, repository: RepositoryName, uploads: list[Upload], before: datetime) -> None:
        """What is about to go is written down first, so that whoever goes on after us can tell of it."""
        sizes = {upload.uuid: upload.size for upload in uploads}
        self._lease.tell(now=True, phase="clearing", clearing={"repository": repository, "uploads": sizes})
        gone = {
            uuid: size
            for uuid, size in sizes.items()
            if self._folder.remove_upload(repository, uuid, untouched_since=before.timestamp())
        }
        self._record(repository, gone)

    def _finish(self, begun: Any) -> None:
        """Tell of what an attempt removed that died before it could."""
        if not isinstance(begun, dict):
            return
        repository = parse_repository(str(begun.get("repository")))
        there = {upload.uuid for upload in self._folder.uploads(repository)}
        gone = {uuid: n for uuid, n in begun.get("uploads", {}).items() if uuid not in there}
        for uuid in gone:
            self._folder.remove_upload(repository, uuid, untouched_since=0)  # what they left of it
        self._record(repository, gone)

    def _record(self, repository: RepositoryName, gone: Mapping[str, int]) -> None:
        if not gone:
            return
        key = hashlib.sha256(" ".join([repository, *sorted(gone)]).encode()).hexdigest()[:24]
        person, size = self._job.requested_by, sum(gone.values())
        entry = Entry(
            key=f"uploads:{self._job.pk}:{key}",
            act=Entry.Act.CLEAR_UPLOADS,
            outcome=Entry.Outcome.DONE,
            actor=str(person) if person else "",
            actor_id=person.pk if person else None,
            registry=self._registry.name,
            registry_id=self._registry.pk,
            repository=repository,
            count=len(gone),
            detail=_ENTRY % {"n": f"{len(gone):,}", "bytes": f"{size:,}"},
        )
        with self._lease.writing():
            record([entry])
        self._removed, self._size = self._removed + len(gone), self._size + size


def _is_left(upload: Upload, before: datetime) -> bool:
    """One whose beginning cannot be told is the registry's own to purge."""
    return upload.started_at is not None and upload.started_at < before
