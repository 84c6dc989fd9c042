"""Carrying out a restore: the same bytes are put back, what others list first, and the tag as the last thing."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Final

from django.utils import timezone
from django.utils.translation import gettext_noop

from oci.errors import NotFound, Refused, TooManyRequests, Unavailable
from oci.names import Digest, RepositoryName, TagName, parse_repository, parse_tag
from registries.models import for_asking
from tagging.blobs import Blobs
from tagging.course import MOVED, REFUSALS, REFUSES, BrokenOff, Course
from tagging.models import PlanItem, TrashEntry, TrashPart
from tagging.outcome import Outcome, settle
from tagging.pointing import Pointing, nothing_was_done
from tagging.trash import Kept, KeptPart, parts_of

_GONE: Final = gettext_noop("it is not in the trash any more")
_EXPIRED: Final = gettext_noop("it has expired")
_NEWER: Final = gettext_noop("the tag is there again and points elsewhere: it was left alone")
_BLOBS: Final = gettext_noop("the registry has swept %(n)s of its blobs: push them again, then it can be restored")
_REFUSED: Final = gettext_noop("the registry does not take it back: %(why)s")
SENTENCES: Final = (_GONE, _EXPIRED, _NEWER, _BLOBS, _REFUSED)

log = logging.getLogger(__name__)


class Restoration:
    def __init__(self, course: Course) -> None:
        self._course = course
        self._items = (
            course.plan.items.select_related("repository__registry", "entry")
            .defer(*for_asking("repository__registry"))
            .in_order()
        )
        self._blobs = Blobs(course.plan.registry_id, course.client)

    def run(self, *, only_begun: bool) -> None:
        touched: set[int] = set()
        try:
            for item in list(self._items.begun() if only_begun else self._items.open()):
                touched.add(item.repository_id)
                self._restore(item)
                self._course.tell(settled=1, phase="restoring")
        finally:
            self._course.tidy(touched)

    def _restore(self, item: PlanItem) -> None:
        """Raises BrokenOff and RegistryError once the rest would only fail too."""
        entry = item.entry
        if entry is None or entry.restored_at is not None or entry.until <= timezone.now():
            self._leave(item, _GONE if entry is None or entry.restored_at else _EXPIRED)
            return
        parts = parts_of(entry)
        if not any(part.role == TrashPart.Role.ROOT for part in parts):
            self._leave(item, _GONE)
            return
        pointing = Pointing(self._course, item) if item.tag else None
        try:
            self._put(item, entry, parts, pointing)
        except Refused as refusal:
            if nothing_was_done(refusal, pointing):
                self._fail(item, _REFUSED % {"why": refusal})
            elif not isinstance(refusal, REFUSALS):
                raise
            if isinstance(refusal, REFUSALS):
                raise BrokenOff(REFUSES % {"why": refusal}) from refusal

    def _put(self, item: PlanItem, entry: TrashEntry, parts: Sequence[KeptPart], pointing: Pointing | None) -> None:
        if pointing and (reason := pointing.refuse(may_move=bool(self._course.plan.param("replace")))):
            self._leave(item, _NEWER if reason == MOVED else reason)
            return
        if lost := self._lost_blobs(item, parts):
            self._lose(item, entry, lost)
            return
        if pointing and (reason := pointing.begin()):
            self._fail(item, reason)
            return
        self._put_others(item, parts)
        (root,) = (part.kept for part in parts if part.role == TrashPart.Role.ROOT)
        if pointing:
            below = [part.kept for part in parts if part.role != TrashPart.Role.REFERRER]
            if pointing.put(root):
                self._leave(item, _NEWER)
            else:
                pointing.settle(below, restores=True)
        else:
            self._put_by_digest(item, root)
            self._settle_untagged(item, entry)

    def _lost_blobs(self, item: PlanItem, parts: Sequence[KeptPart]) -> list[Digest]:
        """What the registry has no more; what another of its repositories still uses is linked in from there."""
        name = parse_repository(item.repository.name)
        missing = self._blobs.missing(name, [part.kept for part in parts if part.role != TrashPart.Role.REFERRER])
        return self._blobs.bring(name, missing)

    def _lose(self, item: PlanItem, entry: TrashEntry, lost: Sequence[Digest]) -> None:
        note = _BLOBS % {"n": len(lost)}
        with self._course.lease.writing():
            TrashEntry.objects.filter(pk=entry.pk).update(
                state=TrashEntry.State.BLOBS_GONE, checked_at=timezone.now(), problem="\n".join(map(str, lost[:20]))
            )
            settle(self._course.plan, [Outcome.failed(item, note)], timezone.now())

    def _put_others(self, item: PlanItem, parts: Sequence[KeptPart]) -> None:
        """What lies below, and what was attached where it can be had again: a lost signature keeps no image away."""
        client, name = self._course.client, parse_repository(item.repository.name)
        for part in parts:
            if part.role == TrashPart.Role.CHILD:
                self._put_by_digest(item, part.kept)
            elif part.role == TrashPart.Role.REFERRER:
                try:
                    self._put_by_digest(item, part.kept)
                    if part.tag and not self._is_there(name, parse_tag(part.tag)):
                        client.put_manifest(name, parse_tag(part.tag), part.kept.media_type, part.kept.content)
                except (*REFUSALS, Unavailable, TooManyRequests):
                    raise
                except Refused as refusal:
                    log.warning("%s is not put back with %s: %s", part.kept.digest, item, refusal)

    def _put_by_digest(self, item: PlanItem, kept: Kept) -> None:
        client, name, digest = self._course.client, parse_repository(item.repository.name), Digest.parse(kept.digest)
        if not client.manifest_exists(name, digest):
            client.put_manifest(name, digest, kept.media_type, kept.content)

    def _is_there(self, name: RepositoryName, tag: TagName) -> bool:
        try:
            self._course.client.manifest(name, tag)
        except NotFound as refusal:
            if not refusal.reasons:
                raise
            return False
        return True

    def _settle_untagged(self, item: PlanItem, entry: TrashEntry) -> None:
        now = timezone.now()
        with self._course.lease.writing():
            settle(self._course.plan, [Outcome.done(item)], now)
            TrashEntry.objects.filter(pk=entry.pk).update(restored_at=now)

    def _leave(self, item: PlanItem, why: str) -> None:
        with self._course.lease.writing():
            settle(self._course.plan, [Outcome.skipped(item, why)], timezone.now())

    def _fail(self, item: PlanItem, why: str) -> None:
        with self._course.lease.writing():
            settle(self._course.plan, [Outcome.failed(item, why)], timezone.now())
