"""A check as pages show it: what it looked at, how it stands, and in which tone that is said."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.utils.translation import gettext, ngettext

from cleanup.models import Check
from web.job_progress import JobProgress
from web.templatetags.berth import number


@dataclass(frozen=True, slots=True)
class CheckRow:
    """A check whose job is at hand."""

    check: Check

    @property
    def scope(self) -> str:
        """Which tags, and how closely."""
        if self.check.sample is None:
            return gettext("every byte of all tags") if self.check.is_deep else gettext("all tags")
        words = ngettext("%(n)s tag of each repository", "%(n)s tags of each repository", self.check.sample)
        tags = words % {"n": number(self.check.sample)}
        return gettext("every byte of %(tags)s") % {"tags": tags} if self.check.is_deep else tags

    @property
    def is_moving(self) -> bool:
        return self.check.state in {Check.State.WAITING, Check.State.UNDER_WAY}

    @property
    def state(self) -> str:
        if self.check.state == Check.State.DONE:
            if self.check.broken:
                return gettext("Broken")
            return gettext("Not all could be asked") if self.check.unasked else gettext("Whole")
        return self.check.get_state_display()

    @property
    def tone(self) -> str:
        if self.is_moving:
            return "info"
        if self.check.broken:
            return "danger"
        return "ok" if self.check.state == Check.State.DONE and not self.check.unasked else "warn"

    @property
    def progress(self) -> JobProgress | None:
        """Of its job, while that moves."""
        job = self.check.job
        return JobProgress(job) if job is not None and job.is_moving else None

    @property
    def took(self) -> timedelta | None:
        return timedelta(seconds=self.check.took) if self.check.took is not None else None
