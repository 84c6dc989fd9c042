"""The verbs: sweep a registry by commands, or only see what that would remove; stop it; open what was left closed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from cleanup.classic.running import KIND
from cleanup.classic.ways import way_of
from cleanup.models import ClassicRun
from jobs import services as jobs
from jobs.models import Job
from registries.models import Registry
from tagging.permission import check_may_act

if TYPE_CHECKING:
    from access.models import User

_TITLE: Final = gettext_noop("Garbage collection of %(name)s")
_PLAN_TITLE: Final = gettext_noop("Dry run of the garbage collection of %(name)s")
_OPEN_TITLE: Final = gettext_noop("Opening %(name)s, which a garbage collection left read-only")
SENTENCES: Final = (_TITLE, _PLAN_TITLE, _OPEN_TITLE)

_KEPT: Final = timedelta(days=180)  # runs
_LONGEST_PAUSE: Final = timedelta(hours=1)


def begin(
    registry: Registry, person: User | None = None, *, only_plan: bool = False, here: bool = False
) -> tuple[ClassicRun, Job]:
    """A run, or the one that is under way: two on one registry never are.

    `person`: None where a schedule wants it. `here`: whoever asks carries it out (`jobs.running.run_here`). Raises
    NotPermitted, and NoWay where nobody has set up commands for it.
    """
    if person is not None:
        check_may_act(person, registry)
    way_of(registry)
    with transaction.atomic():
        Registry.objects.select_for_update().get(pk=registry.pk)
        if found := _under_way(registry):
            return found
        run = ClassicRun.objects.create(
            registry=registry, only_plan=only_plan, requested_by=person, actor=str(person) if person else ""
        )
        return run, _queue(run, person, here=here)


def carry_on(run: ClassicRun, person: User | None = None, *, here: bool = False) -> Job:
    """Carry out what was only planned, or try again what broke off; what there is to remove is looked at anew.

    Raises NotPermitted, NoWay.
    """
    if person is not None:
        check_may_act(person, run.registry)
    way_of(run.registry)
    with transaction.atomic():
        ClassicRun.objects.filter(pk=run.pk).update(only_plan=False)
        run.only_plan = False
        return _queue(run, person, here=here)


def stop(run: ClassicRun, person: User) -> bool:
    """Ask it to stop: the registry is opened again first. False where it had ended. Raises NotPermitted."""
    check_may_act(person, run.registry)
    run.refresh_from_db(fields=["job"])
    return run.job is not None and jobs.stop(run.job)


def recover() -> None:
    """Open again what is closed and has nobody who works on it: its worker died for good, or could not.

    And end in their rows the runs whose job ended without a word of them.
    """
    for run in ClassicRun.objects.closed().unowned().select_related("registry", "job"):
        if _is_due(run):
            with transaction.atomic():
                _queue(run, None, only_open=True)
    under_way = ClassicRun.objects.filter(state__in=[ClassicRun.State.NEW, ClassicRun.State.UNDER_WAY])
    for run in under_way.unclosed().unowned().select_related("job"):
        ended = {"message": run.job.message if run.job else "", "ended_at": timezone.now()}
        under_way.filter(pk=run.pk, job=run.job).update(state=ClassicRun.State.BROKEN_OFF, **ended)


def prune(now: datetime) -> None:
    """Forget runs that are over, half a year later; never one whose registry may still be closed."""
    old = ClassicRun.objects.unclosed().unowned().filter(created_at__lt=now - _KEPT)
    for key in list(old.values_list("pk", flat=True)):
        old.filter(pk=key).delete()


def _under_way(registry: Registry) -> tuple[ClassicRun, Job] | None:
    runs = ClassicRun.objects.filter(registry=registry, job__state__in=Job.UNFINISHED)
    run = runs.select_related("job", "registry").newest_first().first()
    return (run, run.job) if run is not None and run.job is not None else None


def _queue(run: ClassicRun, person: User | None, *, here: bool = False, only_open: bool = False) -> Job:
    title = _OPEN_TITLE if only_open else _PLAN_TITLE if run.only_plan else _TITLE
    params = {"run": run.pk, **({"only_open": True} if only_open else {})}
    job, _ = jobs.queue(
        KIND,
        run.registry.job_subject,
        title % {"name": run.registry.name},
        params=params,
        requested_by=person,
        here=here,
    )
    ClassicRun.objects.filter(pk=job.params.get("run", run.pk)).update(job=job)
    return job


def _is_due(run: ClassicRun) -> bool:
    """The more often it failed, the later it is tried again: after two minutes, four, and so on to an hour."""
    if run.job is None or run.job.finished_at is None or run.state != ClassicRun.State.STUCK:
        return True
    failed = Job.objects.filter(kind=KIND, params__run=run.pk, state=Job.State.FAILED).count()
    return timezone.now() >= run.job.finished_at + min(_LONGEST_PAUSE, timedelta(minutes=2 ** min(failed, 6)))
