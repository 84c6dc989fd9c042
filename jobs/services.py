"""The verbs: queue a job, stop it, answer its question, run it again, and find what was lost."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from jobs.models import Job
from jobs.running import ATTEMPTS, LEASE

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

PATIENCE: Final = timedelta(seconds=60)  # then a message that no worker took is sent again
_NEVER_BEGAN: Final = gettext_noop("Stopped before it began.")
_ANSWERED_NO: Final = gettext_noop("The answer was no: nothing was changed.")
_STOPPED_DEAD: Final = gettext_noop("Stopped. Its worker had died.")
_DIED: Final = gettext_noop("Its worker died %(times)s times. It can be run again.")
SENTENCES: Final = (_NEVER_BEGAN, _ANSWERED_NO, _STOPPED_DEAD, _DIED)

log = logging.getLogger(__name__)


def queue(  # noqa: PLR0913  each is a part of the row
    kind: str,
    subject: str,
    title: str,
    *,
    params: Mapping[str, Any] | None = None,
    requested_by: AbstractBaseUser | None = None,
    here: bool = False,
) -> tuple[Job, bool]:
    """The unfinished job of this kind on this subject, and whether it is new.

    `here`: whoever asks runs it at once (`running.run_here`), so no worker is woken; the sweep finds it if they die.
    """
    try:
        with transaction.atomic():
            job = Job.objects.create(
                kind=kind,
                subject=subject,
                title=title,
                params=dict(params or {}),
                requested_by=requested_by,  # type: ignore[misc]  # a person of whatever class: this floor knows none
                sent_at=timezone.now() if here else None,
            )
    except IntegrityError:
        running = Job.objects.unfinished().filter(kind=kind, subject=subject).first()
        if running is None:  # it ended between the two statements
            return queue(kind, subject, title, params=params, requested_by=requested_by, here=here)
        return running, False
    if not here:
        transaction.on_commit(lambda: send(job))
    return job, True


def send(job: Job) -> None:
    """Wake a worker. A broker that is away loses nothing: the sweep sends again."""
    from jobs.tasks import run

    Job.objects.filter(pk=job.pk, state=Job.State.QUEUED).update(sent_at=timezone.now())
    try:
        # A message that waited longer than the patience has been sent again: it may go.
        run.apply_async((job.pk,), retry=False, expires=PATIENCE.total_seconds())
    except run.OperationalError as error:
        log.warning("job %s: no broker to send to (%s); the sweep will", job.pk, error)


def again(job: Job, *, requested_by: AbstractBaseUser | None = None) -> tuple[Job, bool]:
    """Queue the same work once more, without the leave that an answer gave."""
    params = {name: value for name, value in job.params.items() if name != "allowed"}
    return queue(job.kind, job.subject, job.title, params=params, requested_by=requested_by)


def stop(job: Job) -> bool:
    """Ask a job to stop; one that nobody runs yet stops at once. False when it had ended already."""
    running = Job.objects.filter(pk=job.pk, state=Job.State.RUNNING)
    # Once more at the end: between the first two statements it may have asked its question, or been given back.
    return _stop_idle(job) or bool(running.update(stop_requested_at=timezone.now())) or _stop_idle(job)


def _stop_idle(job: Job) -> bool:
    idle = Job.objects.filter(pk=job.pk, state__in=[Job.State.QUEUED, Job.State.ASKING])
    stopped = idle.update(state=Job.State.STOPPED, finished_at=timezone.now(), message=_NEVER_BEGAN, question={})
    return bool(stopped)


def answer(job: Job, *, yes: bool) -> bool:
    """Yes: the job goes on with leave to do what it asked for. No: it ends, and nothing was changed."""
    with transaction.atomic():
        job = Job.objects.select_for_update().get(pk=job.pk)
        if job.state != Job.State.ASKING:
            return False
        if yes:
            job.params = {**job.params, "allowed": job.question.get("allow", {})}
            job.state, job.sent_at, job.question, job.attempts = Job.State.QUEUED, None, {}, 0
            job.save(update_fields=["params", "state", "sent_at", "question", "attempts"])
            transaction.on_commit(lambda: send(job))
        else:
            job.state, job.finished_at = Job.State.STOPPED, timezone.now()
            job.message = _ANSWERED_NO
            job.save(update_fields=["state", "finished_at", "message"])
    return True


def sweep() -> None:
    """Bring back what was lost: a worker that died, a message that Redis forgot; park what kills its workers."""
    now = timezone.now()
    abandoned = Job.objects.abandoned(now, LEASE)
    abandoned.filter(stop_requested_at__isnull=False).update(
        state=Job.State.STOPPED, finished_at=now, leased_until=None, message=_STOPPED_DEAD
    )
    abandoned.filter(attempts__gte=ATTEMPTS).update(
        state=Job.State.FAILED,
        finished_at=now,
        leased_until=None,
        message=_DIED % {"times": ATTEMPTS},
    )
    abandoned.update(state=Job.State.QUEUED, leased_until=None, sent_at=None)
    for job in Job.objects.unheard(now, PATIENCE):
        send(job)
