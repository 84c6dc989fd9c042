"""The verbs of sweeps: begin one, or only plan it; carry out what was planned; put back; and what is due by itself."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final, Self

from django.db import transaction
from django.utils.translation import gettext_noop

from cleanup.models import Sweep, SweepTerms
from cleanup.sweeping.ground import check_may_sweep, terms_of
from cleanup.sweeping.running import KIND
from jobs import services as jobs
from jobs.models import Job
from registries.models import Registry
from tagging.permission import check_may_act

if TYPE_CHECKING:
    from access.models import User

_TITLE: Final = gettext_noop("Sweep of %(name)s")
_PLAN_TITLE: Final = gettext_noop("Planning a sweep of %(name)s")
SENTENCES: Final = (_TITLE, _PLAN_TITLE)


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
        )
        return sweep, _queue(sweep, person, here=here, only_plan=only_plan)


def carry_on(sweep: Sweep, person: User | None = None, *, here: bool = False) -> Job:
    """Carry out what was planned, or the rest of it. Raises as `begin`."""
    if person is not None:
        check_may_act(person, sweep.registry)
    check_may_sweep(sweep.registry)
    return _queue(sweep, person, here=here)


def undo(sweep: Sweep, person: User, *, here: bool = False) -> Job:
    """Put back all that lies aside because of it. Raises NotPermitted."""
    check_may_act(person, sweep.registry)
    return _queue(sweep, person, here=here, undo=True)


def finish_due(now: datetime) -> None:
    """Sweeps whose holding time is over: what lies aside is looked at once more, and goes."""
    for sweep in Sweep.objects.filter(resumes_at__lte=now, registry__retired_at=None).select_related("registry"):
        if _under_way(sweep.registry) is None:
            _queue(sweep, None, finish=True)


def _under_way(registry: Registry) -> tuple[Sweep, Job] | None:
    job = Job.objects.unfinished().filter(kind=KIND, subject=registry.job_subject).first()
    sweep = Sweep.objects.filter(pk=job.params.get("sweep")).first() if job else None
    return (sweep, job) if sweep and job else None


def _queue(sweep: Sweep, person: User | None, *, here: bool = False, **switches: bool) -> Job:
    title = (_PLAN_TITLE if switches.get("only_plan") else _TITLE) % {"name": sweep.registry.name}
    params = {"registry": sweep.registry_id, "sweep": sweep.pk, **{name: True for name, on in switches.items() if on}}
    with transaction.atomic():
        job, is_new = jobs.queue(KIND, sweep.registry.job_subject, title, params=params, requested_by=person, here=here)
        if is_new:
            Sweep.objects.filter(pk=sweep.pk).update(job=job)
    return job
