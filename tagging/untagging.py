"""Deleting tags and nothing else, a chunk at a time.

Where the registry deletes a tag by its name, that is asked for. Else the tags of a chunk are overwritten, one PUT each,
with a throwaway that nothing else has, and one DELETE of its digest takes them all. Each tag is read right before.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_noop

from catalog.models import Repository, Tag, Throwaway
from catalog.recording import tags
from catalog.rows import hold
from oci import throwaway
from oci.errors import (
    NotFound,
    RegistryError,
    TooManyRequests,
    Unreachable,
)
from oci.names import Digest, RepositoryName, parse_repository, parse_tag
from tagging.at_work import AT_WORK, begun_by_others
from tagging.course import MOVED, REFUSALS, REFUSES, UNKEPT, BrokenOff, Course, may_have_been_heard
from tagging.discarding import Chunk, Discarding, is_of_one_tag, says_that_it_fails
from tagging.means import Way
from tagging.models import PlanItem, TrashEntry
from tagging.outcome import Outcome, give_back, settle
from tagging.protection import protected_among
from tagging.trash import keep

CHUNK: Final = 50
_OVERLAP: Final = timedelta(minutes=1)  # an act is written some time after its moment
_READABLE: Final = gettext_noop("it can be read now, which it could not when this was planned: look at it first")
_UNREADABLE: Final = gettext_noop("it cannot be read now: %(why)s")
_BY_ANOTHER: Final = gettext_noop("another plan deleted it meanwhile")
_TORN: Final = gettext_noop(
    "The registry fails at it: %(why)s. One tag of the repository that cannot be read is enough for that: delete such a"
    " tag first."
)
SENTENCES: Final = (_TORN, _READABLE, _UNREADABLE, _BY_ANOTHER)


class Untagging:
    """In one repository. Raises BrokenOff and RegistryError once the rest would only fail too."""

    def __init__(self, course: Course, repository_id: int, way: Way) -> None:
        self._course, self._way = course, way
        self._repository_id = repository_id
        self._name: RepositoryName = parse_repository(course.repository(repository_id).name)

    def delete(self, items: Sequence[PlanItem]) -> None:
        """A chunk of items that nobody has begun."""
        items, since = self._without_protected(items), timezone.now() - _OVERLAP
        row = self._begin(items)
        begun = [item for item in items if item.state == PlanItem.State.BEGUN]
        if begun:
            self._carry(Chunk(begun, row, is_new=True, since=since))

    def finish(self, items: Sequence[PlanItem]) -> None:
        """What somebody began, and then died."""
        groups: dict[int | None, list[PlanItem]] = {}
        for item in items:
            groups.setdefault(item.throwaway_id, []).append(item)
        for group in groups.values():
            self._carry(Chunk(group, group[0].throwaway, is_new=False, since=self._course.plan.began_at))

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
            items = self._without_those_being_put(items)
            row = self._open_throwaway(items) if items and self._way == Way.THROWAWAY else None
            kept = keep(plan, items, TrashEntry.How.UNTAGGED, now)
            unkept = [item for item in items if item.digest and item.digest not in kept]
            settle(plan, [Outcome.failed(item, UNKEPT) for item in unkept], now)
            begun = [item for item in items if not item.digest or item.digest in kept]
            PlanItem.objects.filter(pk__in=[item.pk for item in begun]).update(
                state=PlanItem.State.BEGUN, throwaway=row
            )
            names = [item.tag for item in begun]
            Tag.objects.filter(repository=self._repository_id, name__in=names).update(acted_at=Now())
        for item in begun:
            item.state = PlanItem.State.BEGUN
        return row

    def _without_those_being_put(self, items: Sequence[PlanItem]) -> list[PlanItem]:
        """Inside the transaction of `_begin`: who deletes what is just being pointed elsewhere loses that too."""
        put = {other.tag for other in begun_by_others(self._course.plan, self._repository_id) if other.puts}
        settle(self._course.plan, [Outcome.skipped(item, AT_WORK) for item in items if item.tag in put], timezone.now())
        return [item for item in items if item.tag not in put]

    def _open_throwaway(self, items: Sequence[PlanItem]) -> Throwaway:
        """Of this plan and this chunk alone, so that no other plan's DELETE can take its tags."""
        name = f"{self._course.plan.name}/{items[0].position}"
        row, _ = Throwaway.objects.update_or_create(
            digest=str(Digest.of(throwaway.throwaway(name))),
            defaults={"name": name, "repository_id": self._repository_id, "closed_at": None},
        )
        return row

    def _carry(self, chunk: Chunk) -> None:
        self._ask(chunk)
        if chunk.throwaway is not None and (chunk.overwritten or chunk.open):
            Discarding(self._course.plan, self._course.client, self._name).discard(chunk, chunk.throwaway)
        self._settle(chunk)
        if isinstance(chunk.fault, REFUSALS):
            raise BrokenOff(REFUSES % {"why": chunk.fault}) from chunk.fault
        if chunk.throwaway is not None and chunk.fault is not None and says_that_it_fails(chunk.fault):
            raise BrokenOff(_TORN % {"why": chunk.fault}) from chunk.fault
        if chunk.fault is not None:
            raise chunk.fault

    def _ask(self, chunk: Chunk) -> None:
        """Look at each tag, and have it deleted or overwritten, up to the first fault."""
        for item in chunk.items:
            try:
                self._ask_for(item, chunk)
            except RegistryError as fault:
                chunk.fault = fault
                if not chunk.is_new:
                    chunk.open += chunk.untouched  # whoever began them may have done some
                return

    def _ask_for(self, item: PlanItem, chunk: Chunk) -> None:
        try:
            found = self._look(item)
        except RegistryError as error:
            if not (item.digest and chunk.is_new and is_of_one_tag(error)):
                raise
            chunk.outcomes.append(Outcome.skipped(item, _UNREADABLE % {"why": error}))
            return
        thrown = chunk.throwaway.digest if chunk.throwaway else ""
        if found and found == thrown:
            chunk.overwritten.append(item)
        elif found and (reason := self._why_not(item, found, chunk)):
            chunk.outcomes.append(Outcome.skipped(item, reason))
        elif chunk.throwaway is not None:
            self._overwrite(item, chunk, chunk.throwaway)
        else:
            self._delete_by_name(item, chunk)

    def _look(self, item: PlanItem) -> str:
        """The digest that its tag points to now; "" where that cannot be read, and could not when it was planned."""
        unless = Digest.parse(item.digest) if item.digest else None
        try:
            found = self._course.client.manifest(self._name, parse_tag(item.tag), unless=unless)
        except RegistryError as error:
            if isinstance(error, NotFound) and error.reasons:
                return ""  # its manifest is gone, or the tag is: either way it may go
            if item.digest or isinstance(error, (*REFUSALS, Unreachable, TooManyRequests)):
                raise
            return ""
        return item.digest if found is None else str(found.digest)

    def _why_not(self, item: PlanItem, found: str, chunk: Chunk) -> str:
        """Why a tag that points to `found` is left alone; "" when it is as it was planned."""
        if found != item.digest:
            return MOVED if item.digest else _READABLE
        # Of what somebody began, and the registry never heard of, nobody has asked lately.
        return "" if chunk.is_new else protected_among(item.repository, [item.tag]).get(item.tag, "")

    def _overwrite(self, item: PlanItem, chunk: Chunk, row: Throwaway) -> None:
        tag, content = parse_tag(item.tag), throwaway.throwaway(row.name)
        try:
            self._course.client.put_manifest(self._name, tag, throwaway.MEDIA_TYPE, content)
        except RegistryError as fault:
            if may_have_been_heard(fault):
                chunk.open.append(item)
            raise
        chunk.overwritten.append(item)

    def _delete_by_name(self, item: PlanItem, chunk: Chunk) -> None:
        try:
            self._course.client.delete_tag(self._name, parse_tag(item.tag))
        except RegistryError as fault:
            if may_have_been_heard(fault):
                chunk.open.append(item)
            # A plain 404 is no registry's word for a tag that is not there.
            if not (isinstance(fault, NotFound) and fault.reasons):
                raise
        chunk.outcomes.append(Outcome.done(item))

    def _settle(self, chunk: Chunk) -> None:
        course, now = self._course, timezone.now()
        repository = course.repository(self._repository_id)
        gone = [outcome.item.tag for outcome in chunk.outcomes if outcome.is_done]
        with course.lease.writing():
            hold(Repository, self._repository_id)
            live = Tag.objects.live().filter(repository=repository, name__in=gone)
            tags.drop(repository, list(live.values_list("id", flat=True)), now)
            settle(course.plan, self._each_once(chunk), now)
            give_back(course.plan, chunk.untouched)
            if chunk.throwaway is not None and not chunk.open:
                Throwaway.objects.filter(pk=chunk.throwaway.pk).update(closed_at=now)
        course.tell(settled=len(chunk.outcomes))

    def _each_once(self, chunk: Chunk) -> list[Outcome]:
        """What another plan deleted at the same moment is in the trash by that one, and is not recorded again."""
        plan = self._course.plan
        done = {(outcome.item.tag, outcome.item.digest) for outcome in chunk.outcomes if outcome.is_done}
        others = TrashEntry.objects.listed().filter(registry=plan.registry_id, repository=self._repository_id)
        others = others.filter(deleted_at__gte=chunk.since, tag__in={tag for tag, _ in done}).exclude(plan=plan)
        theirs = set(others.values_list("tag", "digest")) & done
        return [
            Outcome.skipped(one.item, _BY_ANOTHER) if one.is_done and (one.item.tag, one.item.digest) in theirs else one
            for one in chunk.outcomes
        ]
