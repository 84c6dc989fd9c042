"""A run as lists and its page show it: how it is, when, and what it came to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext, ngettext

from jobs.models import Job
from registries.models import for_asking
from sync.models import Run
from sync.models.runs import RunQuerySet

_TONES: Final = {
    Run.State.DONE: "ok",
    Run.State.BROKEN_OFF: "danger",
    Run.State.UNDER_WAY: "info",
    Run.State.WAITING: "warn",
}


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run whose job is at hand."""

    run: Run

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
        if self.is_moving and self.run.state == Run.State.NEW:
            return gettext("Is being planned")
        return self.run.get_state_display()

    @property
    def tone(self) -> str:
        if self.job is not None:
            return "warn" if self.job.state == Job.State.ASKING else "info"
        return _TONES.get(Run.State(self.run.state), "")

    @property
    def name(self) -> str:
        return self.run.name or str(self.run)

    @property
    def by(self) -> str:
        """Who asked for it."""
        if self.run.actor:
            return self.run.actor
        is_command = self.run.job is not None and bool(self.run.job.params.get("now"))
        return gettext("by a command") if is_command else gettext("by its schedule")

    @property
    def counts(self) -> str:
        """What its plan found, in the words of figures; nothing before there is one."""
        run = self.run
        if run.state == Run.State.NEW or not (run.new or run.moved or run.unchanged or run.left or run.gone):
            return ""
        found = [
            (run.new, gettext("%(n)s new")),
            (run.moved, gettext("%(n)s moved")),
            (run.left, gettext("%(n)s left alone")),
            (run.gone, gettext("%(n)s gone")),
            (run.unchanged, gettext("%(n)s unchanged")),
        ]
        return ", ".join(words % {"n": f"{count:,}"} for count, words in found if count)

    @property
    def problems(self) -> str:
        count = len(self.run.problems)
        return ngettext("%(n)s problem", "%(n)s problems", count) % {"n": count} if count else ""


def with_places(runs: RunQuerySet) -> RunQuerySet:
    """Each with its registries and its job, and no secret of them."""
    known = runs.select_related("rule", "source", "target", "job", "requested_by")
    return known.defer("terms", "left_out", *for_asking("source"), *for_asking("target"))
