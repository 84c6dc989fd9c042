"""How items of a run end: their state, what stands at the target, the audit, and what is to be read anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Self

from django.db.models import F

from audit.models import Entry
from audit.services import record
from catalog.services import read_soon
from oci.errors import printable
from sync.engine import Placed
from sync.holding import let_go
from sync.models import Item, Run, Synced
from sync.terms import Terms

_NOTE_LENGTH: Final = 500
_FIELDS: Final = ("state", "note", "after", "sent", "attached", "ended_at")
_STANDING: Final = (
    *("digest", "rule", "source", "source_repository", "source_tag", "upstream", "form", "attachments"),
    *("copied_at", "seen", "seen_at"),
)
_OUTCOMES: Final = {
    Item.State.DONE: Entry.Outcome.DONE,
    Item.State.SKIPPED: Entry.Outcome.SKIPPED,
    Item.State.FAILED: Entry.Outcome.FAILED,
    Item.State.PARKED: Entry.Outcome.FAILED,
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """One of the last four states of `Item.State`; `after` is the digest that was put, `sent` bytes that travelled."""

    item: Item
    state: Item.State
    note: str = ""
    after: str = ""
    sent: int = 0
    attached: int = 0
    pulls: int = 0

    @classmethod
    def of(cls, item: Item, placed: Placed, sent: int) -> Self:
        return cls(
            item,
            Item.State.DONE,
            after=str(placed.digest),
            sent=sent,
            attached=placed.attached,
            pulls=placed.pulls,
        )

    @property
    def is_done(self) -> bool:
        return self.state == Item.State.DONE


def settle(run: Run, terms: Terms, outcomes: Sequence[Outcome], now: datetime) -> None:
    """Write how these items ended, inside the caller's transaction."""
    for outcome in outcomes:
        item = outcome.item
        item.state, item.note, item.after = outcome.state, printable(outcome.note, _NOTE_LENGTH), outcome.after
        item.sent, item.attached, item.ended_at = outcome.sent, outcome.attached, now
    Item.objects.bulk_update([outcome.item for outcome in outcomes], _FIELDS)
    copies = [outcome for outcome in outcomes if outcome.item.act == Item.Act.COPY]
    done = [outcome.item for outcome in copies if outcome.is_done and outcome.item.tag]
    note_synced(run, terms, done, now)
    read_soon(run.target, (tag for item in done for tag in item.puts), now)
    record(_entry(run, outcome, now) for outcome in copies)
    let_go(run, [outcome.item for outcome in outcomes])
    Run.objects.filter(pk=run.pk).update(
        sent=F("sent") + sum(outcome.sent for outcome in outcomes),
        pulls_spent=F("pulls_spent") + sum(outcome.pulls for outcome in outcomes),
    )


def note_synced(run: Run, terms: Terms, items: Sequence[Item], now: datetime, *, is_found: bool = False) -> None:
    """What stands at the target now because of this run, and of its rule, which may have been removed meanwhile.

    `is_found`: it was the same there before any rule copied it, and so is no rule's to delete.
    """
    if not items:
        return
    rule_id = None if is_found else Run.objects.values_list("rule_id", flat=True).get(pk=run.pk)
    items = sorted(items, key=lambda item: (item.repository, item.tag))  # as all do, so that nobody waits for another
    list(Synced.objects.of_tags(run.target, [(item.repository, item.tag) for item in items]).locked())
    Synced.objects.bulk_create(
        [
            Synced(
                registry=run.target,
                repository=item.repository,
                tag=item.tag,
                digest=item.after,
                rule_id=rule_id,
                source=run.source,
                source_repository=item.source_repository,
                source_tag=item.source_tag,
                upstream=item.digest,
                form=terms.selection.key,
                attachments=item.attachments,
                copied_at=now,
                seen=item.digest,
                seen_at=now,
            )
            for item in items
        ],
        update_conflicts=True,
        unique_fields=["registry", "repository", "tag"],
        update_fields=_STANDING,
    )


def _entry(run: Run, outcome: Outcome, now: datetime) -> Entry:
    item = outcome.item
    return Entry(
        key=f"{item.key}:{run.job_id}:{item.tries}",  # each job tries from the beginning
        at=now,
        act=Entry.Act.SYNC,
        outcome=_OUTCOMES[outcome.state],
        actor=run.actor,
        actor_id=run.requested_by_id,
        registry=run.target.name,
        registry_id=run.target_id,
        repository=item.repository,
        tag=item.tag,
        digest_before=item.before,
        digest_after=outcome.after,
        why=run.name,
        detail=outcome.note,
        from_repository=f"{run.source.name}/{item.source_repository}"[:255],
    )
