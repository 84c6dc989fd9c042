"""The verbs: find and delete what nothing reaches, or only plan it; go on with a run; stop it; forget old ones."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.utils.translation import gettext_noop

from cleanup.models import UntaggedRun
from cleanup.untagged.running import KIND
from jobs import services as jobs
from jobs.models import Job
from registries.models import Registry
from tagging.permission import check_may_act

if TYPE_CHECKING:
    from access.models import User

GRACE: Final = 24  # hours; what is younger stays: a push may not be over, or somebody may tag it yet
MOST_GRACE: Final = 24 * 366
_KEPT: Final = timedelta(days=180)  # runs
_PLANS: Final = timedelta(days=7)  # those that nobody carried out
_TITLE: Final = gettext_noop("Deleting untagged manifests of %(name)s")
_PLAN_TITLE: Final = gettext_noop("Looking for untagged manifests of %(name)s")
SENTENCES: Final = (_TITLE, _PLAN_TITLE)


def begin(
    registry: Registry,
    person: User | None = None,
    *,
    only_plan: bool = False,
    grace_hours: int = GRACE,
    here: bool = False,
) -> tuple[UntaggedRun, Job]:
    """A run over a registry, or the one that is under way: two of one registry never are.

    `here`: whoever asks carries it out (`jobs.running.run_here`). Raises NotPermitted.
    """
    if person is not None:
        check_may_act(person, registry)
    with transaction.atomic():
        Registry.objects.select_for_update().get(pk=registry.pk)
        for run in UntaggedRun.objects.under_way().filter(registry=registry).select_related("job").newest_first():
            if run.job is not None:
                return run, run.job
        run = UntaggedRun.objects.create(
            registry=registry,
            grace_hours=min(MOST_GRACE, max(0, grace_hours)),
            requested_by=person,
            actor=str(person) if person else "",
        )
        return _queued(run, person, only_plan=only_plan, here=here)


def carry_on(run: UntaggedRun, person: User | None = None, *, here: bool = False) -> tuple[UntaggedRun, Job]:
    """Carry out what was planned, or the rest of it; or the run of that registry that is under way.

    Raises NotPermitted.
    """
    if person is not None:
        check_may_act(person, run.registry)
    with transaction.atomic():
        Registry.objects.select_for_update().get(pk=run.registry_id)
        other = UntaggedRun.objects.under_way().filter(registry=run.registry_id).select_related("job").first()
        if other is not None and other.job is not None:
            return other, other.job
        return _queued(run, person, here=here)


def stop(run: UntaggedRun, person: User) -> bool:
    """Ask it to stop: it ends between two manifests. False where it had ended. Raises NotPermitted."""
    check_may_act(person, run.registry)
    run.refresh_from_db(fields=["job"])
    return run.job is not None and jobs.stop(run.job)


def prune(now: datetime) -> None:
    """Runs that are over, some months later; those that only planned, or found nothing, some days later."""
    over = UntaggedRun.objects.exclude(job__state__in=Job.UNFINISHED)
    old = over.filter(created_at__lt=now - _KEPT)
    unwanted = over.filter(began_at=None, created_at__lt=now - _PLANS)
    for runs in (old, unwanted):
        for key in list(runs.values_list("pk", flat=True)):
            runs.filter(pk=key).delete()


def _queued(
    run: UntaggedRun, person: User | None, *, only_plan: bool = False, here: bool = False
) -> tuple[UntaggedRun, Job]:
    """In the caller's transaction, which holds the registry; where an older job is run again, that and its run."""
    title = (_PLAN_TITLE if only_plan else _TITLE) % {"name": run.registry.name}
    params = {"registry": run.registry_id, "run": run.pk, **({"only_plan": True} if only_plan else {})}
    job, is_new = jobs.queue(KIND, run.registry.job_subject, title, params=params, requested_by=person, here=here)
    other = None if is_new else UntaggedRun.objects.filter(pk=job.params.get("run", 0)).exclude(pk=run.pk).first()
    if other is not None:
        UntaggedRun.objects.filter(pk=run.pk, state=UntaggedRun.State.NEW).delete()
        return other, job
    UntaggedRun.objects.filter(pk=run.pk).update(job=job)
    run.job = job
    return run, job
