"""The verbs: check a registry, check it after a sweep, and what waits to be checked."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from cleanup.models import Check, CheckFinding
from cleanup.verifying.running import KIND, new_check
from cleanup.verifying.terms import Terms
from jobs import services as jobs
from jobs.models import Job
from tagging.permission import check_may_act

if TYPE_CHECKING:
    from access.models import User
    from registries.models import Registry

SAMPLE: Final = 3  # tags of each repository
_OPEN: Final = (Check.State.WAITING, Check.State.UNDER_WAY)
_KEPT: Final = timedelta(days=90)
_TITLE: Final = gettext_noop("Check of %(name)s")
SENTENCES: Final = (_TITLE,)


def begin(
    registry: Registry, terms: Terms, person: User | None = None, *, here: bool = False
) -> tuple[Check, Job, bool]:
    """The check of a registry, its job, and whether they are new: two of one registry never run at once.

    `person`: None where Berth itself wants it. `here`: whoever asks carries it out. Raises NotPermitted.
    """
    if person is not None:
        check_may_act(person, registry)
    with transaction.atomic():
        job, is_new = _queue(registry, terms, person, here=here)
        check = Check.objects.filter(job=job).first()
        if check is None:
            check = new_check(registry, terms, job_id=job.pk)
            check.requested_by, check.actor = person, str(person) if person else ""
            check.save(update_fields=["requested_by", "actor"])
    return check, job, is_new


def verify_after(registry: Registry, job: Job | None = None, *, sample: int | None = SAMPLE) -> Check:
    """Prove that what `job` was to leave is there: called when a sweep is over, in its transaction.

    One that is under way began before the sweep ended, and proves nothing: then this one waits for it.
    """
    terms = Terms(sample=sample, after=job.pk if job else None)
    with transaction.atomic():
        check = Check.objects.filter(registry=registry, state=Check.State.WAITING, job=None).first()
        if check is None:
            check = new_check(registry, terms)
        check.after_job = terms.after
        check.save(update_fields=["after_job"])
        _give_job(check)
    return check


def queue_waiting() -> None:
    """Those that waited for another check to end; and those whose worker died for good end here."""
    over = Check.objects.filter(state__in=_OPEN).exclude(job=None, state=Check.State.WAITING)
    for check in over.exclude(job__state__in=Job.UNFINISHED).select_related("job"):
        message = check.job.message if check.job else ""
        over.filter(pk=check.pk).update(state=Check.State.BROKEN_OFF, message=message, ended_at=timezone.now())
    for check in Check.objects.filter(state=Check.State.WAITING, job=None, registry__retired_at=None):
        with transaction.atomic():
            _give_job(check)


def prune(now: datetime) -> None:
    """Old checks go, but those whose word is still the last on some tag."""
    old = Check.objects.exclude(state__in=_OPEN).filter(created_at__lt=now - _KEPT)
    open_ones = CheckFinding.objects.open().values("found_by")
    for key in list(old.exclude(pk__in=open_ones).values_list("pk", flat=True)[:200]):
        Check.objects.filter(pk=key).delete()


def _give_job(check: Check) -> None:
    terms = Terms(check.sample, check.is_deep, check.repository, check.after_job)
    job, is_new = _queue(check.registry, terms, None)
    if is_new:
        Check.objects.filter(pk=check.pk, job=None).update(job=job)
        check.job = job


def _queue(registry: Registry, terms: Terms, person: User | None, *, here: bool = False) -> tuple[Job, bool]:
    title = _TITLE % {"name": registry.name}
    return jobs.queue(KIND, registry.job_subject, title, params=terms.written(), requested_by=person, here=here)
