"""A sweep as lists and its page show it: how it is, who wanted it, and what it came to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext, ngettext

from cleanup.models import Sweep
from cleanup.models.sweeps import SweepQuerySet
from jobs.models import Job
from registries.models import for_asking
from web.templatetags.berth import number

_TONES: Final = {
    Sweep.State.DONE: "ok",
    Sweep.State.BROKEN_OFF: "danger",
    Sweep.State.UNDER_WAY: "info",
    Sweep.State.HOLDING: "warn",
}


@dataclass(frozen=True, slots=True)
class SweepRow:
    """A sweep whose job is at hand."""

    sweep: Sweep

    @property
    def job(self) -> Job | None:
        """The one that moves."""
        job = self.sweep.job
        return job if job is not None and job.is_unfinished else None

    @property
    def is_moving(self) -> bool:
        return self.job is not None and self.job.is_moving

    @property
    def state(self) -> str:
        """In a word or two."""
        if self.job is not None and self.job.state == Job.State.QUEUED:
            return gettext("Waits for a worker")
        if self.is_moving and self.sweep.state == Sweep.State.NEW:
            return gettext("Is being planned")
        if self.is_moving and self.sweep.state != Sweep.State.UNDER_WAY:
            return gettext("Under way")
        return self.sweep.get_state_display()

    @property
    def tone(self) -> str:
        return "info" if self.job is not None else _TONES.get(Sweep.State(self.sweep.state), "")

    @property
    def by(self) -> str:
        """Who asked for it."""
        if self.sweep.actor:
            return self.sweep.actor
        return gettext("by a command") if self.sweep.is_by_command else gettext("by its schedule")

    @property
    def found(self) -> str:
        """What its plan found, in the words of figures; nothing before there is one."""
        sweep = self.sweep
        if sweep.planned_at is None:
            return ""
        words = ngettext("%(n)s blob", "%(n)s blobs", sweep.found) % {"n": number(sweep.found)}
        if not sweep.left_uploads:
            return words
        uploads = ngettext("%(n)s upload", "%(n)s uploads", sweep.left_uploads) % {"n": number(sweep.left_uploads)}
        return f"{words}, {uploads}"

    @property
    def found_bytes(self) -> int:
        return self.sweep.found_bytes + self.sweep.upload_bytes


def with_places(sweeps: SweepQuerySet) -> SweepQuerySet:
    """Each with its registry and its job, and no secret of them."""
    return sweeps.select_related("registry", "job__requested_by").defer(*for_asking("registry"))
