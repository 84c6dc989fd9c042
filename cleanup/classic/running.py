"""The job that sweeps a registry by commands: whatever fails or dies, it ends with a registry that takes pushes again.

A run whose registry is closed is never simply over: the next attempt finds it so, and goes on where it was.
"""

from __future__ import annotations

import logging
import shlex
from typing import Final

from django.db import InterfaceError, OperationalError
from django.utils import timezone
from django.utils.translation import gettext_noop

from audit.models import Entry
from audit.services import record
from cleanup.classic import closing, collecting
from cleanup.classic.remembering import remembered
from cleanup.classic.steps import StepFailed, Steps
from cleanup.classic.ways import NoWay, way_of
from cleanup.halting import halt, halted
from cleanup.models import ClassicRun, ClassicStep
from jobs.running import Asking, JobFailed, Lease, LeaseLost, Stopped, reason_of

KIND: Final = "garbage-collect"
_GONE: Final = gettext_noop("The run is gone, with its registry: nothing was changed.")
_OVER: Final = gettext_noop("It was carried out already: nothing was changed.")
_RETIRED: Final = gettext_noop("The registry was removed from Berth: nothing was changed.")
_HALTED: Final = gettext_noop("Sweeps of this registry are stopped until a person has looked: %(why)s")
_PLANNED: Final = gettext_noop("%(doomed)s of %(all)s blobs would be removed.")
_NOTHING: Final = gettext_noop("All %(all)s blobs are in use: there is nothing to remove.")
_NOT_DONE: Final = gettext_noop("%(why)s. Nothing was removed, and the registry takes pushes.")
_PARTLY: Final = gettext_noop(
    "%(why)s. What is not used may be removed in part, what is used is all there, and the registry takes pushes again."
)
_DONE: Final = gettext_noop("%(doomed)s of %(all)s blobs were removed, and the registry takes pushes again.")
_STOPPED: Final = gettext_noop("Stopped. The registry takes pushes; what was removed until then was not used.")
_OPENED: Final = gettext_noop("The registry takes pushes again; its garbage collection did not come to its end.")
_STUCK: Final = gettext_noop(
    "The registry may still be read-only: %(why)s. Berth tries again by itself; to end it at once, run by hand the"
    " commands that take read-only off and restart it: %(commands)s"
)
_REMEMBERS: Final = gettext_noop(
    "%(why)s But it still says that it has %(digest)s which is gone: its cache outlives a restart, and images that"
    " are pushed now may lack layers. Empty that cache, and let the commands do it from now on"
    " (docs/cleanup-classic.md)."
)
SENTENCES: Final = (
    _REMEMBERS,
    *(_GONE, _OVER, _RETIRED, _HALTED, _PLANNED, _NOTHING, _NOT_DONE, _PARTLY, _DONE, _STOPPED, _OPENED, _STUCK),
)
_State = ClassicRun.State

log = logging.getLogger(__name__)


def run(lease: Lease) -> str:
    """What the run that the lease's job is about came to, for people. Raises JobFailed, Stopped, Asking."""
    row = ClassicRun.objects.select_related("registry").filter(pk=lease.params.get("run", 0)).first()
    if row is None:
        return _GONE
    if row.state == _State.DONE and not row.is_closed:
        return _OVER
    try:
        way = way_of(row.registry)
    except NoWay as reason:
        if row.is_closed:
            raise _stuck(lease, row, reason.sentence) from reason
        raise _broken_off(lease, row, reason.sentence) from reason
    return _Running(row, Steps(row, way, lease)).run()


