"""A run of cleanup as lists and its page show it: how it is, and who asked for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from django.utils.translation import gettext

from cleanup.models import ClassicRun, UntaggedRun
from jobs.models import Job
from web.job_progress import JobProgress

RunT = TypeVar("RunT", UntaggedRun, ClassicRun)

_TONES: Final[Mapping[str, str]] = {
    "under-way": "info",
    "done": "ok",
    "broken-off": "danger",
    "stuck": "danger",
}


@dataclass(frozen=True, slots=True)
class WorkRow(Generic[RunT]):
    """A run whose job is at hand."""

    run: RunT

    @property
    def job(self) -> Job | None:
        """The one that moves, or asks."""
        job = self.run.job
        return job if job is not None and job.is_unfinished else None

    @property
    def is_moving(self) -> bool:
        return self.job is not None and self.job.is_moving

    @property
    def question(self) -> Job | None:
        """The job, where it asks."""
        return self.job if self.job is not None and self.job.state == Job.State.ASKING else None

    @property
    def progress(self) -> JobProgress | None:
        return JobProgress(self.job) if self.job is not None and self.is_moving else None

    @property
    def state(self) -> str:
        """In a word or two."""
        if self.question is not None:
            return gettext("Needs an answer")
        if self.job is not None and self.job.state == Job.State.QUEUED:
            return gettext("Waits for a worker")
        if self.is_moving and self.run.state == "new":
            return gettext("Is being planned")
        return self.run.get_state_display()

    @property
    def tone(self) -> str:
        if self.job is not None:
            return "warn" if self.question is not None else "info"
        return _TONES.get(self.run.state, "")

    @property
    def by(self) -> str:
        """Who asked for it."""
        return self.run.actor or gettext("by its schedule or a command")
