"""A run of retention as lists and its page show it: how it is, who wanted it, and what it came to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext

from cleanup.models import RetentionRun
from cleanup.models.runs import RetentionRunQuerySet
from jobs.models import Job
from registries.models import for_asking

_STATE: Final = RetentionRun.State
_TONES: Final = {
    _STATE.DONE: "ok",
    _STATE.BROKEN_OFF: "danger",
    _STATE.UNDER_WAY: "info",
    _STATE.WAITING: "warn",
    _STATE.ASKING: "warn",
}


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run whose registry and job are at hand."""

    run: RetentionRun

    @property
    def job(self) -> Job | None:
        """The one that moves, or asks."""
        job = self.run.job
        return job if job is not None and job.is_unfinished else None

    @property
    def is_moving(self) -> bool:
        return self.job is not None and self.job.is_moving

    @property
    def state(self) -> str:
        """In a word or two."""
        if self.job is not None and self.job.state == Job.State.ASKING:
            return gettext("Needs an answer")
        if self.job is not None and self.job.state == Job.State.QUEUED:
            return gettext("Waits for a worker")
        if self.is_moving and self.run.planned_at is None:
            return gettext("Is being planned")
        if self.run.state == _STATE.ASKING:
            return gettext("Ends")  # its question was answered, and nobody has written that down yet
        return self.run.get_state_display()

    @property
    def tone(self) -> str:
        if self.job is not None:
            return "warn" if self.job.state == Job.State.ASKING else "info"
        return _TONES.get(_STATE(self.run.state), "")

    @property
    def by(self) -> str:
        """Who asked for it."""
        if self.run.actor:
            return self.run.actor
        is_command = self.run.job is not None and bool(self.run.job.params.get("now"))
        return gettext("by a command") if is_command else gettext("by its schedule")

    @property
    def is_over(self) -> bool:
        return self.run.state in {_STATE.DONE, _STATE.BROKEN_OFF}


def with_registry_and_job(runs: RetentionRunQuerySet) -> RetentionRunQuerySet:
    """And no secret of the registry."""
    return runs.select_related("registry", "job").defer(*for_asking("registry"))
