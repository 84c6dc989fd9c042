"""Starts children in order, watches them, and ends them in reverse.

Each child is in a session of its own, so that Ctrl-C reaches only us; each is on a leash, so that none
outlives us; and when one dies, what is left of its session is killed before it is started again.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, Self

from jobs import leash
from registry_ui.start.errors import GaveUp, StartError, StepFailed, Stopped
from registry_ui.start.journal import Console, Journal
from registry_ui.start.signals import Signals

_POLL: Final = 0.05  # seconds between two looks at whether something is ready
_LISTEN: Final = 0.5  # and at whether variables have changed


@dataclass(frozen=True, slots=True)
class Service:
    name: str
    argv: Sequence[str]
    environment: Mapping[str, str]
    ready: Callable[[], bool] = lambda: True
    grace: float = 5.0  # seconds between SIGTERM and SIGKILL
    stage: int = 0  # the children of one stage end together, stages in reverse
    noise: str = ""  # a line with this in it is nobody's to read
    variables: Callable[[], Mapping[str, str]] | None = None  # more of them: when they change it is started anew


@dataclass(frozen=True, slots=True)
class Outcome:
    output: str
    remarks: list[str]  # the last lines on its standard error


@dataclass(frozen=True, slots=True)
class Patience:
    """How often a child may die, and how long a start may take; in seconds."""

    delays: tuple[float, ...] = (1.0, 2.0, 4.0)  # before the first, second, third restart; then all end
    forgotten: float = 60.0  # a child that ran this long begins anew
    ready: float = 30.0  # for one child to become ready


class Child:
    """A service and the process that runs it now."""

    def __init__(self, service: Service, journal: Journal) -> None:
        self.service, self.journal = service, journal
        self.deaths = 0
        self.due: float | None = None  # when to start it again
        self._born = 0.0
        self._variables: Mapping[str, str] = {}  # with which it was started
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: threading.Thread | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def start(self) -> None:
        self.due, self._born = None, time.monotonic()
        self._variables = self._wanted()
        environment = {**self.service.environment, **self._variables}
        self._process = spawn(self.service.argv, environment, subprocess.STDOUT)
        self._reader = self.journal.follow(_output(self._process))

    def ended(self) -> int | None:
        """The exit code of a process that has just died, told once; nothing of its session is left then."""
        if self._process is None or (code := self._process.poll()) is None:
            return None
        self.clear()
        return code

    def age(self) -> float:
        return time.monotonic() - self._born

    def runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def is_outdated(self) -> bool:
        """Whether it was started with variables that are others now."""
        return self.runs() and self._wanted() != self._variables

    def _wanted(self) -> Mapping[str, str]:
        return self.service.variables() if self.service.variables else {}

    def terminate(self) -> None:
        if self._process:
            self._process.terminate()

    def clear(self) -> None:
        """Kill what is left of it, and of what it started."""
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        if self._reader:
            self._reader.join(1)
        self._process = None


class Supervisor:
    """`with Supervisor(…) as supervisor:` and whatever happens inside, no child is left after it."""

    def __init__(self, console: Console, logs: Path, patience: Patience | None = None) -> None:
        self._console, self._logs = console, logs
        self._patience = patience or Patience()
        self._signals = Signals()
        self._children: list[Child] = []

    def __enter__(self) -> Self:
        self._logs.mkdir(parents=True, exist_ok=True)
        self._signals.catch()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop_all()
        self._signals.release()

    def start(self, service: Service) -> Child:
        """Start `service` and wait until it is ready."""
        child = Child(service, Journal(service.name, self._logs, self._console, noise=service.noise))
        self._children.append(child)
        child.start()
        self.wait_for(service.ready, f"{service.name} is not ready", tail=child.journal)
        return child

    def wait_for(self, ready: Callable[[], bool], problem: str, *, tail: Journal | None = None) -> None:
        """Wait until `ready()`, restarting what dies meanwhile."""
        deadline = time.monotonic() + self._patience.ready
        while not ready():
            if time.monotonic() > deadline:
                said = "".join(f"\n  {line}" for line in tail.tail) if tail else ""
                raise StartError(f"{problem} after {self._patience.ready:.0f} seconds; see {self._logs}.{said}")
            self._look_after()
            self._signals.pause(_POLL)

    def run(
        self, name: str, argv: Sequence[str], environment: Mapping[str, str], folder: Path | None = None
    ) -> Outcome:
        """Run a command that has to succeed before we go on."""
        journal = Journal(name, self._logs, self._console, level="warning")  # it is a standard error that we read
        process = spawn(argv, environment, subprocess.PIPE, folder)
        answer: list[bytes] = []
        reader = threading.Thread(target=lambda: answer.append(_output(process).read()), daemon=True)
        reader.start()
        complaints = journal.follow(_output(process, errors=True))
        try:
            while process.poll() is None:
                self._look_after()
                self._signals.pause(_POLL)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            reader.join(1)
            complaints.join(1)
        if process.returncode:
            raise StepFailed(name, _last_words(journal.tail))
        return Outcome(b"".join(answer).decode(errors="replace"), journal.tail)

    def watch(self) -> None:
        """Restart what dies, until we are asked to stop (`Stopped`) or a child dies too often (`GaveUp`)."""
        while True:
            self._look_after()
            due = [child.due - time.monotonic() for child in self._children if child.due is not None]
            listens = any(child.service.variables for child in self._children)
            self._signals.pause(max(min(due, default=_LISTEN if listens else 60.0), 0.01))

    def _look_after(self) -> None:
        if self._signals.asked:
            raise Stopped
        for child in self._children:
            if (code := child.ended()) is not None:
                self._plan_restart(child, code)
            elif child.due is not None and time.monotonic() >= child.due:
                child.start()
            elif child.is_outdated():
                self._start_anew(child)

    def _start_anew(self, child: Child) -> None:
        """As it is wanted now; it dies of nothing, so nothing is counted."""
        self._console.say(f"{child.service.name} is started anew, as was asked for")
        child.terminate()
        self._wait_for_end([child], 1)
        child.clear()
        child.start()

    def _plan_restart(self, child: Child, code: int) -> None:
        if child.age() >= self._patience.forgotten:
            child.deaths = 0
        child.deaths += 1
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
        if child.deaths > len(self._patience.delays):
            said = "".join(f"\n  {line}" for line in child.journal.tail)
            raise GaveUp(
                f"{child.service.name} {how}: it died {child.deaths} times, each time within"
                f" {self._patience.forgotten:.0f} seconds. Its log is {child.journal.path};"
                f" the last lines of its last run:{said or ' none'}"
            )
        delay = self._patience.delays[child.deaths - 1]
        last = f": {child.journal.tail[-1]}" if code > 0 and child.journal.tail else ""
        self._console.warn(f"{child.service.name} {how}; starting it again in {delay:g} s{last}")
        child.due = time.monotonic() + delay

    def _stop_all(self) -> None:
        """Last started, first ended; asked once more, they are killed."""
        asked = self._signals.asked
        for stage in sorted({child.service.stage for child in self._children}, reverse=True):
            children = [child for child in self._children if child.service.stage == stage]
            for child in children:
                child.terminate()
            self._wait_for_end(children, asked + 1)
            for child in children:
                child.clear()

    def _wait_for_end(self, children: Sequence[Child], asked: int) -> None:
        """As long as they may take, or until we were asked to stop so often."""
        deadline = time.monotonic() + max(child.service.grace for child in children)
        while any(child.runs() for child in children) and time.monotonic() < deadline:
            if self._signals.asked >= asked:
                break
            self._signals.pause(_POLL)


def spawn(
    argv: Sequence[str], environment: Mapping[str, str], stderr: int, folder: Path | None = None
) -> subprocess.Popen[bytes]:
    """`argv` on a leash, in a session of its own, reading nothing."""
    leashed = [sys.executable, "-I", "-S", leash.__file__, str(os.getpid()), *argv]
    return subprocess.Popen(  # noqa: S603 - no shell, and the words are ours
        leashed,
        env=dict(environment),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=stderr,
        start_new_session=True,
    )


def _output(process: subprocess.Popen[bytes], *, errors: bool = False) -> IO[bytes]:
    stream = process.stderr if errors else process.stdout
    if stream is None:
        raise AssertionError("spawn() pipes it")
    return stream


def _last_words(tail: Sequence[str]) -> str:
    """The last line of a traceback or complaint, without the name of an exception's class."""
    line = tail[-1] if tail else ""
    kind, colon, sentence = line.partition(": ")
    return sentence if colon and " " not in kind and kind.endswith(("Error", "Configured", "Exception")) else line
