"""The page of a run over untagged manifests: what would go and why, what stays, and what a person can do about it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

from django.db.models import Count, Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from catalog.models import Presence
from catalog.reads.keyset import Column, Order, Page, paged
from cleanup.models import UntaggedItem, UntaggedRun
from cleanup.untagged.judging import Stay
from web.cleanup.work_row import WorkRow
from web.typed import chosen

COLUMNS: Final = {"position": Column("position", int, is_unique=True)}
_SHOWN: Final = 50  # repositories that were left alone
_State: Final = UntaggedItem.State
_NAMES: Final[dict[str, Promise]] = {
    _State.PLANNED: gettext_lazy("To do"),
    _State.DONE: gettext_lazy("Deleted"),
    _State.FAILED: gettext_lazy("Failed"),
    _State.SKIPPED: gettext_lazy("Left alone"),
}
STAYS: Final[dict[str, Promise]] = {
    Stay.TAGGED: gettext_lazy("a tag points to it"),
    Stay.PINNED: gettext_lazy("it is in use, or what it belongs to is"),
    Stay.TRASH: gettext_lazy("the trash has need of it"),
    Stay.FRESH: gettext_lazy("younger than the grace time, or of no known age"),
    Stay.PART: gettext_lazy("an index lists it that stays"),
    Stay.ATTACHED: gettext_lazy("it belongs to something that stays"),
    Stay.TANGLED: gettext_lazy("it refers to itself by others"),
}


@dataclass(frozen=True, slots=True)
class End:
    """A choice of the filter."""

    value: str
    name: str
    count: int


@dataclass(frozen=True, slots=True)
class Staying:
    """How many manifests stay for one reason."""

    words: str
    count: int


class UntaggedPage:
    """What is counted and listed is asked for lazily: the part that polls needs little of it."""

    def __init__(self, request: HttpRequest, run: UntaggedRun) -> None:
        self.row = WorkRow(run)
        self.end = chosen(request, "end", tuple(_NAMES))  # the filter, "" for all
        self._token = request.GET.get("page")

    @property
    def run(self) -> UntaggedRun:
        return self.row.run

    @cached_property
    def tally(self) -> dict[str, int]:
        """How many items there are in each state."""
        return dict(self.run.items.order_by().values_list("state").annotate(n=Count("pk")))

    @property
    def all(self) -> int:
        return sum(self.tally.values())

    @property
    def open(self) -> int:
        return self.tally.get(_State.PLANNED, 0)

    @property
    def done(self) -> int:
        return self.tally.get(_State.DONE, 0)

    @cached_property
    def items(self) -> Page[UntaggedItem]:
        items = self.run.items.filter(state=self.end) if self.end else self.run.items.all()
        known = self.tally.get(self.end, 0) if self.end else self.all
        return paged(items, Order.parse(None, COLUMNS), self._token, known=known, whole=_with_places)

    @property
    def ends(self) -> list[End]:
        """What the filter offers: the ends that some came to, and the one that is chosen."""
        counts = [(end, self.tally.get(end, 0)) for end in _NAMES]
        return [End(end, str(_NAMES[end]), count) for end, count in counts if count or end == self.end]

    @property
    def stays(self) -> list[Staying]:
        """The strongest reason first."""
        return [Staying(str(STAYS[why]), self.run.stays[why]) for why in STAYS if self.run.stays.get(why)]

    @property
    def staying(self) -> int:
        return sum(group.count for group in self.stays)

    @property
    def left_alone(self) -> list[list[str]]:
        """The first of them, each with why."""
        return list(self.run.left_alone[:_SHOWN])

    @property
    def more_left_alone(self) -> int:
        return max(0, self.run.left_alone_count - _SHOWN)

    @property
    def may_go_on(self) -> bool:
        """It was planned, and something of that is not done."""
        return self.row.job is None and self.run.planned_at is not None and bool(self.open)

    @property
    def has_begun(self) -> bool:
        return self.run.began_at is not None

    @property
    def tone(self) -> str:
        """A run that is done, and of which something failed, is not all well."""
        return "warn" if self.row.tone == "ok" and self.tally.get(_State.FAILED) else self.row.tone


def _with_places(items: QuerySet[UntaggedItem]) -> QuerySet[UntaggedItem]:
    """Each with its repository, and with `is_known`: it has a page."""
    here = Presence.objects.filter(repository=OuterRef("repository"), manifest__digest=OuterRef("digest"))
    return items.select_related("repository").annotate(is_known=Exists(here))
