"""One command as a row: it stands there before it begins, and how it ended is written before anything follows."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Final

from django.db import InterfaceError, OperationalError
from django.utils import timezone
from django.utils.translation import gettext_noop

from cleanup.classic import commanding
from cleanup.classic.commanding import Ended
from cleanup.classic.ways import Command, Way
from cleanup.models import ClassicRun, ClassicStep
from jobs.running import Lease, Stopped
from oci.errors import printable

_ENDED: Final = gettext_noop("The command of %(step)s ended with code %(code)s")
_SAID: Final = gettext_noop("The command of %(step)s ended with code %(code)s, and said last: %(last)s")
_TOO_LONG: Final = gettext_noop("The command of %(step)s was not over after %(seconds)s seconds, and was ended")
SENTENCES: Final = (_ENDED, _SAID, _TOO_LONG)

_State = ClassicStep.State
_LAST: Final = 160  # characters

log = logging.getLogger(__name__)


class StepFailed(Exception):  # noqa: N818  read by people
    """`sentence` says how, without a full stop."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class Steps:
    """Carries out the commands of one run. While `goes_on`, nobody's wish to stop is heard: the registry is closed."""

    def __init__(self, run: ClassicRun, way: Way, lease: Lease) -> None:
        self.run, self.way, self.lease = run, way, lease
        self.goes_on = False

    def cut_off(self) -> None:
        """Whoever carried these out has died, or lost its lease."""
        with self.lease.writing():
            begun = ClassicStep.objects.filter(run=self.run, state=_State.BEGUN)
            begun.update(state=_State.CUT_OFF, ended_at=timezone.now())

    def carry_out(
        self, kind: ClassicStep.Kind, command: Command, take: Callable[[bytes], None] = lambda _line: None
    ) -> ClassicStep:
        """The step as it ended well. Raises StepFailed, Stopped, LeaseLost."""
        with self.lease.writing():
            step = ClassicStep.objects.create(run=self.run, kind=kind, argv=list(command.argv), began_at=timezone.now())
        try:
            ended = commanding.run(command, self.way.environment, take, lambda: self.look(kind))
        except Stopped:
            self._end(step, _State.CUT_OFF)
            raise
        if ended.is_well:
            self._end(step, _State.DONE, ended)
            return step
        self._end(step, _State.TOO_LONG if ended.exit_code is None else _State.FAILED, ended)
        raise StepFailed(_sentence(kind, command, ended))

    def look(self, phase: str) -> None:
        """Whether it may go on. A database that is away for a moment ends no command. Raises Stopped, LeaseLost."""
        try:
            self.lease.tell(phase=phase)
        except Stopped:
            if not self.goes_on:
                raise
        except (OperationalError, InterfaceError) as error:
            log.warning("run %s: its progress could not be written: %s", self.run.pk, error)

    def note(self, **values: Any) -> None:
        """Write these into the row of the run."""
        with self.lease.writing():
            ClassicRun.objects.filter(pk=self.run.pk).update(**values)
        for name, value in values.items():
            setattr(self.run, name, value)

    def _end(self, step: ClassicStep, state: ClassicStep.State, ended: Ended | None = None) -> None:
        step.state, step.ended_at = state, timezone.now()
        if ended is not None:
            step.exit_code, step.output = ended.exit_code, ended.output
        with self.lease.writing():
            step.save(update_fields=["state", "ended_at", "exit_code", "output"])


def _sentence(kind: ClassicStep.Kind, command: Command, ended: Ended) -> str:
    if ended.exit_code is None:
        return _TOO_LONG % {"step": kind.value, "seconds": f"{command.seconds:g}"}
    lines = [line for line in ended.output.splitlines() if line.strip()]
    places = {"step": kind.value, "code": str(ended.exit_code)}
    return _SAID % {**places, "last": printable(lines[-1], _LAST)} if lines else _ENDED % places
