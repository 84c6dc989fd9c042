"""The verbs: carry retention out in a registry, or only plan it; go on with a run, stop it; what is due by itself."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from cleanup.models import Policy, RetentionRun, RunRepository, RunTag
from cleanup.retention.running import KIND, end_abandoned
from cleanup.retention.terms import InvalidTerms
from jobs import services as jobs
from jobs.models import Job
from registries.models import Registry
from tagging.permission import check_may_act

if TYPE_CHECKING:
    from access.models import User

_TITLE: Final = gettext_noop("Retention in %(name)s")
_PLAN_TITLE: Final = gettext_noop("Planning the retention in %(name)s")
_STOPPED: Final = gettext_noop("Stopped while it waited. The rest can be gone on with.")
SENTENCES: Final = (_TITLE, _PLAN_TITLE, _STOPPED)

log = logging.getLogger(__name__)


def begin(  # noqa: PLR0913  each is a switch of its own
    registry: Registry,
    person: User | None = None,
    *,
    only_plan: bool = False,
    policies: Sequence[Policy] = (),
    allow: bool = False,
    here: bool = False,
) -> tuple[RetentionRun, Job]:
    """A run in the registry, or the one that is under way: two never are.

    `person`: None where a schedule wants it. `policies`: only what these decide on, as if they were on. `allow`:
    whoever asks agrees to whatever goes. `here`: they carry it out (`jobs.running.run_here`), whatever the hour.
    Raises NotPermitted.
    """
    if person is not None:
        check_may_act(person, registry)
    with transaction.atomic():
        Registry.objects.select_for_update().get(pk=registry.pk)
        if (at_work := _at_work(registry)) is not None:
            return at_work
        run = RetentionRun.objects.create(
            registry=registry,
            policies=[policy.pk for policy in policies],
            requested_by=person,
            actor=str(person) if person else "",
        )
        return run, _queue(run, person, only_plan=only_plan, allow=allow, here=here)


def carry_on(run: RetentionRun, person: User | None = None, *, allow: bool = False, here: bool = False) -> Job:
    """Carry out what was planned, or the rest of it, and try again what failed. Raises NotPermitted."""
    if person is not None:
        check_may_act(person, run.registry)
    with transaction.atomic():
        failed = RunTag.objects.filter(run=run, state=RunTag.State.FAILED)
        places = RunRepository.objects.filter(run=run, state=RunRepository.State.FAILED)
        places.update(state=RunRepository.State.PLANNED, note="")
        if failed.update(state=RunTag.State.PLANNED, note="", plan=None):
            RetentionRun.objects.filter(pk=run.pk, state=RetentionRun.State.DONE).update(
                state=RetentionRun.State.PLANNED
            )
        return _queue(run, person, allow=allow, here=here)


def allow(run: RetentionRun, person: User | None = None) -> bool:
    """Say yes to what it asks. False where it does not ask. Raises NotPermitted."""
    if person is not None:
        check_may_act(person, run.registry)
    return run.job is not None and jobs.answer(run.job, yes=True)


def stop(run: RetentionRun, person: User) -> bool:
    """Ask it to stop: what is under way ends between two plans. False where it had ended. Raises NotPermitted."""
    check_may_act(person, run.registry)
    ended = {"resumes_at": None, "ended_at": timezone.now(), "message": _STOPPED}
    for _ in range(2):  # while we looked it may have been queued to go on
        run.refresh_from_db(fields=["job"])
        is_stopped = run.job is not None and jobs.stop(run.job)
        waiting = RetentionRun.objects.filter(pk=run.pk, state=RetentionRun.State.WAITING, job=run.job)
        if waiting.update(state=RetentionRun.State.BROKEN_OFF, **ended) or is_stopped:
            return True
    return False


def queue_due(now: datetime) -> None:
    """Policies that are due by the clock, those of a registry together, and runs that have waited long enough."""
    end_abandoned()
    by_registry: dict[int, list[Policy]] = {}
    for policy in Policy.objects.due(now).select_related("registry").in_order():
        by_registry.setdefault(policy.registry_id, []).append(policy)
    for policies in by_registry.values():
        _queue_those(policies, now)
    for run in RetentionRun.objects.filter(state=RetentionRun.State.WAITING, resumes_at__lte=now).select_related(
        "registry"
    ):
        with transaction.atomic():
            if RetentionRun.objects.select_for_update().filter(pk=run.pk, state=RetentionRun.State.WAITING).first():
                carry_on(run)


def _queue_those(policies: Sequence[Policy], now: datetime) -> None:
    """Where a run is under way they stay due; one that asks since the last time has had its time."""
    registry = policies[0].registry
    for run in RetentionRun.objects.under_way().filter(registry=registry).select_related("job"):
        if run.state != RetentionRun.State.ASKING or run.job is None or not jobs.answer(run.job, yes=False):
            return
        end_abandoned()
    due: list[Policy] = []
    with transaction.atomic():  # or whoever dies in between has let it pass
        for policy in policies:
            next_at = _next(policy, now)
            moved = Policy.objects.filter(pk=policy.pk, next_at=policy.next_at).update(next_at=next_at)
            if moved and next_at is not None:
                due.append(policy)
        if due and begin(registry, policies=due)[0].policies != [policy.pk for policy in due]:
            transaction.set_rollback(True)  # somebody began another meanwhile: they stay due


def _next(policy: Policy, now: datetime) -> datetime | None:
    try:
        return policy.read().schedule.next_after(now)
    except InvalidTerms:
        log.exception("the policy %s is not understood, and is not due any more", policy.name)
        return None


def _at_work(registry: Registry) -> tuple[RetentionRun, Job] | None:
    """The run that is under way, or waits to go on."""
    job = Job.objects.unfinished().filter(kind=KIND, subject=registry.job_subject).first()
    if job is not None and (run := RetentionRun.objects.filter(pk=int(job.params.get("run", 0))).first()) is not None:
        return run, job
    waiting = (
        RetentionRun.objects.filter(registry=registry, state=RetentionRun.State.WAITING)
        .select_related("job")
        .newest_first()
    )
    return next(((run, run.job) for run in waiting if run.job is not None), None)


def _queue(
    run: RetentionRun, person: User | None, *, only_plan: bool = False, allow: bool = False, here: bool = False
) -> Job:
    """In the caller's transaction; where another run is under way, that run's."""
    title = (_PLAN_TITLE if only_plan else _TITLE) % {"name": run.registry.name}
    params = {"registry": run.registry_id, "run": run.pk}
    switches = {name: True for name, holds in (("only_plan", only_plan), ("now", here)) if holds}
    allowed = {"allowed": {"run": run.pk}} if allow else {}
    job, is_new = jobs.queue(
        KIND,
        run.registry.job_subject,
        title,
        params={**params, **switches, **allowed},
        requested_by=person,
        here=here,
    )
    if is_new:
        RetentionRun.objects.filter(pk=run.pk).update(job=job)
    return job
