"""The page of a run: how far it is, what it does to which tag and why, and what a person can do about it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from django.db.models import Count
from django.http import HttpRequest
from django.utils.translation import gettext, gettext_lazy

from catalog.reads.keyset import Column, Order, Page, paged
from jobs.figures import Figure
from jobs.models import Job
from sync.models import Item, Run
from web.sync.run_row import RunRow
from web.sync.words import why
from web.typed import chosen

COLUMNS: Final = {"position": Column("position", int, is_unique=True)}
_COPY, _STATE = Item.Act.COPY, Item.State
_MOST_NAMED: Final = 50  # tags of a reason
_MOST_PROBLEMS: Final = 20
_ENDS: Final[dict[str, dict[str, Any]]] = {
    "open": {"state__in": [_STATE.PLANNED, _STATE.BEGUN]},
    "copied": {"act": _COPY, "state": _STATE.DONE},
    "unchanged": {"act": Item.Act.KEEP},
    "left": {"state": _STATE.SKIPPED, "act__in": [_COPY, Item.Act.LEAVE, Item.Act.DELETE]},
    "failed": {"state__in": [_STATE.FAILED, _STATE.PARKED]},
    "gone": {"act": Item.Act.DELETE},
}
_NAMES: Final = {
    "open": gettext_lazy("To do"),
    "copied": gettext_lazy("Copied"),
    "failed": gettext_lazy("Failed"),
    "left": gettext_lazy("Left alone"),
    "unchanged": gettext_lazy("Unchanged"),
    "gone": gettext_lazy("Gone upstream"),
}


@dataclass(frozen=True, slots=True)
class Tally:
    """How many items there are of each act in each state."""

    counts: dict[tuple[str, str], int]

    @classmethod
    def of(cls, run: Run) -> Tally:
        rows = run.items.order_by().values_list("act", "state").annotate(n=Count("pk"))
        return cls({(act, state): n for act, state, n in rows})

    def of_end(self, end: str) -> int:
        wanted = _ENDS[end]
        acts = wanted.get("act__in") or ([wanted["act"]] if "act" in wanted else list(Item.Act))
        states = wanted.get("state__in") or ([wanted["state"]] if "state" in wanted else list(_STATE))
        return sum(n for (act, state), n in self.counts.items() if act in acts and state in states)

    @property
    def all(self) -> int:
        return sum(self.counts.values())

    @property
    def to_copy(self) -> int:
        """Images that are still to be copied."""
        return sum(n for (act, state), n in self.counts.items() if act == _COPY and state in _ENDS["open"]["state__in"])


@dataclass(frozen=True, slots=True)
class End:
    """A choice of the filter."""

    value: str
    name: str
    count: int


@dataclass(frozen=True, slots=True)
class UnderWay:
    """An image that is being copied; `percent` of its bytes."""

    name: str
    done: int
    total: int

    @property
    def percent(self) -> int:
        return max(0, min(100, 100 * self.done // self.total)) if self.total > 0 else 0


@dataclass(frozen=True, slots=True)
class Course:
    """How far the job of a run is, as it tells it; its JSON is taken as it comes."""

    job: Job

    @property
    def is_planning(self) -> bool:
        return self.job.figure("phase") in {"planning", "weighing"}

    @property
    def images(self) -> Figure | None:
        return Figure.read(self.job.figure("tags" if self.is_planning else "images"))

    @property
    def bytes(self) -> Figure | None:
        return None if self.is_planning else Figure.read(self.job.figure("bytes"))

    @property
    def percent(self) -> int | None:
        """Of the images; None while nobody knows how many there are."""
        figure = self.images
        if figure is None or not figure.total:
            return None
        return max(0, min(100, 100 * figure.done // figure.total))

    @property
    def rate(self) -> int | None:
        """Bytes a second."""
        rate = self.job.figure("rate")
        return int(rate) if isinstance(rate, int | float) and rate > 0 and not self.is_planning else None

    @property
    def seconds_left(self) -> int | None:
        left = self.job.figure("seconds_left")
        return int(left) if isinstance(left, int | float) and left >= 0 and not self.is_planning else None

    @property
    def under_way(self) -> list[UnderWay]:
        told = self.job.figure("under_way")
        if self.is_planning or not isinstance(told, list):
            return []
        return [UnderWay(str(name), done, total) for name, done, total in filter(_is_copy, told)]

    @property
    def phase(self) -> str:
        if self.job.stop_requested:
            return gettext("Stopping")
        if self.job.state == Job.State.QUEUED:
            return gettext("Waits for a worker")
        return gettext("Looking at both registries") if self.is_planning else gettext("Copying")


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Tags of the source that the rule does not take, for one reason; `tags` are the first."""

    words: str
    count: int
    tags: list[str]

    @property
    def unseen(self) -> int:
        return self.count - len(self.tags)


