"""Deleting tags and nothing else, a chunk at a time.

Where the registry deletes a tag by its name, that is asked for. Else the tags of a chunk are overwritten, one PUT each,
with a throwaway that nothing else has, and one DELETE of its digest takes them all. Each tag is read right before.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_noop

from catalog.models import Repository, Tag, Throwaway
from catalog.recording import tags
from catalog.rows import hold
from oci import throwaway
from oci.errors import (
    BadAnswer,
    ForeignRealm,
    NotFound,
    RegistryError,
    TooManyRequests,
    Unavailable,
    Unreachable,
)
from oci.names import Digest, RepositoryName, parse_repository, parse_tag
from tagging.course import REFUSALS, REFUSES, BrokenOff, Course, may_have_been_heard
from tagging.means import Way
from tagging.models import PlanItem, TrashEntry
from tagging.outcome import Outcome, give_back, settle
from tagging.protection import protected_among
from tagging.trash import keep, root_of

CHUNK: Final = 50
_TRIES: Final = 3  # of a DELETE that may have been done by half
_MOVED: Final = gettext_noop("it points to another digest now: it was moved since this was planned")
_READABLE: Final = gettext_noop("it can be read now, which it could not when this was planned: look at it first")
_UNREADABLE: Final = gettext_noop("it cannot be read now: %(why)s")
_UNKEPT: Final = gettext_noop("its manifest could not be kept, so it was not deleted")
_PUT_BACK: Final = gettext_noop("the registry took no delete, so the tag was put back")
_NOT_DONE: Final = gettext_noop("the registry says that it deleted %(digest)s and still has it")
_TORN: Final = gettext_noop(
    "The registry fails at it: %(why)s. One tag of the repository that cannot be read is enough for that: delete such a"
    " tag first."
)
SENTENCES: Final = (_TORN, _MOVED, _READABLE, _UNREADABLE, _UNKEPT, _PUT_BACK, _NOT_DONE)

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Work:
    """One chunk under way: what is known of its items so far."""

    items: Sequence[PlanItem]
    throwaway: Throwaway | None
    is_new: bool  # nobody has asked for any of it before
    outcomes: list[Outcome] = field(default_factory=list)
    overwritten: list[PlanItem] = field(default_factory=list)  # they point to the throwaway
    open: list[PlanItem] = field(default_factory=list)  # nobody knows whether the registry did it
    fault: RegistryError | None = None

    @property
    def untouched(self) -> list[PlanItem]:
        touched = {outcome.item.pk for outcome in self.outcomes} | {item.pk for item in (*self.overwritten, *self.open)}
        return [item for item in self.items if item.pk not in touched]


def _is_of_this_tag(error: RegistryError) -> bool:
    """Whether the registry could not read one tag, and may well read the next."""
    return _is_said_to_fail(error) or (isinstance(error, BadAnswer) and not isinstance(error, ForeignRealm))


def _is_said_to_fail(error: RegistryError) -> bool:
    """The registry itself says that it fails at this, which is more than being busy or away."""
    return isinstance(error, Unavailable) and error.answered == Unavailable.status and bool(error.reasons)


class Untagging:
    """In one repository. Raises BrokenOff and RegistryError once the rest would only fail too."""

    def __init__(self, course: Course, repository_id: int, way: Way) -> None:
        self._course, self._way = course, way
        self._repository_id = repository_id
        self._name: RepositoryName = parse_repository(course.repository(repository_id).name)

    def delete(self, items: Sequence[PlanItem]) -> None:
        """A chunk of items that nobody has begun."""
        items = self._without_protected(items)
        row = self._begin(items)
        begun = [item for item in items if item.state == PlanItem.State.BEGUN]
        if begun:
            self._carry(_Work(begun, row, is_new=True))

    def finish(self, items: Sequence[PlanItem]) -> None:
        """What somebody began, and then died."""
        groups: dict[int | None, list[PlanItem]] = {}
        for item in items:
            groups.setdefault(item.throwaway_id, []).append(item)
        for group in groups.values():
            self._carry(_Work(group, group[0].throwaway, is_new=False))

    def _without_protected(self, items: Sequence[PlanItem]) -> list[PlanItem]:
        repository = self._course.repository(self._repository_id)
        reasons = protected_among(repository, [item.tag for item in items])
        if reasons:
            outcomes = [Outcome.skipped(item, reasons[item.tag]) for item in items if item.tag in reasons]
            with self._course.lease.writing():
                settle(self._course.plan, outcomes, timezone.now())
        return [item for item in items if item.tag not in reasons]

    def _begin(self, items: Sequence[PlanItem]) -> Throwaway | None:
        """Keep what goes, and say what is about to be done, in one commit."""
        plan, now = self._course.plan, timezone.now()
        if not items:
            return None
        with self._course.lease.writing():
            hold(Repository, self._repository_id)
            row = self._open_throwaway(items) if self._way == Way.THROWAWAY else None
            kept = keep(plan, items, TrashEntry.How.UNTAGGED, now)
            unkept = [item for item in items if item.digest and item.digest not in kept]
            settle(plan, [Outcome.failed(item, _UNKEPT) for item in unkept], now)
            begun = [item for item in items if not item.digest or item.digest in kept]
            PlanItem.objects.filter(pk__in=[item.pk for item in begun]).update(
                state=PlanItem.State.BEGUN, throwaway=row
            )
            names = [item.tag for item in begun]
            Tag.objects.filter(repository=self._repository_id, name__in=names).update(acted_at=Now())
        for item in begun:
            item.state = PlanItem.State.BEGUN
        return row

    def _open_throwaway(self, items: Sequence[PlanItem]) -> Throwaway:
        """Of this plan and this chunk alone, so that no other plan's DELETE can take its tags."""
        name = f"{self._course.plan.name}/{items[0].position}"
        row, _ = Throwaway.objects.update_or_create(
            digest=str(Digest.of(throwaway.throwaway(name))),
            defaults={"name": name, "repository_id": self._repository_id, "closed_at": None},
        )
        return row

    def _carry(self, work: _Work) -> None:
        self._ask(work)
        if work.throwaway is not None and (work.overwritten or work.open):
            self._discard(work, work.throwaway)
        self._settle(work)
        if isinstance(work.fault, REFUSALS):
            raise BrokenOff(REFUSES % {"why": work.fault}) from work.fault
        if work.throwaway is not None and work.fault is not None and _is_said_to_fail(work.fault):
            raise BrokenOff(_TORN % {"why": work.fault}) from work.fault
        if work.fault is not None:
            raise work.fault

    def _ask(self, work: _Work) -> None:
        """Look at each tag, and have it deleted or overwritten, up to the first fault."""
        for item in work.items:
            try:
                if reason := self._look(item, work):
                    work.outcomes.append(Outcome.skipped(item, reason))
                elif work.throwaway is not None:
                    self._overwrite(item, work, work.throwaway)
                else:
                    self._delete_by_name(item, work)
            except RegistryError as fault:
                work.fault = fault
                return

    def _look(self, item: PlanItem, work: _Work) -> str:
        """Why it is left alone; "" when it is as it was planned."""
        thrown = work.throwaway.digest if work.throwaway else ""
        unless = Digest.parse(item.digest) if item.digest else None
        try:
            found = self._course.client.manifest(self._name, parse_tag(item.tag), unless=unless)
        except RegistryError as error:
            if isinstance(error, NotFound) and error.reasons:
                return ""  # its manifest is gone, or the tag is: either way it may go
            if item.digest and work.is_new and _is_of_this_tag(error):
                return _UNREADABLE % {"why": error}
            if item.digest or isinstance(error, (*REFUSALS, Unreachable, TooManyRequests)):
                raise
            return ""  # it could not be read when this was planned either
        if found is None or str(found.digest) in {item.digest, thrown}:
            return ""
        return _MOVED if item.digest else _READABLE

    def _overwrite(self, item: PlanItem, work: _Work, row: Throwaway) -> None:
        tag, content = parse_tag(item.tag), throwaway.throwaway(row.name)
        try:
            self._course.client.put_manifest(self._name, tag, throwaway.MEDIA_TYPE, content)
        except RegistryError as fault:
            if may_have_been_heard(fault):
                work.open.append(item)
            raise
        work.overwritten.append(item)

    def _delete_by_name(self, item: PlanItem, work: _Work) -> None:
        try:
            self._course.client.delete_tag(self._name, parse_tag(item.tag))
        except RegistryError as fault:
            if may_have_been_heard(fault):
                work.open.append(item)
            # A plain 404 is no registry's word for a tag that is not there.
            if not (isinstance(fault, NotFound) and fault.reasons):
                raise
        work.outcomes.append(Outcome.done(item))

    def _discard(self, work: _Work, row: Throwaway) -> None:
        """Delete the throwaway, and with it the tags that point to it; what may yet be overwritten stays open."""
        try:
            self._delete_throwaway(row)
        except RegistryError as fault:
            work.fault = fault
            # 2.8 reads every tag for it: one that is torn makes it stop half way, and will the next time.
            if isinstance(fault, (*REFUSALS, BadAnswer)) or _is_said_to_fail(fault):
                self._put_back(work, row)
            else:
                work.open += work.overwritten
        else:
            work.outcomes += [Outcome.done(item) for item in work.overwritten]

    def _delete_throwaway(self, row: Throwaway) -> None:
        """A DELETE whose answer was lost is sent again: nobody else has this digest, so it can only have been ours.

        2.8 deletes the manifest first and the tags that point to it after that, and trips over a tag that is written
        at this moment. A DELETE of what is gone takes no tags along: so the manifest is put there again before.
        """
        client, digest, content = self._course.client, Digest.parse(row.digest), throwaway.throwaway(row.name)
        for tried in range(_TRIES):
            try:
                if tried:
                    client.put_manifest(self._name, digest, throwaway.MEDIA_TYPE, content)
                client.delete_manifest(self._name, digest)
            except (NotFound, Unreachable, Unavailable) as fault:
                if tried == _TRIES - 1 or (isinstance(fault, NotFound) and not fault.reasons):
                    raise
            else:
                break
        if client.manifest_exists(self._name, digest):
            raise BadAnswer(_NOT_DONE % {"digest": digest})

    def _put_back(self, work: _Work, row: Throwaway) -> None:
        """The registry takes overwriting and no deletes: give each tag its image again."""
        for item in work.overwritten:
            try:
                self._put_one_back(item, row)
            except RegistryError as fault:
                log.warning("%s:%s could not be put back yet: %s", self._name, item.tag, fault)
                work.open.append(item)
            else:
                work.outcomes.append(Outcome.failed(item, _PUT_BACK))

    def _put_one_back(self, item: PlanItem, row: Throwaway) -> None:
        tag, client = parse_tag(item.tag), self._course.client
        try:
            if client.manifest(self._name, tag, unless=Digest.parse(row.digest)) is not None:
                return  # somebody has pushed it meanwhile
        except NotFound as refusal:
            if not refusal.reasons:
                raise  # else the throwaway is gone, and the tag points to nothing or went with it
        kept = root_of(self._course.plan, item)
        if kept is None:
            raise NotFound.build(f"PUT {self._name}:{tag}", NotFound.status)  # its manifest had been gone before
        client.put_manifest(self._name, tag, kept.media_type, kept.content)

    def _settle(self, work: _Work) -> None:
        course, now = self._course, timezone.now()
        repository = course.repository(self._repository_id)
        gone = [outcome.item.tag for outcome in work.outcomes if outcome.is_done]
        with course.lease.writing():
            live = Tag.objects.live().filter(repository=repository, name__in=gone)
            tags.drop(repository, list(live.values_list("id", flat=True)), now)
            settle(course.plan, work.outcomes, now)
            give_back(course.plan, work.untouched)
            if work.throwaway is not None and not work.open:
                Throwaway.objects.filter(pk=work.throwaway.pk).update(closed_at=now)
        course.tell(settled=len(work.outcomes))
