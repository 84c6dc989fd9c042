"""The page of a sweep: how far it is, what it found, what became of each blob, and what a person can do about it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

from django.db.models import Count, Sum
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from catalog.reads.keyset import Column, Order, Page, paged
from cleanup.models import Sweep, SweptBlob, SweptUpload
from web.cleanup.durations import in_words
from web.cleanup.sweep_row import SweepRow
from web.job_progress import JobProgress
from web.typed import chosen

COLUMNS: Final = {"size": Column("size", int, largest_first=True)}
UPLOADS_SHOWN: Final = 20
_LINKS_SHOWN: Final = 3
_STATE: Final = SweptBlob.State
_ENDS: Final = {
    "open": (_STATE.PLANNED, _STATE.BEGUN),
    "aside": (_STATE.ASIDE,),
    "deleted": (_STATE.DELETED,),
    "kept": (_STATE.KEPT,),
    "put-back": (_STATE.PUT_BACK,),
}
_NAMES: Final = {
    "open": gettext_lazy("To do"),
    "aside": gettext_lazy("Moved aside"),
    "deleted": gettext_lazy("Deleted"),
    "kept": gettext_lazy("Used again"),
    "put-back": gettext_lazy("Put back"),
}
_TONES: Final = {
    _STATE.BEGUN: "info",
    _STATE.ASIDE: "warn",
    _STATE.KEPT: "ok",
    _STATE.PUT_BACK: "ok",
}


@dataclass(frozen=True, slots=True)
class Tally:
    """How many blobs of some states there are, and their bytes."""

    count: int
    size: int


@dataclass(frozen=True, slots=True)
class End:
    """A choice of the filter."""

    value: str
    name: str
    count: int


@dataclass(frozen=True, slots=True)
class BlobRow:
    blob: SweptBlob

    @property
    def tone(self) -> str:
        return _TONES.get(_STATE(self.blob.state), "")

    @property
    def repositories(self) -> list[str]:
        """The first of those that linked it."""
        return self._all[:_LINKS_SHOWN]

    @property
    def more(self) -> int:
        return len(self._all) - len(self.repositories)

    @property
    def _all(self) -> list[str]:
        return sorted({str(repository) for repository, _ in self.blob.links})


class SweepPage:
    """What is counted and listed is asked for lazily: the part that polls needs little of it."""

    def __init__(self, request: HttpRequest, sweep: Sweep) -> None:
        self.row = SweepRow(sweep)
        self.end = chosen(request, "end", tuple(_ENDS))  # the filter, "" for all
        self._token = request.GET.get("page")

    @property
    def sweep(self) -> Sweep:
        return self.row.sweep

    @property
    def progress(self) -> JobProgress | None:
        return JobProgress(self.row.job) if self.row.job is not None and self.row.is_moving else None

    @property
    def grace(self) -> str:
        return in_words(self.sweep.grace_seconds)

    @property
    def settle(self) -> str:
        return in_words(self.sweep.settle_seconds)

    @property
    def hold(self) -> str:
        """Nothing where what goes is deleted at once."""
        return in_words(self.sweep.hold_seconds) if self.sweep.hold_seconds else ""

    @cached_property
    def page(self) -> Page[SweptBlob]:
        rows = self.sweep.blobs.filter(state__in=_ENDS[self.end]) if self.end else self.sweep.blobs.all()
        known = self._of(*_ENDS[self.end]).count if self.end else self.all
        return paged(rows, Order.parse(None, COLUMNS), self._token, known=known)

    @property
    def blobs(self) -> list[BlobRow]:
        return [BlobRow(blob) for blob in self.page.rows]

    @cached_property
    def uploads(self) -> list[SweptUpload]:
        """The first of those that nobody went on with."""
        return list(self.sweep.uploads.in_order()[:UPLOADS_SHOWN]) if self.sweep.left_uploads else []

    @property
    def more_uploads(self) -> int:
        return max(0, self.sweep.left_uploads - len(self.uploads)) if len(self.uploads) == UPLOADS_SHOWN else 0

    @property
    def ends(self) -> list[End]:
        """What the filter offers: the ends that some came to, and the one that is chosen."""
        counts = [(end, self._of(*states).count) for end, states in _ENDS.items()]
        return [End(end, str(_NAMES[end]), count) for end, count in counts if count or end == self.end]

    @property
    def all(self) -> int:
        return sum(tally.count for tally in self._tallies.values())

    @property
    def open(self) -> Tally:
        return self._of(*_ENDS["open"])

    @property
    def aside(self) -> Tally:
        return self._of(_STATE.ASIDE)

    @property
    def deleted(self) -> Tally:
        return self._of(_STATE.DELETED)

    @property
    def stays(self) -> Tally:
        """What is used again, and what a person has put back."""
        return self._of(_STATE.KEPT, _STATE.PUT_BACK)

    @property
    def may_begin(self) -> bool:
        """It was planned, and nobody has carried it out."""
        return self.sweep.state == Sweep.State.PLANNED and self._is_free

    @property
    def may_go_on(self) -> bool:
        """It broke off, or somebody stopped it, before it had an end."""
        is_left = self.sweep.state in {Sweep.State.BROKEN_OFF, Sweep.State.UNDER_WAY, Sweep.State.NEW}
        return is_left and self._is_free

    @property
    def holds(self) -> bool:
        """Something lies aside, or was about to, that can be put back."""
        unsettled = self._of(_STATE.BEGUN, _STATE.ASIDE).count
        return bool(unsettled) and self.sweep.state != Sweep.State.DONE and self._is_free

    @property
    def may_delete_now(self) -> bool:
        return self.holds and bool(self.aside.count)

    @property
    def _is_free(self) -> bool:
        """Nothing of it is under way, and its registry is ours still."""
        return self.row.job is None and self.sweep.registry.retired_at is None

    @cached_property
    def _tallies(self) -> dict[str, Tally]:
        rows = self.sweep.blobs.order_by().values_list("state").annotate(n=Count("pk"), size=Sum("size"))
        return {state: Tally(n, size) for state, n, size in rows}

    def _of(self, *states: str) -> Tally:
        found = [self._tallies[state] for state in states if state in self._tallies]
        return Tally(sum(tally.count for tally in found), sum(tally.size for tally in found))
