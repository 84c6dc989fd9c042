"""The page of a run of retention: how far it is, which tags go and stay and why, and what a person can do about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from django.db.models import Count, Q, Sum
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from catalog.reads.keyset import SIZE, Column, Order, Page, paged
from cleanup.models import RetentionRun, RunRepository, RunTag
from cleanup.models.runs import RunTagQuerySet
from cleanup.retention.results import Kept, KeptPage, kept_page, reasons_of, rules_of, with_sentences
from jobs.models import Job
from tagging.models import Plan
from web.cleanup.retention_run_row import RunRow
from web.cleanup.trial import Group
from web.job_progress import JobProgress
from web.typed import chosen, keys, typed

COLUMNS: Final = {"planned": Column("id", int, is_unique=True)}
_MOST_PLANS: Final = 20  # that are linked to
_SHOWN: Final = 20  # tags of each reason
_STATE, _TAG, _PLACE = RetentionRun.State, RunTag.State, RunRepository.State
_ENDS: Final[dict[str, tuple[str, ...]]] = {
    "goes": (_TAG.PLANNED, _TAG.BEGUN),
    "deleted": (_TAG.DONE,),
    "left": (_TAG.SKIPPED,),
    "failed": (_TAG.FAILED,),
}
_NAMES: Final = {
    "goes": gettext_lazy("To be deleted"),
    "deleted": gettext_lazy("Deleted"),
    "left": gettext_lazy("Left alone"),
    "failed": gettext_lazy("Failed"),
}


@dataclass(frozen=True, slots=True)
class End:
    """A choice of the filter."""

    value: str
    name: str
    count: int


class RunPage:
    """What is counted and listed is asked for lazily: the part that polls needs little of it."""

    def __init__(self, request: HttpRequest, run: RetentionRun) -> None:
        self.row = RunRow(run)
        self.end = chosen(request, "end", (*_NAMES, "stays", "loses", "left-out"))  # "" for all repositories
        self.text = typed(request, "q")  # a part of the names of repositories
        self._place = keys([request.GET.get("place", "")])
        self._token = request.GET.get("page")

    @property
    def run(self) -> RetentionRun:
        return self.row.run

    @cached_property
    def progress(self) -> JobProgress | None:
        return JobProgress(self.row.job) if self.row.job is not None and self.row.is_moving else None

    @property
    def question(self) -> Job | None:
        job = self.row.job
        return job if job is not None and job.state == Job.State.ASKING else None

    # -- what is listed -------------------------------------------------------

    @cached_property
    def place(self) -> RunRepository | None:
        """The one repository that is looked at; None for all."""
        return self.run.places.filter(pk__in=self._place).first() if self._place else None

    @cached_property
    def _counts(self) -> dict[str, tuple[int, int]]:
        """By state, how many tags of the run, and how many of them are in the one repository that is looked at."""
        here = Q(place=self.place) if self.place else Q()
        rows = self.run.tags.order_by().values("state").annotate(n=Count("pk"), here=Count("pk", filter=here))
        return {row["state"]: (row["n"], row["here"]) for row in rows}

    def _here(self, states: Iterable[str]) -> int:
        return sum(self._counts.get(state, (0, 0))[1] for state in states)

    def _of_end(self, end: str) -> int:
        return sum(self._counts.get(state, (0, 0))[0] for state in _ENDS[end])

    @property
    def ends(self) -> list[End]:
        """What the filter offers: the ends that some came to, and the one that is chosen."""
        found = [End(end, str(_NAMES[end]), self._here(_ENDS[end])) for end in _NAMES]
        return [end for end in found if end.count or end.value == self.end]

    @property
    def lists_places(self) -> bool:
        return self.place is None and self.end in {"", "loses", "left-out"}

    @cached_property
    def places(self) -> Page[RunRepository]:
        """In the order of their names, in which they were planned."""
        rows = self.run.places.defer("kept_tags")
        if self.end == "left-out":
            rows = rows.filter(state=_PLACE.LEFT_OUT)
        elif self.end == "loses":
            rows = rows.filter(doomed__gt=0)
        if self.text:
            rows = rows.filter(name__icontains=self.text)
        return paged(rows, Order.parse(None, COLUMNS), self._token)

    @cached_property
    def tags(self) -> Page[RunTag]:
        states = _ENDS.get(self.end) or [state for some in _ENDS.values() for state in some]
        rows = RunTag.objects.filter(run=self.run, state__in=states)
        if self.place:
            rows = rows.filter(place=self.place)
        known = self._here(states)
        return paged(rows, Order.parse(None, COLUMNS), self._token, known=known, whole=with_repository)

    @property
    def tag_rows(self) -> list[tuple[RunTag, str]]:
        """Each with the sentence that says why, or what became of it."""
        return with_sentences(self.tags.rows, self._rules)

    @cached_property
    def kept(self) -> KeptPage | None:
        """What stays in the one repository."""
        return kept_page(self.place, self._rules, self._token, SIZE) if self.place else None

    @property
    def kept_rows(self) -> list[Kept]:
        return self.kept.rows if self.kept else []

    @property
    def kept_groups(self) -> list[Group]:
        """Why tags of the one repository stay."""
        groups = reasons_of(self.place, self._rules) if self.place else []
        return [Group(sentence, len(tags), tags[:_SHOWN]) for sentence, tags in groups]

    @cached_property
    def _rules(self) -> dict[str, Any]:
        return dict(rules_of(self.run.registry_id))

    @cached_property
    def plans(self) -> list[Plan]:
        """The newest that deleted its tags: each can be undone."""
        of_it = self.run.tags.filter(plan__isnull=False).order_by().values("plan")
        return list(Plan.objects.filter(pk__in=of_it).select_related("repository").order_by("-pk")[:_MOST_PLANS])

    # -- what can be done -----------------------------------------------------

    @cached_property
    def _large(self) -> dict[str, int]:
        rows = self.run.places.filter(needs_yes=True).open()
        return dict(rows.aggregate(places=Count("pk"), tags=Sum("doomed", default=0)))

    @property
    def large_places(self) -> int:
        """Repositories of which so much would go that a person has to agree."""
        return self._large["places"]

    @property
    def large_tags(self) -> int:
        return self._large["tags"]

    @property
    def open_tags(self) -> int:
        return self._of_end("goes")

    @property
    def may_begin(self) -> bool:
        """It was planned, and nobody has carried it out."""
        return self.run.state == _STATE.PLANNED and self.row.job is None and bool(self.open_tags)

    @property
    def may_go_on(self) -> bool:
        stopped = self.run.state in {_STATE.BROKEN_OFF, _STATE.WAITING}
        return stopped and self.row.job is None and (self.run.planned_at is None or bool(self.open_tags))

    @property
    def may_try_again(self) -> bool:
        return self.row.job is None and bool(self._of_end("failed")) and not self.may_go_on

    @property
    def waits(self) -> bool:
        """For its hours, and would go on by itself."""
        return self.run.state == _STATE.WAITING and self.row.job is None

    @property
    def may_plan_again(self) -> bool:
        return self.row.job is None and not self.waits

    @property
    def tone(self) -> str:
        """A run that is done, and of which something failed, is not all well."""
        is_over = self.run.state == _STATE.DONE and self.row.job is None
        return "warn" if is_over and self._of_end("failed") else self.row.tone


def with_repository(tags: RunTagQuerySet) -> RunTagQuerySet:
    return tags.select_related("place").defer("place__kept_tags")
