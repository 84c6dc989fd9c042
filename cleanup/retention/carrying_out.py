"""Carrying out what a run has planned: what was doomed then and is doomed now, with the same digest, and nothing else.

Tags go by plans of tagging, one after the other, which look at the registry once more, know aliases and fill the trash.
That a plan holds a tag is committed before it is carried out; whoever goes on follows that plan to its end first.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from django.utils import timezone
from django.utils.translation import gettext_noop

from catalog.models import Repository
from catalog.recording.chunks import by_number
from cleanup.models import RetentionRun, RunRepository, RunTag
from cleanup.retention.in_words import in_words
from cleanup.retention.planning import judged
from cleanup.retention.reading import Book
from cleanup.retention.times import Times
from jobs import services as jobs
from jobs.models import Job
from jobs.running import LEASE, JobFailed, Lease, Stopped, run_here
from oci.errors import printable
from tagging import services as tagging
from tagging.models import Plan, PlanItem
from tagging.planning import NotPlanned, plan_tags_by_rule

_TOGETHER: Final = 500  # tags of one plan
_FRESH: Final = timedelta(minutes=5)
_FAULTS: Final = 3  # plans in a row that break off: then it is the registry's, and no repository's
_LOOK: Final = 0.5  # seconds between two looks at what somebody else carries out
_NOTE_LENGTH: Final = 500
_WHY: Final = gettext_noop("retention, by the policy %(name)s")
_KEPT_NOW: Final = gettext_noop("it would be kept now: %(why)s")
_MOVED: Final = gettext_noop("it points to another image than when this was planned")
_GONE: Final = gettext_noop("it is gone already")
_UNDECIDED: Final = gettext_noop("no policy decides on the repository any more")
_OPEN: Final = gettext_noop("plan %(n)s has not come to it: %(why)s")
_FINISHES: Final = gettext_noop("plan %(n)s has begun it, and finishes it as soon as the registry answers")
SENTENCES: Final = (_WHY, _KEPT_NOW, _MOVED, _GONE, _UNDECIDED, _OPEN, _FINISHES)

_STATES: Final[Mapping[str, RunTag.State]] = {
    PlanItem.State.DONE: RunTag.State.DONE,
    PlanItem.State.SKIPPED: RunTag.State.SKIPPED,
    PlanItem.State.FAILED: RunTag.State.FAILED,
}


class CarryingOut:
    """`is_timed`: each policy is heeded only in its hours; `with_yes`: also where so much goes that it takes a yes."""

    def __init__(self, run: RetentionRun, lease: Lease, *, is_timed: bool, with_yes: bool) -> None:
        self._run, self._lease, self._is_timed, self._with_yes = run, lease, is_timed, with_yes
        self._faults = 0
        self._times: Times | None = None
        self.opens_at: datetime | None = None  # when hours begin that were waited for

    def carry_out(self) -> None:
        """Raises InvalidTerms, JobFailed and Stopped."""
        places = RunRepository.objects.filter(run=self._run).open().in_order()
        if not self._with_yes:
            places = places.filter(needs_yes=False)
        keys = list(places.values_list("pk", flat=True))
        for done, key in enumerate(keys):
            self._lease.tell(phase="deleting", repositories=[done, len(keys)])
            self._carry(RunRepository.objects.select_related("repository__registry").get(pk=key))

    def _carry(self, place: RunRepository) -> None:
        self._finish(place)
        tags = RunTag.objects.filter(place=place)
        # What is attached comes last, or an image that stays after all might have lost its signature.
        while some := list(tags.filter(state=RunTag.State.PLANNED).order_by("-rule", "tag")[:_TOGETHER]):
            book = self._book()
            if self._has_to_wait(book, place):
                return
            self._delete(book, place, some)
        failed = tags.filter(state=RunTag.State.FAILED).first()
        with self._lease.writing():
            RunRepository.objects.filter(pk=place.pk).update(
                state=RunRepository.State.FAILED if failed else RunRepository.State.DONE,
                note=failed.note if failed else "",
            )

    def _book(self) -> Book:
        """As all is now, but for the times of scans, which may be some minutes old."""
        registry, now = self._run.registry, timezone.now()
        if self._times is None or abs(now - self._times.read_at) > _FRESH:
            self._times = Times(registry, now)
        return Book(registry, now, self._run.policies, self._times)

    def _has_to_wait(self, book: Book, place: RunRepository) -> bool:
        decides, now = book.decides(place.name), timezone.now()
        if not self._is_timed or decides is None or decides.terms.schedule.is_open(now):
            return False
        opens_at = decides.terms.schedule.opens_after(now)
        self.opens_at = min(self.opens_at or opens_at, opens_at)
        return True

    def _finish(self, place: RunRepository) -> None:
        """What somebody handed to tagging, and then died."""
        begun = RunTag.objects.filter(place=place, state=RunTag.State.BEGUN)
        for plan in Plan.objects.filter(pk__in=begun.values("plan")).order_by("pk"):
            # One that nobody has set going yet was judged some time ago: it is made anew.
            if not (plan.job_id is None and tagging.give_up(plan.pk)):
                self._follow(plan)
        with self._lease.writing():
            begun.update(state=RunTag.State.PLANNED, plan=None)

    def _delete(self, book: Book, place: RunRepository, tags: Sequence[RunTag]) -> None:
        repository = Repository.objects.select_related("registry").get(pk=place.repository_id)
        why_not = _why_not(book, repository, tags)
        pointed = {tag.tag: tag.digest for tag in tags if tag.tag not in why_not}
        plan: Plan | None = None
        try:
            decides = book.decides(repository.name)
            name = decides.policy.name if decides else place.policy
            plan = plan_tags_by_rule(repository, pointed, name, _WHY % {"name": name}) if pointed else None
        except NotPlanned:
            plan = None
        held = set(plan.items.values_list("tag", flat=True)) if plan else set()
        with self._lease.writing():
            for tag in tags:
                if tag.tag in held:
                    tag.state, tag.plan = RunTag.State.BEGUN, plan
                else:
                    tag.state, tag.note = RunTag.State.SKIPPED, printable(why_not.get(tag.tag, _MOVED), _NOTE_LENGTH)
            RunTag.objects.bulk_update(tags, ["state", "plan", "note"], batch_size=100)
        if plan is not None:
            self._follow(plan)

    def _follow(self, plan: Plan) -> None:
        """Carry it out here, or wait for whoever does; then say of each of its tags what became of it."""
        job = Job.objects.filter(pk=plan.job_id).first() if plan.job_id else None
        if job is None:
            self._lease.tell(now=True, phase="deleting")  # a job that is queued goes, whoever asks this one to stop
            job = tagging.carry_out_by_rule(plan, here=True)
        while job.is_moving:
            if job.state == Job.State.QUEUED:
                run_here(job.pk)
            elif Job.objects.filter(pk=job.pk).abandoned(timezone.now(), LEASE).exists():
                jobs.sweep()
            else:
                time.sleep(_LOOK)
            job.refresh_from_db()
            if job.is_moving:  # somebody else has it, or it was given back
                self._look_up(job)
        plan.refresh_from_db()
        self._settle(plan)
        self._faults = self._faults + 1 if plan.state == Plan.State.BROKEN_OFF else 0
        if self._faults >= _FAULTS:
            raise JobFailed(plan.message)

    def _look_up(self, job: Job) -> None:
        """Whoever asks the run to stop means its plan too."""
        try:
            self._lease.tell(now=True, phase="deleting")
        except Stopped:
            jobs.stop(job)
            raise

    def _settle(self, plan: Plan) -> None:
        ends: dict[tuple[RunTag.State, str], list[str]] = {}
        for tag, state, note in plan.items.values_list("tag", "state", "note"):
            ends.setdefault(_end(plan, state, note), []).append(tag)
        mine = RunTag.objects.filter(run=self._run, plan=plan)
        for (state, note), names in ends.items():
            for some in by_number(names, _TOGETHER):
                with self._lease.writing():
                    mine.filter(tag__in=some).update(state=state, note=printable(note, _NOTE_LENGTH))


def _end(plan: Plan, state: str, note: str) -> tuple[RunTag.State, str]:
    if state in _STATES:
        return _STATES[state], note
    if state == PlanItem.State.BEGUN:
        return RunTag.State.FAILED, _FINISHES % {"n": plan.pk}
    return RunTag.State.FAILED, _OPEN % {"n": plan.pk, "why": plan.message}


def _why_not(book: Book, repository: Repository, tags: Sequence[RunTag]) -> dict[str, str]:
    """Those of the tags that are not to go after all, each with a sentence that says why."""
    result = judged(book, repository)
    if result is None or result.why_not:
        return dict.fromkeys((tag.tag for tag in tags), _UNDECIDED if result is None else result.why_not)
    verdicts = {verdict.tag: verdict for verdict in result.verdicts}
    why_not: dict[str, str] = {}
    for tag in tags:
        verdict = verdicts.get(tag.tag)
        if verdict is None:
            why_not[tag.tag] = _GONE
        elif not verdict.is_doomed:
            why_not[tag.tag] = _KEPT_NOW % {"why": in_words(verdict.reason, result.decides.terms.rules)}
        elif verdict.digest != tag.digest:
            why_not[tag.tag] = _MOVED
    return why_not
