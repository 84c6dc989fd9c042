"""A scan as its pages show it: how it went, how it read, and what it has to say of that to whom."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext

from catalog.models import Scan
from jobs.models import Job
from web.sentences import said


@dataclass(frozen=True, slots=True)
class ScanRow:
    """A scan whose registry and job are at hand."""

    scan: Scan

    @property
    def is_under_way(self) -> bool:
        job = self.scan.job
        return self.scan.finished_at is None and job is not None and job.is_moving

    @property
    def question(self) -> Job | None:
        """The job, where it waits for an answer before it goes on."""
        job = self.scan.job
        return job if job is not None and job.state == Job.State.ASKING and not self.scan.complete else None

    @property
    def state(self) -> str:
        """In a word or two."""
        if self.scan.complete:
            return gettext("Complete")
        if self.is_under_way:
            return gettext("Under way")
        if self.question:
            return gettext("Needs an answer")
        if self.scan.job is not None and self.scan.job.state == Job.State.STOPPED:
            return gettext("Stopped")
        return gettext("Not complete")

    @property
    def tone(self) -> str:
        if self.scan.complete:
            return "ok"
        return "info" if self.is_under_way else "warn"

    @property
    def problems(self) -> int:
        return self.scan.broken + self.scan.failed_repositories

    @property
    def why(self) -> str:
        """Why it did not come to its end, where its job says so; a job that began anew speaks of another scan."""
        job = self.scan.job
        ended = job is not None and job.state in {Job.State.FAILED, Job.State.STOPPED}
        if job is None or not ended or self.scan.complete:
            return ""
        last = Scan.objects.filter(job=job).newest_first().values_list("pk", flat=True).first()
        return job.message if last == self.scan.pk else ""


def note_for(scan: Scan, *, sees_paths: bool) -> str:
    """What proved the storage folder, or why it was not read; where the folder is, only staff are told."""
    note, folder = said(scan.source_note), scan.registry.storage.rstrip("/")
    if sees_paths or not folder:
        return note
    return note.replace(folder, gettext("its storage folder"))