class _Running:
    def __init__(self, run: ClassicRun, steps: Steps) -> None:
        self._run, self._steps, self._lease = run, steps, steps.lease

    def run(self) -> str:
        self._steps.cut_off()
        if self._run.is_closed:
            return self._go_on()
        if self._lease.params.get("only_open"):
            return _OPENED
        if self._run.registry.retired_at is not None:
            raise _broken_off(self._lease, self._run, _RETIRED)
        if stop := halted(self._run.registry):
            raise _broken_off(self._lease, self._run, _HALTED % {"why": stop.why})
        try:
            if sentence := self._plan():
                return sentence
            self._steps.note(state=_State.UNDER_WAY, collected_at=None)
            closing.keep_out(self._steps)
        except StepFailed as failure:
            raise _broken_off(self._lease, self._run, _NOT_DONE % {"why": failure.sentence}) from failure
        except Stopped:
            self._end(_State.BROKEN_OFF, _STOPPED)
            raise
        except (Asking, LeaseLost, OperationalError, InterfaceError):
            raise  # it is written already, or somebody goes on with it
        except Exception as error:
            self._end(_State.BROKEN_OFF, reason_of(error))
            raise
        return self._sweep()

    def _plan(self) -> str:
        """How it ended where there is nothing more to do; else "". Raises StepFailed, Stopped, Asking."""
        self._steps.note(state=_State.NEW, began_at=self._run.began_at or timezone.now(), ended_at=None, message="")
        closing.check_open(self._steps)
        dooming = collecting.dry_run(self._steps, ClassicStep.Kind.DRY_RUN)
        if not dooming.doomed and not dooming.manifests:
            return self._end(_State.DONE, _NOTHING % self._counts())
        if self._run.only_plan:
            return self._end(_State.PLANNED, _PLANNED % self._counts())
        try:
            collecting.judge(self._steps, dooming, may_ask=True)
        except Asking as asking:
            self._end(_State.PLANNED, str(asking.question["text"]))
            raise
        return ""

    def _go_on(self) -> str:
        """Somebody died while it was closed, or could not open it."""
        if self._lease.params.get("only_open") or self._run.collected_at or self._run.state == _State.STUCK:
            self._open()
            return self._end_opened()
        begun = self._run.steps.filter(kind=ClassicStep.Kind.READ_ONLY_ON, began_at__gte=self._run.closed_at)
        if not begun.exists():
            closing.let_in(self._run, self._lease, timezone.now())  # they died before anything was done there
            return self.run()
        return self._sweep()

    def _sweep(self) -> str:
        """With the registry closed to Berth's own jobs: whatever happens, it is opened again."""
        failure: Exception | None = None
        try:
            closing.make_read_only(self._steps)
            dooming = collecting.dry_run(self._steps, ClassicStep.Kind.COMPARE)
            collecting.judge(self._steps, dooming, may_ask=False)
            collecting.collect(self._steps)
            self._steps.note(collected_at=timezone.now())
        except (LeaseLost, OperationalError, InterfaceError):
            raise  # somebody goes on with it
        except Exception as error:
            if not isinstance(error, StepFailed | Stopped):
                log.exception("run %s failed while its registry was closed", self._run.pk)
            failure = error
        self._open()
        if failure is None:
            return self._end_opened()
        return self._end_failed(failure)

    def _open(self) -> None:
        """Raises JobFailed when a person has to look; nobody's wish to stop is heard meanwhile."""
        self._steps.goes_on = True
        try:
            closing.open_up(self._steps)
        except StepFailed as failure:
            raise _stuck(self._lease, self._run, failure.sentence, closing.by_hand(self._steps.way)) from failure

    def _end_opened(self) -> str:
        if not self._run.collected_at:
            return self._end(_State.BROKEN_OFF, _OPENED)
        sentence = _DONE % self._counts()
        if digest := remembered(self._run, self._lease.caller):
            raise self._remembers(sentence, digest)
        with self._lease.writing():
            _note(self._run, Entry.Outcome.DONE, sentence, self._run.doomed or 0)
        return self._end(_State.DONE, sentence)

    def _remembers(self, done: str, digest: str) -> JobFailed:
        """All was done, and pushes are not safe: that is nothing to be silent about."""
        sentence = _REMEMBERS % {"why": done, "digest": digest}
        with self._lease.writing():
            halt(self._run.registry, sentence)
            _note(self._run, Entry.Outcome.FAILED, sentence, self._run.doomed or 0)
        return _broken_off(self._lease, self._run, sentence)

    def _end_failed(self, failure: Exception) -> str:
        if isinstance(failure, Stopped):
            self._end(_State.BROKEN_OFF, _STOPPED)
            raise failure
        has_begun = self._run.steps.filter(kind=ClassicStep.Kind.COLLECT).exists()
        why = failure.sentence if isinstance(failure, StepFailed) else reason_of(failure).rstrip(".")
        sentence = (_PARTLY if has_begun else _NOT_DONE) % {"why": why}
        with self._lease.writing():
            _note(self._run, Entry.Outcome.FAILED, sentence)
        raise _broken_off(self._lease, self._run, sentence) from failure

    def _end(self, state: ClassicRun.State, sentence: str) -> str:
        return _end(self._lease, self._run, state, sentence)

    def _counts(self) -> dict[str, str]:
        return {"doomed": f"{self._run.doomed or 0:,}", "all": f"{self._run.blobs:,}"}


def _end(lease: Lease, run: ClassicRun, state: ClassicRun.State, sentence: str) -> str:
    with lease.writing():
        ended = {"state": state, "message": sentence, "ended_at": timezone.now()}
        ClassicRun.objects.filter(pk=run.pk).update(**ended)
    return sentence


def _broken_off(lease: Lease, run: ClassicRun, sentence: str) -> JobFailed:
    _end(lease, run, _State.BROKEN_OFF, sentence)
    return JobFailed(sentence)


def _stuck(lease: Lease, run: ClassicRun, why: str, commands: list[list[str]] | None = None) -> JobFailed:
    """Say loudly that the registry may be read-only, and stop its sweeps until a person has looked."""
    by_hand = commands or run.by_hand
    lines = "; ".join(map(shlex.join, by_hand)) or "—"
    sentence = _STUCK % {"why": why.rstrip("."), "commands": lines}
    log.error("%s (%s): %s", run.registry.name, run, sentence)
    with lease.writing():
        halt(run.registry, sentence)
        ClassicRun.objects.filter(pk=run.pk).update(by_hand=by_hand)
        _note(run, Entry.Outcome.FAILED, sentence)
    _end(lease, run, _State.STUCK, sentence)
    return JobFailed(sentence)


def _note(run: ClassicRun, outcome: Entry.Outcome, sentence: str, count: int = 1) -> None:
    """The entry in the audit; a run that is stuck has one of each outcome at most, not one an attempt."""
    record(
        [
            Entry(
                key=f"collect-garbage:{run.pk}:{outcome}",
                act=Entry.Act.COLLECT_GARBAGE,
                outcome=outcome,
                actor=run.actor,
                actor_id=run.requested_by_id,
                registry=run.registry.name,
                registry_id=run.registry_id,
                detail=sentence,
                count=max(1, min(count, 2**31 - 1)),
            )
        ]
    )
