"""Making a registry read-only, and opening it again: Berth's own work first, and believed only when it is seen."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Final

from django.utils import timezone
from django.utils.translation import gettext_noop

from cleanup.classic.standing import Mode, Standing, standing, wait_until
from cleanup.classic.steps import StepFailed, Steps
from cleanup.classic.ways import Way, shown
from cleanup.models import ClassicRun, ClassicStep
from jobs import closure
from jobs.running import Lease
from registries.models import Registry

_BUSY: Final = gettext_noop("“%(job)s” still writes to it: try again when that is over")
_NOT_OPEN: Final = gettext_noop("It takes no uploads as it is, before anything was done: %(why)s")
_ALREADY: Final = gettext_noop("It is read-only already, which nobody but who made it so may end")
_STILL_TAKES: Final = gettext_noop("It was to be read-only, and still takes uploads")
_AWAY: Final = gettext_noop("It does not answer as it should after its restart: %(why)s")
_STILL_REFUSES: Final = gettext_noop("It was opened again, and still refuses uploads")
SENTENCES: Final = (_BUSY, _NOT_OPEN, _ALREADY, _STILL_TAKES, _AWAY, _STILL_REFUSES)

_PATIENCE: Final = 3600.0  # seconds that Berth's own jobs have to come to their end
_MOMENT: Final = 5.0  # and those that were claimed while it was closed to them
_PAUSE: Final = 0.25

_Kind = ClassicStep.Kind


def check_open(steps: Steps) -> None:
    """Whether it takes uploads now: else nobody could tell later that it does not. Raises StepFailed."""
    found = standing(steps.run.registry, steps.lease.caller)
    if found.mode is Mode.READ_ONLY:
        raise StepFailed(_ALREADY)
    if found.mode is not Mode.OPEN:
        raise StepFailed(_NOT_OPEN % {"why": found.why})


def keep_out(steps: Steps) -> None:
    """No job of Berth writes to it any more. Raises StepFailed, Stopped, LeaseLost."""
    registry, deadline = steps.run.registry, time.monotonic() + _PATIENCE
    while True:
        _wait_for_writers(steps, registry, deadline)
        now = timezone.now()
        with steps.lease.writing():
            closure.close(registry, now, steps.run.actor)
            ClassicRun.objects.filter(pk=steps.run.pk).update(closed_at=now, opened_at=None)
        steps.run.closed_at, steps.run.opened_at = now, None
        if _is_quiet(registry, time.monotonic() + _MOMENT):
            return
        let_in(steps.run, steps.lease, now)  # a long one began in that moment


def make_read_only(steps: Steps) -> None:
    """Raises StepFailed, Stopped, LeaseLost."""
    for command in steps.way.read_only_on:
        steps.carry_out(_Kind.READ_ONLY_ON, command)
    for command in steps.way.restart:
        steps.carry_out(_Kind.RESTART, command)
    found = _wait(steps, Mode.READ_ONLY)
    if found.mode is Mode.OPEN:
        raise StepFailed(_STILL_TAKES)
    if found.mode is not Mode.READ_ONLY:
        raise StepFailed(_AWAY % {"why": found.why})


def open_up(steps: Steps) -> None:
    """Read-only off, a restart, and an upload that it takes: whatever fails, all is tried. Raises StepFailed."""
    failure: StepFailed | None = None
    commands = [(_Kind.READ_ONLY_OFF, command) for command in steps.way.read_only_off]
    commands += [(_Kind.RESTART, command) for command in steps.way.restart]
    for kind, command in commands:
        try:
            steps.carry_out(kind, command)
        except StepFailed as error:
            failure = failure or error
    found = _wait(steps, Mode.OPEN)
    if found.mode is not Mode.OPEN:
        raise failure or StepFailed(_STILL_REFUSES if found.mode is Mode.READ_ONLY else _AWAY % {"why": found.why})
    let_in(steps.run, steps.lease, timezone.now())


def let_in(run: ClassicRun, lease: Lease, now: datetime) -> None:
    """It takes uploads, so Berth's own jobs may go on."""
    with lease.writing():
        closure.open_again(run.registry)
        ClassicRun.objects.filter(pk=run.pk).update(opened_at=now, by_hand=[])
    run.opened_at, run.by_hand = now, []


def by_hand(way: Way) -> list[list[str]]:
    """What a person has to run where Berth could not."""
    return shown([*way.read_only_off, *way.restart])


def _wait(steps: Steps, wanted: Mode) -> Standing:
    run, lease = steps.run, steps.lease
    return wait_until(wanted, run.registry, lease.caller, steps.way.answers, lambda: steps.look("waiting"))


def _wait_for_writers(steps: Steps, registry: Registry, deadline: float) -> None:
    while job := closure.writers(registry).first():
        if time.monotonic() > deadline:
            raise StepFailed(_BUSY % {"job": job.title})
        steps.look("waiting")
        time.sleep(_PAUSE)


def _is_quiet(registry: Registry, deadline: float) -> bool:
    while closure.writers(registry).exists():
        if time.monotonic() > deadline:
            return False
        time.sleep(_PAUSE)
    return True
