"""The verbs: run a rule, or only plan it; go on with a run; try again what failed; and what is due by itself."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from jobs import services as jobs
from jobs.models import Job
from jobs.schedule import InvalidSchedule
from sync.hearing import hear
from sync.models import Item, Rule, Run
from sync.running import KIND, end_abandoned
from sync.terms import InvalidTerms, Terms
from tagging.permission import check_may_act

if TYPE_CHECKING:
    from access.models import User

_TITLE: Final = gettext_noop("Copying by the rule %(name)s")
_PLAN_TITLE: Final = gettext_noop("Planning the rule %(name)s")
_STOPPED: Final = gettext_noop("Stopped while it waited. The rest can be gone on with.")
SENTENCES: Final = (_TITLE, _PLAN_TITLE, _STOPPED)

log = logging.getLogger(__name__)


def begin(
    rule: Rule, person: User | None = None, *, only_plan: bool = False, here: bool = False, is_deep: bool = False
) -> tuple[Run, Job]:
    """A run of the rule, or the one that is under way: two of one rule never are.

    `person`: None where its schedule wants it. `here`: whoever asks carries it out (`jobs.running.run_here`).
    `is_deep`: what is at the target already is read, each byte of it. Raises NotPermitted, and InvalidTerms, where
    nothing could be planned of the rule.
    """
    if person is not None:
        check_may_act(person, rule.target)
    Terms.read(rule.terms)
    with transaction.atomic():
        Rule.objects.select_for_update().get(pk=rule.pk)
        for run in Run.objects.under_way().filter(rule=rule).select_related("job").newest_first():
            if run.job is not None:
                return run, run.job
        run = Run.objects.create(
            rule=rule,
            name=rule.name,
            source=rule.source,
            target=rule.target,
            terms=rule.terms,
            is_deep=is_deep,
            requested_by=person,
            actor=str(person) if person else "",
        )
        return run, queue(run, person, only_plan=only_plan, here=here)


def carry_on(run: Run, person: User | None = None, *, here: bool = False) -> Job:
    """Carry out what was planned, or the rest of it. Raises NotPermitted."""
    if person is not None:
        check_may_act(person, run.target)
    with transaction.atomic():
        return queue(run, person, here=here)


def weigh(run: Run, person: User) -> Job:
    """Find out how many bytes a plan moves, also where that costs pulls of a quota. Raises NotPermitted."""
    check_may_act(person, run.target)
    with transaction.atomic():
        return queue(run, person, only_plan=True, weighs=True)


def try_again(run: Run, person: User) -> Job:
    """Only what failed, or was given up. Raises NotPermitted."""
    check_may_act(person, run.target)
    with transaction.atomic():
        failed = run.items.filter(state__in=[Item.State.FAILED, Item.State.PARKED])
        failed.update(state=Item.State.PLANNED, tries=0, ended_at=None)
        Run.objects.filter(pk=run.pk, state=Run.State.DONE).update(state=Run.State.PLANNED)
        return queue(run, person)


def stop(run: Run, person: User) -> bool:
    """Ask it to stop: what is under way ends between two pieces. False where it had ended. Raises NotPermitted."""
    check_may_act(person, run.target)
    ended = {"resumes_at": None, "ended_at": timezone.now(), "message": _STOPPED}
    for _ in range(2):  # while we looked it may have been queued to go on
        run.refresh_from_db(fields=["job"])
        is_stopped = run.job is not None and jobs.stop(run.job)
        # One that waits has no job that is unfinished, or one that has not begun: it is not to wait any more.
        waiting = Run.objects.filter(pk=run.pk, state=Run.State.WAITING, job=run.job)
        if waiting.update(state=Run.State.BROKEN_OFF, **ended) or is_stopped:
            return True
    return False


def queue_due(now: datetime) -> None:
    """Rules that are due, by the clock or by what was pushed, and runs that have waited long enough."""
    end_abandoned()
    for rule in Rule.objects.due(now).select_related("source", "target"):
        try:
            next_at = Terms.read(rule.terms).schedule.next_after(now)
        except (InvalidTerms, InvalidSchedule):
            log.exception("the rule %s is not understood, and is not due any more", rule.name)
            next_at = None
        with transaction.atomic():  # or whoever dies in between has let it pass
            is_due = Rule.objects.filter(pk=rule.pk, next_at=rule.next_at).update(next_at=next_at)
            if is_due and next_at is not None:
                begin(rule)
    for heard in hear():
        with transaction.atomic():
            # A run that is under way may have looked before that was pushed: it is heard when that is over.
            waits = heard.is_due and Run.objects.under_way().filter(rule=heard.rule).exists()
            if not waits and heard.note() and heard.is_due:
                begin(heard.rule)
    for run in Run.objects.filter(state=Run.State.WAITING, resumes_at__lte=now):
        with transaction.atomic():
            if Run.objects.select_for_update().filter(pk=run.pk, state=Run.State.WAITING).first():
                carry_on(run)


def queue(run: Run, person: User | None, *, only_plan: bool = False, here: bool = False, weighs: bool = False) -> Job:
    """The job that carries `run` out, or only plans it; in the caller's transaction. `here`: whatever the hour."""
    title = (_PLAN_TITLE if only_plan else _TITLE) % {"name": run.name}
    switches = {name: True for name, holds in (("only_plan", only_plan), ("now", here), ("weigh", weighs)) if holds}
    params = {"registry": run.target_id, **switches}  # whoever removes the registry waits for it
    job, _ = jobs.queue(KIND, run.job_subject, title, params=params, requested_by=person, here=here)
    Run.objects.filter(pk=run.pk).update(job=job)
    return job
