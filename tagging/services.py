"""The verbs: carry a plan out, now or as a job; find what was begun and not ended; forget plans nobody wanted."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_noop

from catalog.models import Repository
from jobs import running
from jobs import services as jobs
from jobs.models import Job
from tagging.carrying_out import KIND
from tagging.models import Plan, PlanItem
from tagging.permission import check_may_act

if TYPE_CHECKING:
    from access.models import User

SMALL: Final = 50  # items that are carried out while the person waits
_HERE: Final = threading.BoundedSemaphore(3)  # in this process; beyond that they are jobs: other threads serve pages
_READS: Final = 1_000  # tags that may have to be read for it
_BEGUN: Final = (Plan.State.UNDER_WAY, Plan.State.DONE)
FORGOTTEN: Final = timedelta(days=7)  # after which a plan that nobody carried out goes
_TITLES: Final = {
    Plan.Act.DELETE_TAGS: gettext_noop("Deleting tags of %(name)s"),
    Plan.Act.DELETE_IMAGES: gettext_noop("Deleting images of %(name)s"),
    Plan.Act.DELETE_REPOSITORY: gettext_noop("Deleting the repository %(name)s"),
    Plan.Act.REMOVE_REPOSITORY: gettext_noop("Removing the repository %(name)s"),
    Plan.Act.RESTORE: gettext_noop("Restoring in %(name)s"),
    Plan.Act.COPY: gettext_noop("Copying to %(name)s"),
}
_NOBODY: Final = gettext_noop("Its worker died. What was done is done; the rest can be carried out again.")
_LONGEST_PAUSE: Final = timedelta(hours=1)
SENTENCES: Final = (*_TITLES.values(), _NOBODY)


def carry_out(plan: Plan, person: User) -> Job:
    """Carry out a plan: a small one at once, in this thread; a large one by a worker. Twice is once.

    Raises NotPermitted. The job is over when a small one returns; `plan` is to be read again.
    """
    check_may_act(person, plan.registry)
    # It is the act of whoever says yes, not of whoever had it planned.
    Plan.objects.filter(pk=plan.pk).exclude(state__in=_BEGUN).update(requested_by=person, actor=str(person))
    is_small = _is_small(plan) and _HERE.acquire(blocking=False)
    try:
        job, is_new = _queue(plan, person, here=is_small)
        if not is_new:
            _widen(job)
        elif is_small:
            running.run_here(job.pk)
            job.refresh_from_db()
    finally:
        if is_small:
            _HERE.release()
    return job


def carry_out_by_rule(plan: Plan, *, here: bool = False) -> Job:
    """By a worker, and nobody waits for it; `here`: whoever asks carries it out (`jobs.running.run_here`)."""
    return _queue(plan, None, here=here)[0]


def _widen(job: Job) -> None:
    """A job that finishes what was begun, and nothing more, does the rest too: now somebody has said so."""
    with transaction.atomic():
        row = Job.objects.unfinished().select_for_update().filter(pk=job.pk).first()
        if row is not None and row.params.get("only_begun"):
            Job.objects.filter(pk=row.pk).update(params={**row.params, "only_begun": False})


def _is_small(plan: Plan) -> bool:
    """Before a digest goes, every tag of its repository is read."""
    digests = plan.items.filter(step=PlanItem.Step.DELETE_MANIFEST).exists()
    reads = plan.repository.tag_count if digests and plan.repository else 0
    return plan.items.count() <= SMALL and reads <= _READS


def _queue(plan: Plan, person: User | None, *, here: bool = False, only_begun: bool = False) -> tuple[Job, bool]:
    name = plan.repository.name if plan.repository else plan.registry.name
    with transaction.atomic():
        job, is_new = jobs.queue(
            KIND,
            plan.job_subject,
            _TITLES[Plan.Act(plan.act)] % {"name": name},
            params={"registry": plan.registry_id, "only_begun": only_begun},
            requested_by=person,
            here=here,
        )
        if is_new:
            Plan.objects.filter(pk=plan.pk).update(job=job)
    return job, is_new


def recover() -> None:
    """Have finished what was begun and has nobody who works on it: a registry that was away may be back."""
    left = Plan.objects.exclude(Exists(_at_work())).select_related("registry", "repository", "job")
    under_way = left.filter(state=Plan.State.UNDER_WAY)
    under_way.update(state=Plan.State.BROKEN_OFF, message=_NOBODY, ended_at=timezone.now())
    begun = PlanItem.objects.begun().filter(plan=OuterRef("pk"))
    for plan in left.filter(Exists(begun), registry__retired_at=None):
        if _is_due(plan):
            _queue(plan, None, only_begun=True)


def _is_due(plan: Plan) -> bool:
    """The more often it failed, the later it is tried again: after two minutes, four, and so on, to an hour."""
    if plan.job is None or plan.job.finished_at is None:
        return True
    failed = Job.objects.filter(kind=KIND, subject=plan.job_subject).count()
    return timezone.now() >= plan.job.finished_at + min(_LONGEST_PAUSE, timedelta(minutes=2 ** min(failed, 6)))


def _at_work() -> QuerySet[Job]:
    """The jobs of a plan, by `OuterRef`, that are not over: of its own, or one that carries out several."""
    return Job.objects.unfinished().filter(plans=OuterRef("pk"))


def give_up(plan_id: int) -> bool:
    """Drop a plan that nobody has begun and nobody is about to begin; whether it is gone now."""
    with transaction.atomic():
        mine = Plan.objects.select_for_update().filter(pk=plan_id, state=Plan.State.PLANNED)
        plan = mine.exclude(Exists(_at_work())).first()
        if plan is not None:
            plan.delete()
    return plan is not None


def forget() -> None:
    """Plans that nobody carried out, some days later, and repositories that were only named by one."""
    old = Plan.objects.filter(state=Plan.State.PLANNED, created_at__lt=timezone.now() - FORGOTTEN)
    for pk in old.values_list("pk", flat=True)[:200]:
        give_up(pk)
    named = Plan.objects.filter(repository=OuterRef("pk"))
    never = Repository.objects.filter(state=Repository.State.NEW, gone_at__isnull=False, scanned_at=None)
    never.filter(~Exists(named), tags=None).delete()
