"""What a sweep came to, in a sentence and in its row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Count, Sum
from django.utils import timezone
from django.utils.translation import gettext_noop

from audit.models import Entry
from audit.services import record
from cleanup.models import Sweep, SweptBlob
from cleanup.verifying.services import SAMPLE, verify_after
from jobs.models import Job
from jobs.running import Lease

_STATE: Final = SweptBlob.State
GONE: Final = gettext_noop("The sweep was removed meanwhile.")
OVER: Final = gettext_noop("It was done already.")
PLANNED: Final = gettext_noop("Planned: %(blobs)s blobs, %(size)s bytes. Nothing was deleted.")
NOTHING: Final = gettext_noop("There is nothing to sweep: every blob is in use, or too young.")
HOLDS: Final = gettext_noop(
    "%(aside)s blobs, %(aside_size)s bytes, are moved aside, and deleted after %(time)s. %(kept)s are used again and"
    " stay."
)
DONE: Final = gettext_noop("%(deleted)s blobs were deleted, %(deleted_size)s bytes. %(kept)s are used again and stay.")
PLANNED_TOO: Final = gettext_noop(
    "Planned: %(blobs)s blobs, %(size)s bytes, and %(left)s uploads that were left, %(left_size)s bytes. Nothing was"
    " deleted."
)
DONE_TOO: Final = gettext_noop(
    "%(deleted)s blobs were deleted, %(deleted_size)s bytes, and %(removed)s uploads that were left, %(removed_size)s"
    " bytes. %(kept)s are used again and stay."
)
PUT_BACK: Final = gettext_noop("%(put_back)s blobs, %(put_back_size)s bytes, were put back as they were.")
STOPPED: Final = gettext_noop("Stopped. What lies aside can be put back, or goes when its time is over.")
FAULT: Final = gettext_noop("Broken off: %(why)s. What is in use stays; it can be run again.")
_TOO: Final = {PLANNED: PLANNED_TOO, DONE: DONE_TOO}  # where there are uploads that were left
SENTENCES: Final = (
    GONE,
    OVER,
    PLANNED,
    PLANNED_TOO,
    NOTHING,
    HOLDS,
    DONE,
    DONE_TOO,
    PUT_BACK,
    STOPPED,
    FAULT,
)


@dataclass(frozen=True, slots=True)
class End:
    """How a sweep ends, for now: as which `act` the audit knows it, and whether a check `proves` that all is whole."""

    state: Sweep.State
    sentence: str
    act: Entry.Act | None = None
    proves: bool = False


def tell_end(lease: Lease, sweep: Sweep, told: End) -> str:
    """Write how it ended, with its entry and its check; one that found nothing is done, whatever it was to be."""
    if not sweep.found and not sweep.left_uploads:
        end(lease, sweep, Sweep.State.DONE, NOTHING)
        return NOTHING
    sentence = _TOO.get(told.sentence, told.sentence) if sweep.left_uploads else told.sentence
    text = sentence % _counts(sweep)
    job = Job.objects.select_related("requested_by").get(pk=lease.job_id)
    with lease.writing():
        _write_end(sweep, told.state, text)
        if told.act is not None:
            record([_entry(sweep, job, told.act, text)])
        if told.proves:
            verify_after(sweep.registry, job, sample=SAMPLE)
    return text


def end(lease: Lease, sweep: Sweep, state: Sweep.State, message: str) -> None:
    with lease.writing():
        _write_end(sweep, state, message)


def _write_end(sweep: Sweep, state: Sweep.State, message: str) -> None:
    now = timezone.now()
    columns: dict[str, object] = {"state": state, "message": message}
    if state == Sweep.State.DONE:
        columns |= {"resumes_at": None, "ended_at": now}
    elif state == Sweep.State.BROKEN_OFF:
        columns |= {"ended_at": now, "resumes_at": _resumes_at(sweep, now)}
    Sweep.objects.filter(pk=sweep.pk).update(**columns)


def _entry(sweep: Sweep, job: Job, act: Entry.Act, sentence: str) -> Entry:
    """Of whoever asked for this job of it; its schedule, and the end of its holding time, go back to who began it."""
    person, actor = job.requested_by, str(job.requested_by) if job.requested_by else sweep.actor
    return Entry(
        key=f"sweep:{sweep.pk}:{job.pk}",
        act=act,
        outcome=Entry.Outcome.DONE,
        actor=actor,
        actor_id=person.pk if person else sweep.requested_by_id,
        registry=sweep.registry.name,
        registry_id=sweep.registry_id,
        why=sentence,
    )


def _counts(sweep: Sweep) -> dict[str, str]:
    rows = sweep.blobs.order_by().values_list("state").annotate(n=Count("pk"), size=Sum("size"))
    by_state = {state: (n, size) for state, n, size in rows}
    told = {"blobs": f"{sweep.found:,}", "size": f"{sweep.found_bytes:,}"}
    for state in _STATE:
        n, size = by_state.get(state, (0, 0))
        told |= {state.name.lower(): f"{n:,}", f"{state.name.lower()}_size": f"{size:,}"}
    removed = sweep.uploads.exclude(removed_at=None).aggregate(n=Count("pk"), size=Sum("size", default=0))
    told |= {"left": f"{sweep.left_uploads:,}", "left_size": f"{sweep.upload_bytes:,}"}
    told |= {"removed": f"{removed['n']:,}", "removed_size": f"{removed['size']:,}"}
    return told | {"time": f"{sweep.resumes_at:%Y-%m-%d %H:%M} UTC" if sweep.resumes_at else ""}


def _resumes_at(sweep: Sweep, now: datetime) -> datetime | None:
    """When what a broken sweep holds aside goes, or comes back."""
    if not sweep.blobs.unsettled().exists():
        return None
    return sweep.resumes_at or now + timedelta(seconds=sweep.hold_seconds)
