"""Pointing a tag to a manifest: what it pointed to goes to the trash first, and the tag is put last."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_noop

from catalog.models import Repository, Tag
from catalog.recording import tags
from catalog.rows import hold
from catalog.scanning.known import known_tags
from catalog.scanning.reading import BatchReading, TagReading
from oci.errors import NotFound, Refused
from oci.fetched import Fetched
from oci.names import Digest, RepositoryName, TagName, parse_repository, parse_tag
from tagging.at_work import AT_WORK, begun_by_others
from tagging.course import MOVED, Course, may_have_been_heard
from tagging.models import PlanItem, TrashEntry
from tagging.outcome import Outcome, settle
from tagging.protection import protected_among
from tagging.trash import Kept, keep

_UNKEPT: Final = gettext_noop("what it points to could not be kept, so it was not overwritten")
SENTENCES: Final = (_UNKEPT,)


class Pointing:
    """One item whose tag is to point to `item.target`."""

    def __init__(self, course: Course, item: PlanItem) -> None:
        self._course, self.item = course, item
        self.name: RepositoryName = parse_repository(item.repository.name)
        self.tag: TagName = parse_tag(item.tag)
        self._found: Fetched | None = None
        self._was_begun, self._was_seen = item.state == PlanItem.State.BEGUN, False
        self.is_there = False  # it points there already

    @property
    def may_be_done(self) -> bool:
        """Whether somebody set out for it before, and nobody has seen since that they did not get there."""
        return self._was_begun and (self.is_there or not self._was_seen)

    def refuse(self, *, may_move: bool) -> str:
        """Why the tag is left alone; "" where it may be put. It is read for that, right before.

        `may_move`: also where it points to something else, which a person has seen. A protected one never moves.
        """
        digest = self._look()
        self.is_there, self._was_seen = digest == self.item.target, True
        if self.is_there or not digest:
            return ""
        if digest != self.item.digest:
            return MOVED
        if not may_move:
            return MOVED
        reasons = {} if self._course.plan.param("revert") else protected_among(self.item.repository, [self.item.tag])
        return reasons.get(self.item.tag, "")

    def _look(self) -> str:
        """The digest that it points to now; "" where it is not there, or its manifest is not."""
        unless = Digest.parse(self.item.target)
        try:
            self._found = self._course.client.manifest(self.name, self.tag, unless=unless)
        except NotFound as refusal:
            if not refusal.reasons:
                raise
            return ""
        return self.item.target if self._found is None else str(self._found.digest)

    def begin(self) -> str:
        """Keep what is overwritten, and say what is about to be done, in one commit; why not, or ""."""
        replaces = self._found is not None and not self.is_there
        now = timezone.now()
        with self._course.lease.writing():
            hold(Repository, self.item.repository_id)
            others = begun_by_others(self._course.plan, self.item.repository_id)
            if any(other.is_in_the_way_of(self.tag, self.item.target) for other in others):
                return AT_WORK
            kept = keep(self._course.plan, [self.item], TrashEntry.How.REPLACED, now) if replaces else set()
            if replaces and self.item.digest not in kept:
                return _UNKEPT
            PlanItem.objects.filter(pk=self.item.pk).update(state=PlanItem.State.BEGUN)
            Tag.objects.filter(repository=self.item.repository_id, name=self.tag).update(acted_at=Now())
        return ""

    def put(self, root: Kept) -> str:
        """Why it was left alone after all, or "": what else had to be put took its time, so it is read once more."""
        before = str(self._found.digest) if self._found else ""
        if (now := self._look()) == self.item.target:
            return ""
        if now != before:
            return MOVED
        self._course.client.put_manifest(self.name, self.tag, root.media_type, root.content)
        return ""

    def settle(self, parts: Sequence[Kept], *, restores: bool) -> None:
        """Say everywhere that the tag points to its target, which is among `parts` with all that is below it."""
        now = timezone.now()
        contents = [Fetched(Digest.parse(kept.digest), kept.media_type, kept.content) for kept in parts]

        def along() -> None:
            gone = Repository.objects.filter(pk=self.item.repository_id, gone_at__isnull=False)
            gone.update(gone_at=None, missed=0)
            settle(self._course.plan, [Outcome.done(self.item)], now)
            if self.item.entry_id is not None:
                TrashEntry.objects.filter(pk=self.item.entry_id).update(restored_at=now)

        self._record(contents, now, restores=restores, along=along)

    def _record(self, contents: Sequence[Fetched], now: datetime, *, restores: bool, along: Callable[[], None]) -> None:
        repository = self._course.repository(self.item.repository_id)
        known = known_tags(repository.pk, [self.tag]).get(self.tag)
        by_digest = {str(content.digest): content for content in contents}
        reading = TagReading(self.tag, self.item.target, by_digest[self.item.target], known)
        batch = BatchReading([reading], dict(by_digest), present=set(by_digest))
        tags.record(self._course.lease, repository, batch, now, restores=restores, along=along)


def nothing_was_done(refusal: Refused, pointing: Pointing | None) -> bool:
    """Whether an item that was refused so is surely as it was, whoever set out for it; `pointing` if it is of a tag."""
    return not may_have_been_heard(refusal) and not (pointing is not None and pointing.may_be_done)
