"""The job of retention: it plans a run, if nobody has, and carries out what was planned and nothing else."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from django.db import InterfaceError, OperationalError
from django.db.models import Count
from django.utils import timezone
from django.utils.translation import gettext_noop

from cleanup.models import RetentionRun, RunRepository, RunTag
from cleanup.retention.carrying_out import CarryingOut
from cleanup.retention.planning import Planning
from cleanup.retention.reading import Book
from cleanup.retention.terms import InvalidTerms
from cleanup.retention.trust import check_catalog, check_clock
from jobs.models import Job
from jobs.running import Asking, JobFailed, Lease, LeaseLost, Stopped, reason_of
from oci.errors import InvalidName
from registries.clients import client_for

KIND: Final = "retention"
_NAMED: Final = 5  # repositories that a question names
_GONE: Final = gettext_noop("The run is gone, with its registry: nothing was changed.")
_OVER: Final = gettext_noop("It was carried out already: nothing was changed.")
_UNASKABLE: Final = gettext_noop("%(registry)s cannot be asked, and nothing was changed: %(why)s.")
_TERMS: Final = gettext_noop("The policy %(place)s cannot be read, and nothing was changed: %(why)s")
_PLANNED: Final = gettext_noop("%(doomed)s tags would go from %(repositories)s repositories, %(kept)s stay.")
_STOPPED: Final = gettext_noop("Stopped. %(done)s tags were deleted; the rest can be gone on with.")
_WAITS: Final = gettext_noop("Its hours are over. It goes on by itself at %(time)s UTC; %(done)s tags were deleted.")
_DONE: Final = gettext_noop("%(done)s tags deleted, %(kept)s stay.")
_DONE_BUT: Final = gettext_noop("%(done)s tags deleted, %(skipped)s left alone, %(failed)s failed, %(kept)s stay.")
_MANY: Final = gettext_noop(
    "Repositories of which more than a fifth of the tags would go, or all: %(repositories)s. Delete these %(doomed)s"
    " tags?"
)
_DETAILS: Final = (
    gettext_noop("What else the run had to do is done. None of these tags was deleted."),
    gettext_noop("With yes they go to the trash, from which they can be restored."),
)
_AMONG_THEM: Final = gettext_noop("Among them: %(names)s.")
_YES: Final = gettext_noop("Yes, delete them")
_NO: Final = gettext_noop("No, keep them")
_NO_YES: Final = gettext_noop("nobody agreed to delete so many")
SENTENCES: Final = (
    *(_GONE, _OVER, _UNASKABLE, _TERMS, _PLANNED, _STOPPED, _WAITS, _DONE, _DONE_BUT, _MANY, *_DETAILS, _AMONG_THEM),
    *(_YES, _NO, _NO_YES),
)


def run(lease: Lease) -> str:
    """What the run that the lease's job is about came to, for people. Raises Asking, JobFailed and Stopped."""
    row = RetentionRun.objects.select_related("registry").filter(pk=int(lease.params.get("run", 0))).first()
    if row is None:
        return _GONE
    if row.state == RetentionRun.State.DONE:
        return _OVER
    try:
        return _run(lease, row)
    except Stopped:
        _end(lease, row, RetentionRun.State.BROKEN_OFF, _STOPPED % _counts(row))
        raise
    except (LeaseLost, OperationalError, InterfaceError):
        raise  # somebody goes on with it
    except Asking as asking:
        _end(lease, row, RetentionRun.State.ASKING, str(asking.question["text"]))
        raise
    except Exception as error:
        _end(lease, row, RetentionRun.State.BROKEN_OFF, reason_of(error))
        raise


def _run(lease: Lease, row: RetentionRun) -> str:
    check_catalog(row.registry, timezone.now())
    try:
        with client_for(row.registry, lease.caller) as client:
            check_clock(client)
    except InvalidName as error:
        raise JobFailed(_UNASKABLE % {"registry": row.registry.name, "why": error}) from error
    try:
        if row.planned_at is None:
            Planning(row, lease, Book(row.registry, timezone.now(), row.policies)).write()
            row.refresh_from_db()
        if lease.params.get("only_plan"):
            return _PLANNED % {name: f"{getattr(row, name):,}" for name in ("doomed", "repositories", "kept")}
        return _carry_out(lease, row)
    except InvalidTerms as error:
        raise JobFailed(_TERMS % {"place": error.field, "why": error.sentence}) from error


