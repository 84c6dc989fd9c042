"""The job that counts old pulls together, and records that it did; `audit.folding` is how."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_noop

from audit import folding
from audit.models import Entry
from audit.services import record
from jobs import services as jobs
from jobs.models import Job
from jobs.running import Lease

KIND: Final = "fold-pulls"
_SUBJECT: Final = "audit"
_TITLE: Final = gettext_noop("Counting old pulls together")
_BECAME: Final = gettext_noop("Entries of pulls counted together: %(were)s. In their place: %(are)s, of one day each.")
_NOTHING: Final = gettext_noop("No pulls were to be counted together.")
SENTENCES: Final = (_TITLE, _BECAME, _NOTHING)


def queue_due(now: datetime) -> None:
    """Queue the job, where there is something for it to do."""
    before = _before(now)
    if before and folding.to_fold(before).exists():
        jobs.queue(KIND, _SUBJECT, _TITLE)


def run(lease: Lease) -> str:
    """Fold what is old. What is done is told in the transaction that does it: whoever goes on knows of it."""
    before = _before(timezone.now())
    _record_what_others_did()
    done = _told(Job.objects.get(pk=lease.job_id))
    while not _is_recorded(lease.job_id):
        with lease.writing():
            some = folding.fold(before) if before else folding.Folded(0, 0)
            done = folding.Folded(done.were + some.were, done.are + some.are)
            told = {"phase": "folding", **done._asdict()}
            Job.objects.filter(pk=lease.job_id).update(progress=told)
            if not some.were:
                _record(lease.job_id, done)
                break
        lease.tell(**told)
    return _sentence(done)


def _before(now: datetime) -> datetime | None:
    """None: pulls stay as they are, for ever."""
    return folding.days_before(now, settings.AUDIT_PULLS_DAYS) if settings.AUDIT_PULLS_DAYS else None


def _record_what_others_did() -> None:
    """Jobs that were stopped, or failed, half way: what they did stays done, and is in the record too."""
    for job in Job.objects.filter(kind=KIND).exclude(state__in=[*Job.UNFINISHED, Job.State.DONE]):
        if not _is_recorded(job.pk):
            _record(job.pk, _told(job))


def _told(job: Job) -> folding.Folded:
    return folding.Folded(job.progress.get("were", 0), job.progress.get("are", 0))


def _is_recorded(job_id: int) -> bool:
    return Entry.objects.filter(key=_key(job_id)).exists()


def _record(job_id: int, done: folding.Folded) -> None:
    if done.were:
        entry = Entry(key=_key(job_id), act=Entry.Act.FOLD, outcome=Entry.Outcome.DONE, detail=_sentence(done))
        record([entry])


def _key(job_id: int) -> str:
    return f"fold:{job_id}"


def _sentence(done: folding.Folded) -> str:
    if not done.were:
        return _NOTHING
    return _BECAME % {"were": f"{done.were:,}", "are": f"{done.are:,}"}
