"""The verbs of sweeps: begin one, or only plan it; carry on; delete now; put back; stop; and what is due by itself."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Self

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_noop

from cleanup.models import Sweep, SweepTerms, SweptBlob
from cleanup.sweeping.ground import check_may_sweep, terms_of
from cleanup.sweeping.running import KIND
from jobs import services as jobs
from jobs.models import Job
from jobs.running import JobFailed
from registries.models import Registry
from tagging.permission import check_may_act

if TYPE_CHECKING:
    from access.models import User

_KEPT: Final = timedelta(days=180)
_PLANS: Final = timedelta(days=7)  # those that nobody carried out
_TOGETHER: Final = 200  # sweeps
_TITLE: Final = gettext_noop("Sweep of %(name)s")
_PLAN_TITLE: Final = gettext_noop("Planning a sweep of %(name)s")
_ANOTHER: Final = gettext_noop("“%(job)s” is under way. Wait until it has ended, or stop it.")
SENTENCES: Final = (_TITLE, _PLAN_TITLE, _ANOTHER)
_RETRY: Final = timedelta(minutes=15)  # before one that failed to look again does so once more

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Times:
    """In seconds, as the columns of a sweep."""

    grace_seconds: int
    settle_seconds: int
    hold_seconds: int

    @classmethod
    def of(cls, terms: SweepTerms) -> Self:
        return cls(terms.grace_seconds, terms.settle_seconds, terms.hold_seconds)


def begin(
    registry: Registry,
    person: User | None = None,
    *,
    only_plan: bool = False,
    here: bool = False,
    times: Times | None = None,
) -> tuple[Sweep, Job]:
    """A sweep of the registry, or the one that is under way: two never are. `times`: others than its terms say.

    `here`: whoever asks carries it out (`jobs.running.run_here`). Raises NotPermitted, and JobFailed where sweeps of it
    are stopped.
    """
    if person is not None:
        check_may_act(person, registry)
    check_may_sweep(registry)
    times = times or Times.of(terms_of(registry))
    with transaction.atomic():
        Registry.objects.select_for_update().get(pk=registry.pk)
        if (found := _under_way(registry)) is not None:
            return found
        sweep = Sweep.objects.create(
            registry=registry,
            **asdict(times),
            requested_by=person,
            actor=str(person) if person else "",
            is_by_command=person is None and here,
        )
        return sweep, _queue(sweep, person, here=here, only_plan=only_plan)


def carry_on(sweep: Sweep, person: User | None = None, *, here: bool = False) -> Job:
    """Carry out what was planned, or the rest of it. Raises as `begin`."""
    _check(sweep, person)
    check_may_sweep(sweep.registry)
    return _queue(sweep, person, here=here)


def delete_now(sweep: Sweep, person: User | None = None, *, here: bool = False) -> Job:
    """Look once more, and delete what lies aside because of it, though its time is not over. Raises as `begin`."""
    _check(sweep, person)
    check_may_sweep(sweep.registry)
    return _queue(sweep, person, here=here, finish=True, at_once=True)


def undo(sweep: Sweep, person: User | None = None, *, here: bool = False) -> Job:
    """Put back all that lies aside because of it, also where sweeps are stopped. Raises NotPermitted, JobFailed."""
    _check(sweep, person)
    return _queue(sweep, person, here=here, undo=True)


def stop(sweep: Sweep, person: User) -> bool:
    """Ask it to stop: it ends between two blobs. False where it had ended. Raises NotPermitted."""
    _check(sweep, person)
    sweep.refresh_from_db(fields=["job"])
    return sweep.job is not None and jobs.stop(sweep.job)


def finish_due(now: datetime) -> None:
    """Sweeps whose holding time is over: what lies aside is looked at once more, and goes.

    And those that broke off, or whose worker died too often: what they moved is looked at again, and held.
    """
    unfinished = Sweep.objects.unfinished().filter(registry__retired_at=None).exclude(registry__storage="")
    for sweep in unfinished.select_related("registry", "job"):
        if _is_due(sweep, now) and _under_way(sweep.registry) is None and _may_sweep(sweep.registry):
            _queue(sweep, None, finish=True)


def _is_due(sweep: Sweep, now: datetime) -> bool:
    is_over = sweep.resumes_at is not None and sweep.resumes_at <= now
    if sweep.state != Sweep.State.BROKEN_OFF:
        return is_over or sweep.state == Sweep.State.UNDER_WAY
    if not is_over and not sweep.blobs.unsettled().exists():
        return False
    has_tried = sweep.job is not None and bool(sweep.job.params.get("finish"))
    pause = _RETRY if has_tried else timedelta(seconds=sweep.settle_seconds)
    return sweep.ended_at is None or sweep.ended_at + pause <= now


def _may_sweep(registry: Registry) -> bool:
    try:
        check_may_sweep(registry)
    except JobFailed:
        return False
    return True


def queue_due(now: datetime) -> None:
    """Registries whose sweeps are due by the clock; where one is under way, or sweeps are stopped, it passes."""
    for terms in SweepTerms.objects.due(now).select_related("registry"):
        with transaction.atomic():
            moved = SweepTerms.objects.filter(pk=terms.pk, next_at=terms.next_at)
            if moved.update(next_at=next_due(terms, now)) and _under_way(terms.registry) is None:
                try:
                    begin(terms.registry)
                except JobFailed as reason:
                    log.warning("no sweep of %s, though it was due: %s", terms.registry.name, reason)


def next_due(terms: SweepTerms, now: datetime) -> datetime | None:
    """None where no clock says so, or what the row says is no schedule."""
    try:
        terms.schedule.check()
        return terms.schedule.next_after(now)
    except ValueError:
        log.exception("the schedule of sweeps of registry %s is not understood: none is due any more", terms.pk)
        return None


def prune(now: datetime) -> None:
    """Sweeps that are over, some months later; those that only planned, or found nothing, some days later."""
    ended = Sweep.objects.exclude(job__state__in=Job.UNFINISHED).exclude(pk__in=_holding())
    old = ended.filter(created_at__lt=now - _KEPT)
    unwanted = ended.filter(began_at=None, created_at__lt=now - _PLANS)
    for sweeps in (old, unwanted):
        for key in list(sweeps.values_list("pk", flat=True)[:_TOGETHER]):
            sweeps.filter(pk=key).delete()


def _holding() -> QuerySet[Sweep, Any]:
    """Those of which something may lie aside, or be unlinked: their rows say how it is put back."""
    unsettled = SweptBlob.objects.unsettled().filter(sweep=OuterRef("pk"))
    return Sweep.objects.filter(Q(resumes_at__isnull=False) | Exists(unsettled)).values("pk")


def _check(sweep: Sweep, person: User | None) -> None:
    if person is not None:
        check_may_act(person, sweep.registry)


def _under_way(registry: Registry) -> tuple[Sweep, Job] | None:
    job = Job.objects.unfinished().filter(kind=KIND, subject=registry.job_subject).first()
    sweep = Sweep.objects.filter(pk=job.params.get("sweep")).first() if job else None
    return (sweep, job) if sweep and job else None


def _queue(sweep: Sweep, person: User | None, *, here: bool = False, **switches: bool) -> Job:
    """Raises JobFailed where another job about sweeps of the registry is under way."""
    title = (_PLAN_TITLE if switches.get("only_plan") else _TITLE) % {"name": sweep.registry.name}
    params = {"registry": sweep.registry_id, "sweep": sweep.pk, **{name: True for name, on in switches.items() if on}}
    with transaction.atomic():
        job, is_new = jobs.queue(KIND, sweep.registry.job_subject, title, params=params, requested_by=person, here=here)
        if is_new:
            Sweep.objects.filter(pk=sweep.pk).update(job=job)
        elif job.params != params:
            raise JobFailed(_ANOTHER % {"job": job.title})
    return job