def _carry_out(lease: Lease, row: RetentionRun) -> str:
    _begin(lease, row)
    is_timed = row.requested_by_id is None and not lease.params.get("now")
    with_yes = lease.params.get("allowed", {}).get("run") == row.pk
    work = CarryingOut(row, lease, is_timed=is_timed, with_yes=with_yes)
    work.carry_out()
    if work.opens_at is not None:
        return _wait(lease, row, work.opens_at)
    if not with_yes:
        _ask(row)
    counts = _counts(row)
    sentence = (_DONE if counts["skipped"] == counts["failed"] == "0" else _DONE_BUT) % counts
    _end(lease, row, RetentionRun.State.DONE, sentence)
    return sentence


def _begin(lease: Lease, row: RetentionRun) -> None:
    with lease.writing():
        RetentionRun.objects.filter(pk=row.pk).update(
            state=RetentionRun.State.UNDER_WAY,
            job_id=lease.job_id,
            began_at=row.began_at or timezone.now(),
            ended_at=None,
            resumes_at=None,
            message="",
        )


def _wait(lease: Lease, row: RetentionRun, opens_at: datetime) -> str:
    sentence = _WAITS % {"time": f"{opens_at:%H:%M}", **_counts(row)}
    _end(lease, row, RetentionRun.State.WAITING, sentence, resumes_at=opens_at, ended_at=None)
    return sentence


def _ask(row: RetentionRun) -> None:
    """Raises Asking where repositories wait for a yes."""
    places = RunRepository.objects.filter(run=row, needs_yes=True).open().in_order()
    names = list(places.values_list("name", flat=True))
    if not names:
        return
    doomed = RunTag.objects.filter(run=row, place__in=places.order_by()).open().count()
    text = _MANY % {"repositories": f"{len(names):,}", "doomed": f"{doomed:,}"}
    among_them = _AMONG_THEM % {"names": ", ".join(names[:_NAMED])}
    question = {"kind": KIND, "text": text, "details": [among_them, *_DETAILS], "yes": _YES, "no": _NO}
    raise Asking({**question, "allow": {"run": row.pk}})


def end_abandoned() -> None:
    """Runs whose job ended without a word of them: its worker died for good, or a question was answered with no."""
    left = RetentionRun.objects.filter(
        state__in=[RetentionRun.State.NEW, RetentionRun.State.UNDER_WAY, RetentionRun.State.ASKING]
    )
    for run in left.exclude(job__state__in=Job.UNFINISHED).select_related("job"):
        as_it_was = RetentionRun.objects.filter(pk=run.pk, job=run.job, state=run.state)
        if run.state != RetentionRun.State.ASKING:
            message = run.job.message if run.job else ""
            as_it_was.update(state=RetentionRun.State.BROKEN_OFF, message=message, ended_at=timezone.now())
            continue
        places = RunRepository.objects.filter(run=run).open()
        tags = RunTag.objects.filter(run=run, place__in=places)
        tags.filter(state=RunTag.State.PLANNED).update(state=RunTag.State.SKIPPED, note=_NO_YES)
        places.update(state=RunRepository.State.DONE, note=_NO_YES)
        as_it_was.update(state=RetentionRun.State.DONE, message=_DONE_BUT % _counts(run), ended_at=timezone.now())


def _end(lease: Lease, run: RetentionRun, state: RetentionRun.State, message: str, **more: Any) -> None:
    with lease.writing():
        ended = {"ended_at": timezone.now(), "resumes_at": None, **more}
        RetentionRun.objects.filter(pk=run.pk).update(state=state, message=message, **ended)


def _counts(run: RetentionRun) -> dict[str, str]:
    """How many tags came to which end, as a sentence says them."""
    rows = RunTag.objects.filter(run=run).order_by().values_list("state").annotate(n=Count("pk"))
    by_state = dict(rows)
    counts = {state.value: f"{by_state.get(state, 0):,}" for state in RunTag.State}
    return {**counts, "kept": f"{run.kept:,}"}
