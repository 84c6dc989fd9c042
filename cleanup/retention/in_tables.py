"""Runs and policies in words, for a terminal: a line of progress, a table of what goes, and why the rest stays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from cleanup.models import Policy, RetentionRun, RunRepository, RunTag
from cleanup.retention.in_words import in_words, why_doomed
from cleanup.retention.reasons import Reason, Why
from cleanup.retention.results import rules_of
from cleanup.retention.terms import InvalidTerms, Rule
from jobs.figures import Figure
from jobs.models import Job
from oci.errors import printable

_SHORT: Final = len("sha256:") + 12
_CELL: Final = 300  # characters
_NAMED: Final = 5  # tags of a reason
_UNITS: Final = ("B", "kB", "MB", "GB", "TB")
_THOUSAND: Final = 1_000


def progress_line(job: Job) -> str:
    """As the job has told it last; "" before that."""
    repositories = Figure.read(job.figure("repositories"))
    if repositories is None or repositories.total is None:
        return ""
    return f"{job.figure('phase')}: {repositories.done:,} of {repositories.total:,} repositories"


def run_lines(run: RetentionRun) -> Iterator[str]:
    """Of each repository what goes and why, what became of it, and the reasons for which the rest stays."""
    rules = rules_of(run.registry_id)
    tags = RunTag.objects.filter(run=run).select_related("place").order_by("place__name", "tag")
    rows = [
        (f"{tag.place.name}:{tag.tag}", _end(tag), tag.digest[:_SHORT], _why(tag, rules.get(tag.place.policy, ())))
        for tag in tags.iterator()
    ]
    yield from _table([("TAG", "RESULT", "DIGEST", "WHY"), *rows])
    yield from _kept(run, rules)
    for place in run.places.filter(state=RunRepository.State.LEFT_OUT).in_order():
        yield printable(f"Left out, {place.name}: {place.note}", _CELL) + "."
    waiting = list(run.places.filter(needs_yes=True).open().in_order().values_list("name", flat=True))
    if waiting:
        yield f"Only with --yes, since so much would go: {', '.join(waiting)}."
    at_most = "" if run.frees_is_exact else "at most "
    yield f"{run.doomed:,} tags go and {run.kept:,} stay; that frees {at_most}{_size(run.frees)}, once they are swept."


def policies_table(policies: Iterable[Policy]) -> list[str]:
    return _table([("POLICY", "REPOSITORIES", "WHEN"), *map(_row, policies)])


def _end(tag: RunTag) -> str:
    return {RunTag.State.PLANNED: "delete", RunTag.State.DONE: "deleted"}.get(
        RunTag.State(tag.state), str(RunTag.State(tag.state).label).lower()
    )


def _why(tag: RunTag, rules: Sequence[Rule]) -> str:
    return tag.note or f"{tag.place.policy}: {why_doomed(tag.rule, rules)}"


def _kept(run: RetentionRun, rules: dict[str, Sequence[Rule]]) -> Iterator[str]:
    """The reasons of all repositories together, those for most tags first, each with some of these."""
    counts: Counter[str] = Counter()
    named: dict[str, list[str]] = {}
    for place in run.places.in_order().iterator():
        for group in place.reasons:
            reason = Reason(Why(group["why"]), group["detail"], group["rule"])
            sentence = in_words(reason, rules.get(place.policy, ()))
            counts[sentence] += len(group["tags"])
            some = named.setdefault(sentence, [])
            some += [f"{place.name}:{tag}" for tag in group["tags"][: _NAMED - len(some)]]
    for sentence, count in counts.most_common():
        more = ", …" if count > len(named[sentence]) else ""
        yield printable(f"Stays, {sentence}: {count:,} ({', '.join(named[sentence])}{more})", _CELL) + "."


def _row(policy: Policy) -> tuple[str, str, str]:
    due = f"next at {policy.next_at:%Y-%m-%d %H:%M} UTC" if policy.next_at else "by hand"
    try:
        return policy.name, " ".join(policy.read().repositories), due if policy.is_on else "off"
    except InvalidTerms:
        return policy.name, "", "cannot be read: a newer Berth wrote it, or somebody changed its row"


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Nothing where there are only heads. What registries said in it does nothing to a terminal."""
    if len(rows) == 1:
        return []
    cells = [[printable(cell, _CELL) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]


def _size(count: int) -> str:
    value, unit = float(count), 0
    while value >= _THOUSAND and unit < len(_UNITS) - 1:
        value, unit = value / _THOUSAND, unit + 1
    return f"{value:.{0 if unit <= 1 else 1}f} {_UNITS[unit]}"
