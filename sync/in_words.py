"""Runs and rules in words, for a terminal: a line of progress, a table of what became of each tag."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from django.db.models import Q

from jobs.figures import Figure
from jobs.models import Job
from jobs.schedule import Schedule, When
from oci.errors import printable
from sync.models import Item, Rule, Run
from sync.run_documents import SAID
from sync.terms import InvalidTerms

_UNITS: Final = ("B", "kB", "MB", "GB", "TB")
_SHORT: Final = len("sha256:") + 12
_CELL: Final = 600  # characters
_NAMED: Final = 5  # of the tags that a rule does not take
_CURE: Final = "Run it again when that is mended: what was copied does not travel twice."
_DONE: Final = {Item.Act.COPY: "copied", Item.Act.DELETE: "deleted"}
UNREADABLE: Final = "cannot be read: a newer Berth wrote it, or somebody changed its row"
_PLANNED: Final = {Item.Act.COPY: "copy", Item.Act.DELETE: "delete", Item.Act.LEAVE: "leave alone"}


def progress_line(job: Job) -> str:
    """As the job has told it last; "" before that."""
    tags, images = Figure.read(job.figure("tags")), Figure.read(job.figure("images"))
    if images is not None:
        size, rate = Figure.read(job.figure("bytes")), job.figure("rate")
        of_size = f", {size_of(size.done)} of {size_of(size.total or size.done)}" if size else ""
        return f"copying: {_of(images)} images{of_size}" + (f", {size_of(rate)}/s" if isinstance(rate, int) else "")
    return f"{job.figure('phase')}: {_of(tags)} tags" if tags is not None else ""


def plan_lines(run: Run) -> Iterator[str]:
    """What a run is going to do, and why."""
    items = run.items.exclude(act=Item.Act.KEEP).in_order()
    yield from table(
        [("TAG", "PLAN", "DIGEST", "WHY"), *((_name(i), _plan(i), _digests(i, i.digest), _why(i)) for i in items)]
    )
    yield f"{run.unchanged:,} unchanged."
    yield from _not_taken(run)
    if run.size is not None:
        yield f"At most {size_of(run.size)} will travel."


def result_lines(run: Run) -> Iterator[str]:
    """What became of each tag that is not as it was, and what to do where something failed."""
    is_as_it_was = Q(act=Item.Act.KEEP, state__in=[Item.State.PLANNED, Item.State.SKIPPED, Item.State.DONE])
    items = list(run.items.exclude(is_as_it_was).in_order())
    yield from table(
        [("TAG", "RESULT", "DIGEST", "WHY"), *((_name(i), _end(i), _digests(i, i.after), i.note) for i in items)]
    )
    yield f"{run.unchanged:,} unchanged."
    yield from _not_taken(run)
    if any(item.state in {Item.State.FAILED, Item.State.PARKED} for item in items):
        yield _CURE


def rules_table(rules: Iterable[Rule]) -> list[str]:
    return table([("RULE", "COPIES", "WHEN"), *map(_row, rules)])


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Nothing where there are only heads. What registries said in it does nothing to a terminal."""
    if len(rows) == 1:
        return []
    rows = [[printable(cell, _CELL) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def size_of(count: int) -> str:
    value, unit = float(count), 0
    while value >= 999.5 and unit < len(_UNITS) - 1:  # noqa: PLR2004  999.5 would be printed as 1000
        value, unit = value / 1000, unit + 1
    return f"{value:.{0 if unit <= 1 else 1}f} {_UNITS[unit]}"


def _of(figure: Figure) -> str:
    return f"{figure.done:,} of {figure.total:,}" if figure.total is not None else f"{figure.done:,}"


def _name(item: Item) -> str:
    return f"{item.repository}:{item.tag}" if item.tag else f"{item.repository}@{item.digest[:_SHORT]}"


def _digests(item: Item, now: str) -> str:
    """Where it pointed and where it points, or is to."""
    if item.act in {Item.Act.LEAVE, Item.Act.DELETE} or not now:
        return item.before[:_SHORT]
    return f"{item.before[:_SHORT] or 'new'} → {now[:_SHORT]}"


def _plan(item: Item) -> str:
    return _PLANNED[Item.Act(item.act)]


def _why(item: Item) -> str:
    why = f"{SAID.get(item.why, item.why)}: {item.detail}" if item.detail else SAID.get(item.why, item.why)
    return "; ".join(filter(None, (why, item.note)))


def _end(item: Item) -> str:
    if item.state == Item.State.DONE:
        return _DONE.get(Item.Act(item.act), "done")
    return str(Item.State(item.state).label).lower()


def _not_taken(run: Run) -> Iterator[str]:
    for why, (count, tags) in run.left_out.items():
        named = ", ".join(printable(tag, _CELL) for tag in tags[:_NAMED]) + (", …" if count > _NAMED else "")
        yield f"Not taken, {SAID.get(why, why)}: {count:,} ({named})."
    for what, why in run.problems:
        yield printable(f"Not looked at, {what}: {why}", _CELL) + "."


def _row(rule: Rule) -> tuple[str, str, str]:
    try:
        return rule.name, _copies(rule), _when(rule)
    except InvalidTerms:
        return rule.name, f"{rule.source.name} → {rule.target.name}", UNREADABLE


def _copies(rule: Rule) -> str:
    names = rule.details.repositories
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return f"{rule.source.name}/{names[0] if names else '?'}{more} → {rule.target.name}"


def _when(rule: Rule) -> str:
    """In UTC: which is the clock of what looks whether it is due."""
    if not rule.is_on:
        return "off"
    due = f", next at {rule.next_at:%Y-%m-%d %H:%M} UTC" if rule.next_at else ""
    return f"{_schedule(rule.details.schedule)}{due}"


def _schedule(schedule: Schedule) -> str:
    match schedule.when:
        case When.CRON:
            return f"at {schedule.cron} in {schedule.zone}"
        case When.EVERY:
            return f"every {schedule.every} minutes"
        case When.EVENT:
            return "after a push"
        case _:
            return "by hand"