class RunPage:
    """What is counted and listed is asked for lazily: the part that polls needs little of it."""

    def __init__(self, request: HttpRequest, run: Run) -> None:
        self.row = RunRow(run)
        self.end = chosen(request, "end", tuple(_NAMES))  # the filter, "" for all
        self._token = request.GET.get("page")

    @cached_property
    def tally(self) -> Tally:
        return Tally.of(self.run)

    @cached_property
    def items(self) -> Page[Item]:
        items = Item.objects.filter(run=self.run, **_ENDS.get(self.end, {}))
        known = self.tally.of_end(self.end) if self.end else self.tally.all
        return paged(items, Order.parse(None, COLUMNS), self._token, known=known)

    @property
    def run(self) -> Run:
        return self.row.run

    @property
    def course(self) -> Course | None:
        return Course(self.row.job) if self.row.job is not None and self.row.is_moving else None

    @property
    def question(self) -> Job | None:
        job = self.row.job
        return job if job is not None and job.state == Job.State.ASKING else None

    @property
    def ends(self) -> list[End]:
        """What the filter offers: the ends that some came to, and the one that is chosen."""
        counts = [(end, self.tally.of_end(end)) for end in _NAMES]
        return [End(end, str(_NAMES[end]), count) for end, count in counts if count or end == self.end]

    @property
    def tone(self) -> str:
        """A run that is done, and of which something failed, is not all well."""
        is_over = self.run.state == Run.State.DONE and self.row.job is None
        return "warn" if is_over and self.failed else self.row.tone

    @property
    def failed(self) -> int:
        return self.tally.of_end("failed")

    @property
    def to_copy(self) -> int:
        return self.tally.to_copy

    @property
    def may_begin(self) -> bool:
        """It was planned, and nobody has carried it out."""
        return self.run.state == Run.State.PLANNED and self.row.job is None and bool(self.tally.of_end("open"))

    @property
    def may_go_on(self) -> bool:
        stopped = self.run.state in {Run.State.BROKEN_OFF, Run.State.WAITING}
        return stopped and self.row.job is None and bool(self.tally.of_end("open"))

    @property
    def waits(self) -> bool:
        """For its hours, or for the source, and would go on by itself."""
        return self.run.state == Run.State.WAITING and self.row.job is None

    @property
    def may_try_again(self) -> bool:
        return self.row.job is None and bool(self.failed) and not self.may_go_on

    @property
    def left_out(self) -> list[LeftOut]:
        return [LeftOut(why(code), count, tags[:_MOST_NAMED]) for code, (count, tags) in self.run.left_out.items()]

    @property
    def left_out_count(self) -> int:
        return sum(group.count for group in self.left_out)

    @property
    def problems(self) -> list[list[str]]:
        return list(self.run.problems[:_MOST_PROBLEMS])

    @property
    def more_problems(self) -> int:
        return max(0, len(self.run.problems) - _MOST_PROBLEMS)


def _is_copy(told: Any) -> bool:
    match told:
        case [str(), int(), int()]:
            return True
        case _:
            return False
