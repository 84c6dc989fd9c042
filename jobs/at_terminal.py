"""A command that carries a job out here and now: its progress, and how it ended, are told on the standard error."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser

from jobs.here import see_through
from jobs.models import Job

_EVERY: Final = 1.0  # seconds between two lines of progress
_INTERRUPTED: Final = 130  # as shells say it


class JobCommand(BaseCommand):
    """What is on the standard output is for machines."""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--quiet", action="store_true", help="no progress")

    def execute(self, *args: Any, **options: Any) -> str | None:
        self._quiet, self._told, self._line = options["quiet"], 0.0, ""
        return super().execute(*args, **options)

    def see_through(self, job: Job, line_of: Callable[[Job], str]) -> bool:
        """Whether somebody wanted us to stop. `line_of`: how far it is, "" for nothing to say yet."""
        return not see_through(job, lambda seen: self._tell(line_of(seen)))

    def check_end(self, job: Job, said: str, *, was_left: bool) -> None:
        """Raises CommandError where it goes on without us, or was stopped by us."""
        if job.is_moving:
            raise CommandError(f"It goes on without you, as job {job.pk}.", returncode=_INTERRUPTED)
        if was_left and job.state != Job.State.ASKING:
            raise CommandError(said, returncode=_INTERRUPTED)

    def check_question(self, job: Job, cure: str) -> None:
        """Raises CommandError where it asks; `cure`: what can be said here, with a full stop."""
        if job.state == Job.State.ASKING:
            details = " ".join(job.question.get("details", ()))
            raise CommandError(f"{job.question.get('text', '')} {details} {cure}", returncode=1)

    def say(self, *lines: str) -> None:
        if not self._quiet:
            for line in lines:
                self.stderr.write(line, style_func=str)

    def _tell(self, line: str) -> None:
        """A line a second at most, and none that says nothing new."""
        if line in {"", self._line} or time.monotonic() - self._told < _EVERY:
            return
        self._line, self._told = line, time.monotonic()
        self.say(line)
