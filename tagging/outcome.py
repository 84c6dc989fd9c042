"""How items of a plan end: their state, what changes in the catalog, the trash, and the audit, in one commit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models.functions import Now

from audit.models import Entry
from audit.services import record
from catalog.models import Tag
from catalog.recording.chunks import by_number
from oci.errors import printable
from tagging.models import Plan, PlanItem, TrashEntry
from tagging.trash import end_of_keeping

_NOTE_LENGTH: Final = 500
_ROWS: Final = 500
_ACTS: Final[Mapping[str, Entry.Act]] = {
    PlanItem.Step.DELETE_TAG: Entry.Act.DELETE_TAG,
    PlanItem.Step.DELETE_MANIFEST: Entry.Act.DELETE_MANIFEST,
    PlanItem.Step.REMOVE_REPOSITORY: Entry.Act.REMOVE_REPOSITORY,
}
_OUTCOMES: Final[Mapping[str, Entry.Outcome]] = {
    PlanItem.State.DONE: Entry.Outcome.DONE,
    PlanItem.State.SKIPPED: Entry.Outcome.SKIPPED,
    PlanItem.State.FAILED: Entry.Outcome.FAILED,
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one item ended: one of the last three states of `PlanItem.State`."""

    item: PlanItem
    state: PlanItem.State
    note: str = ""

    @classmethod
    def done(cls, item: PlanItem) -> Outcome:
        return cls(item, PlanItem.State.DONE)

    @classmethod
    def skipped(cls, item: PlanItem, why: str) -> Outcome:
        return cls(item, PlanItem.State.SKIPPED, why)

    @classmethod
    def failed(cls, item: PlanItem, why: str) -> Outcome:
        return cls(item, PlanItem.State.FAILED, why)

    @property
    def is_done(self) -> bool:
        return self.state == PlanItem.State.DONE


def settle(plan: Plan, outcomes: Iterable[Outcome], now: datetime) -> None:
    """Write how these items ended, inside the caller's transaction, which changes the catalog too."""
    outcomes = list(outcomes)
    for (state, note), group in _alike(outcomes).items():
        for piece in by_number((outcome.item.pk for outcome in group), _ROWS):
            PlanItem.objects.filter(pk__in=piece).update(state=state, note=printable(note, _NOTE_LENGTH))
    _settle_trash(plan, outcomes, now)
    _touch(outcomes)
    record(_entry(plan, outcome, now) for outcome in outcomes)


def correct(plan: Plan, outcomes: Iterable[Outcome], now: datetime) -> None:
    """Items that were settled as done, and turn out not to be; the audit keeps what it was told first, and adds this.

    Inside the caller's transaction.
    """
    outcomes = list(outcomes)
    places = [outcome.item.position for outcome in outcomes]
    for outcome in outcomes:
        PlanItem.objects.filter(pk=outcome.item.pk).update(state=outcome.state, note=outcome.note)
    for piece in by_number(places, _ROWS):
        TrashEntry.objects.filter(plan=plan, position__in=piece).delete()
    entries = [_entry(plan, outcome, now) for outcome in outcomes]
    for entry in entries:
        entry.key += ":after"
    record(entries)


def give_back(plan: Plan, items: Iterable[PlanItem]) -> None:
    """Items that were begun and never asked for are as they were planned; inside the caller's transaction."""
    items = list(items)
    for piece in by_number(items, _ROWS):
        PlanItem.objects.filter(pk__in=[item.pk for item in piece]).update(state=PlanItem.State.PLANNED, throwaway=None)
        positions = [item.position for item in piece]
        TrashEntry.objects.filter(plan=plan, position__in=positions, deleted_at=None).delete()


def _alike(outcomes: Iterable[Outcome]) -> dict[tuple[str, str], list[Outcome]]:
    alike: dict[tuple[str, str], list[Outcome]] = {}
    for outcome in outcomes:
        alike.setdefault((outcome.state.value, outcome.note), []).append(outcome)
    return alike


def _settle_trash(plan: Plan, outcomes: Iterable[Outcome], now: datetime) -> None:
    """What went stays in the trash from now on; what did not was never in it."""
    places: dict[bool, list[int]] = {True: [], False: []}
    for outcome in outcomes:
        places[outcome.is_done].append(outcome.item.position)
    for piece in by_number(places[True], _ROWS):
        entries = TrashEntry.objects.filter(plan=plan, position__in=piece, deleted_at=None)
        entries.update(deleted_at=now, until=end_of_keeping(now))
    for piece in by_number(places[False], _ROWS):
        TrashEntry.objects.filter(plan=plan, position__in=piece, deleted_at=None).delete()


def _touch(outcomes: Iterable[Outcome]) -> None:
    """A scan that had read these tags before now leaves them alone."""
    by_repository: dict[int, list[str]] = {}
    for outcome in outcomes:
        if outcome.item.tag:
            by_repository.setdefault(outcome.item.repository_id, []).append(outcome.item.tag)
    for repository, names in by_repository.items():
        for piece in by_number(names, _ROWS):
            Tag.objects.filter(repository_id=repository, name__in=piece).update(acted_at=Now())


def _entry(plan: Plan, outcome: Outcome, now: datetime) -> Entry:
    item = outcome.item
    return Entry(
        key=item.key,
        at=now,
        act=_ACTS.get(item.step) or plan.param("kind") or Entry.Act.RESTORE,
        outcome=_OUTCOMES[outcome.state],
        actor=plan.actor,
        actor_id=plan.requested_by_id,
        registry=plan.registry.name,
        registry_id=plan.registry_id,
        repository=item.repository.name,
        tag=item.tag,
        digest_before=item.digest,
        digest_after=item.target if outcome.is_done else "",
        why=plan.why,
        detail=outcome.note,
        plan_id=plan.pk,
    )
