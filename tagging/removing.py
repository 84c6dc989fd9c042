"""Removing an empty repository for good: what the registry's API has no way to do, in its storage folder.

Each blob is unlinked through the API before its folder goes: else the registry would go on believing that the
repository has it, and the next push would leave it out.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Final, TypeAlias

from django.utils import timezone
from django.utils.translation import gettext_noop

from catalog.models import Repository
from catalog.scanning.choosing import own_folder
from oci.errors import NotFound
from oci.names import Digest, RepositoryName, parse_repository
from oci.storage import StorageFault, StorageFolder
from registries.models import for_asking
from tagging.checking import let_go
from tagging.course import BrokenOff, Course
from tagging.models import PlanItem, TrashEntry
from tagging.outcome import Outcome, settle

Delete: TypeAlias = Callable[[RepositoryName, Digest], None]

_RECENT: Final = timedelta(days=1)  # an upload that began since may still be under way
_BATCH: Final = 200
_TAGGED: Final = gettext_noop("there are tags in it again, so it stays")
_PUSHED: Final = gettext_noop("Somebody is pushing to it: an upload has begun in it and has not ended.")
_UNWRITABLE: Final = gettext_noop("Its folder in the registry's storage cannot be removed: %(why)s.")
_LISTED: Final = gettext_noop("the registry still knows it")
SENTENCES: Final = (_TAGGED, _PUSHED, _UNWRITABLE, _LISTED)


class Removal:
    def __init__(self, course: Course) -> None:
        self._course = course

    def run(self, *, only_begun: bool) -> None:
        items = self._course.plan.items.select_related("repository__registry").in_order()
        for item in list(items.begun() if only_begun else items.open()):
            self._remove(item)

    def _remove(self, item: PlanItem) -> None:
        course, name = self._course, parse_repository(item.repository.name)
        folder, why = own_folder(item.repository.registry, course.client)
        if folder is None:
            raise BrokenOff(why)
        if self._has_tags(name):
            self._settle(Outcome.skipped(item, _TAGGED))
            return
        now = timezone.now()
        if any(upload.started_at is None or upload.started_at > now - _RECENT for upload in folder.uploads(name)):
            raise BrokenOff(_PUSHED)
        with course.lease.writing():
            PlanItem.objects.filter(pk=item.pk).update(state=PlanItem.State.BEGUN)
        self._unlink(folder, name)
        try:
            folder.remove(name)
        except StorageFault as fault:
            raise BrokenOff(_UNWRITABLE % {"why": fault}) from fault
        self._empty_trash(item)
        self._settle(Outcome.failed(item, _LISTED) if self._is_known(name) else Outcome.done(item))

    def _has_tags(self, name: RepositoryName) -> bool:
        try:
            return any(page.names for page in self._course.client.tags(name))
        except NotFound as refusal:
            if not refusal.unknown_name:
                raise
            return False

    def _is_known(self, name: RepositoryName) -> bool:
        try:
            next(self._course.client.tags(name))
        except NotFound as refusal:
            return not refusal.unknown_name
        return True

    def _unlink(self, folder: StorageFolder, name: RepositoryName) -> None:
        """Manifests that no tag names, then what the repository has of blobs."""
        for digest in list(folder.revisions(name)):
            self._delete(self._course.client.delete_manifest, name, digest)
        for digest in list(folder.layer_links(name)):
            self._delete(self._course.client.delete_blob, name, digest)

    def _delete(self, delete: Delete, name: RepositoryName, digest: str) -> None:
        try:
            delete(name, Digest.parse(digest))
        except NotFound as refusal:
            if not refusal.reasons:
                raise
        self._course.tell()

    def _settle(self, outcome: Outcome) -> None:
        now = timezone.now()
        with self._course.lease.writing():
            settle(self._course.plan, [outcome], now)
            if outcome.is_done:
                Repository.objects.filter(pk=outcome.item.repository_id).update(gone_at=now, newest=None)
        self._course.tell(settled=1)

    def _empty_trash(self, item: PlanItem) -> None:
        """What was thrown away of it cannot come back without its blobs: it is not promised any longer."""
        plan, now = self._course.plan, timezone.now()
        mine = TrashEntry.objects.alive(now).filter(repository=item.repository_id)
        while batch := list(mine.select_related("registry", "repository").defer(*for_asking("registry"))[:_BATCH]):
            let_go(batch, now, plan.actor, plan.requested_by_id)
