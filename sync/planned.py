"""A plan into rows, and what is learnt by it of what stands at the target already."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from catalog.recording.chunks import by_number
from jobs.running import Lease
from sync.models import Item, Run, Synced
from sync.models.runs import ATTACHED
from sync.outcome import note_synced
from sync.planning import Draft
from sync.terms import Terms

_ROWS: Final = 250  # a transaction
_COUNTS: Final = ("new", "moved", "attached", "unchanged", "left", "gone")


def write_draft(lease: Lease, run: Run, draft: Draft, now: datetime) -> None:
    """In short transactions; until the last of them the run is not planned, and is planned anew by whoever comes."""
    with lease.writing():
        run.items.all().delete()
    for position, item in enumerate(draft.items):
        item.run, item.position = run, position
    for items in by_number(draft.items, _ROWS):
        with lease.writing():
            Item.objects.bulk_create(items)
            _note_seen(run, items, now)
    for rows in by_number(draft.vanished, _ROWS):
        with lease.writing():
            known = Synced.objects.filter(pk__in=[row.pk for row in rows]).locked()
            Synced.objects.filter(pk__in=list(known.values_list("pk", flat=True))).update(seen="", seen_at=now)
    _count(run, draft.items)
    run.left_out = {why: [count, some] for why, (count, some) in draft.left_out.items()}
    run.problems = [list(problem) for problem in draft.problems]
    run.state, run.planned_at = Run.State.PLANNED, now
    with lease.writing():
        run.save(update_fields=[*_COUNTS, "left_out", "problems", "state", "planned_at"])


def _count(run: Run, items: Sequence[Item]) -> None:
    """What was judged a copy is new, has moved, or is there and gets what has been attached to it since."""
    copies = [item for item in items if item.act == Item.Act.COPY]
    acts = Counter(item.act for item in items)
    run.attached = sum(item.why == ATTACHED for item in copies)
    run.new = sum(not item.before for item in copies)
    run.moved = len(copies) - run.new - run.attached
    run.unchanged, run.left, run.gone = acts[Item.Act.KEEP], acts[Item.Act.LEAVE], acts[Item.Act.DELETE]


def _note_seen(run: Run, items: Sequence[Item], now: datetime) -> None:
    """Where upstream is now; what is the same at both ends counts as copied from there, whoever copied it."""
    tagged = [item for item in items if item.tag]
    known = Synced.objects.of_tags(run.target, [(item.repository, item.tag) for item in tagged]).locked()
    rows = {(row.repository, row.tag): row for row in known}
    moved: list[Synced] = []
    for item in tagged:
        row = rows.get((item.repository, item.tag))
        if row is not None and row.seen != item.digest:
            row.seen = item.digest
            moved.append(row)
    Synced.objects.filter(pk__in=[row.pk for row in rows.values()]).update(seen_at=now)
    Synced.objects.bulk_update(moved, ["seen"])
    met = [item for item in tagged if item.act == Item.Act.KEEP and (item.repository, item.tag) not in rows]
    for item in met:
        item.after = item.before
    note_synced(run, Terms.read(run.terms), met, now, is_found=True)
