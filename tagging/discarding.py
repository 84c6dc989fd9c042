"""Deleting a throwaway, and with it the tags that were overwritten with it; or giving these tags back what they had."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from django.utils.translation import gettext_noop

from catalog.models import Throwaway
from oci import throwaway
from oci.client import RegistryClient
from oci.errors import BadAnswer, ForeignRealm, NotFound, RegistryError, Unavailable, Unreachable
from oci.names import Digest, RepositoryName, parse_tag
from tagging.course import REFUSALS
from tagging.models import Plan, PlanItem
from tagging.outcome import Outcome
from tagging.trash import root_of

_TRIES: Final = 3  # of a DELETE that may have been done by half
_PUT_BACK: Final = gettext_noop("the registry took no delete, so the tag was put back")
NOT_DONE: Final = gettext_noop("the registry says that it deleted %(digest)s and still has it")
SENTENCES: Final = (_PUT_BACK, NOT_DONE)

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Chunk:
    """Some items of a plan under way: what is known of them so far."""

    items: Sequence[PlanItem]
    throwaway: Throwaway | None
    is_new: bool  # nobody has asked for any of it before
    since: datetime | None  # they were not begun before that
    outcomes: list[Outcome] = field(default_factory=list)
    overwritten: list[PlanItem] = field(default_factory=list)  # they point to the throwaway
    open: list[PlanItem] = field(default_factory=list)  # nobody knows whether the registry did it
    fault: RegistryError | None = None

    @property
    def untouched(self) -> list[PlanItem]:
        touched = {outcome.item.pk for outcome in self.outcomes} | {item.pk for item in (*self.overwritten, *self.open)}
        return [item for item in self.items if item.pk not in touched]


def says_that_it_fails(error: RegistryError) -> bool:
    """The registry itself says that it fails at this, which is more than being busy or away."""
    return isinstance(error, Unavailable) and error.answered == Unavailable.status and bool(error.reasons)


def is_of_one_tag(error: RegistryError) -> bool:
    """Whether the registry could not read one tag, and may well read the next."""
    return says_that_it_fails(error) or (isinstance(error, BadAnswer) and not isinstance(error, ForeignRealm))


class Discarding:
    """In one repository."""

    def __init__(self, plan: Plan, client: RegistryClient, name: RepositoryName) -> None:
        self._plan, self._client, self._name = plan, client, name

    def discard(self, chunk: Chunk, row: Throwaway) -> None:
        """Delete the throwaway, and with it the tags that point to it; what may yet be overwritten stays open."""
        try:
            self._delete(row)
        except RegistryError as fault:
            chunk.fault = fault
            # 2.8 reads every tag for it: one that is torn makes it stop half way, and will the next time.
            if isinstance(fault, (*REFUSALS, BadAnswer)) or says_that_it_fails(fault):
                self._put_back(chunk, row)
            else:
                chunk.open += chunk.overwritten
        else:
            chunk.outcomes += [Outcome.done(item) for item in chunk.overwritten]

    def _delete(self, row: Throwaway) -> None:
        """A DELETE whose answer was lost is sent again: nobody else has this digest, so it can only have been ours.

        2.8 deletes the manifest first and the tags that point to it after that, and trips over a tag that is written
        at this moment. A DELETE of what is gone takes no tags along: so the manifest is put there again before.
        """
        digest, content = Digest.parse(row.digest), throwaway.throwaway(row.name)
        for tried in range(_TRIES):
            try:
                if tried:
                    self._client.put_manifest(self._name, digest, throwaway.MEDIA_TYPE, content)
                self._client.delete_manifest(self._name, digest)
            except (NotFound, Unreachable, Unavailable) as fault:
                if tried == _TRIES - 1 or (isinstance(fault, NotFound) and not fault.reasons):
                    raise
            else:
                break
        if self._client.manifest_exists(self._name, digest):
            raise BadAnswer(NOT_DONE % {"digest": digest})

    def _put_back(self, chunk: Chunk, row: Throwaway) -> None:
        """The registry takes overwriting and no deletes: give each tag its image again."""
        for item in chunk.overwritten:
            try:
                self._put_one_back(item, row)
            except RegistryError as fault:
                log.warning("%s:%s could not be put back yet: %s", self._name, item.tag, fault)
                chunk.open.append(item)
            else:
                chunk.outcomes.append(Outcome.failed(item, _PUT_BACK))

    def _put_one_back(self, item: PlanItem, row: Throwaway) -> None:
        tag = parse_tag(item.tag)
        try:
            if self._client.manifest(self._name, tag, unless=Digest.parse(row.digest)) is not None:
                return  # somebody has pushed it meanwhile
        except NotFound as refusal:
            if not refusal.reasons:
                raise  # else the throwaway is gone, and the tag points to nothing or went with it
        kept = root_of(self._plan, item)
        if kept is None:
            raise NotFound.build(f"PUT {self._name}:{tag}", NotFound.status)  # its manifest had been gone before
        self._client.put_manifest(self._name, tag, kept.media_type, kept.content)
