"""Forks of a process that has loaded Django and opened nothing, each killed a step later than the one before.

A module that a test starts by `told_by` loads what its forks need by `load`, prepares the databases in BERTH_DATA, and
gives its work to `killed_everywhere`. Each fork that looks at what there is prints a line of JSON, for the test.
"""

from __future__ import annotations

import gc
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import django

from tests.catalog.apart import ROOT
from tests.sampling import EVERY, FIRST

# They write nothing, and a death after one of them leaves what one at the write before it leaves, or behind it.
_WRITE_NOTHING: Final = ("SELECT", "PRAGMA", "EXPLAIN", "BEGIN", "RELEASE")
# What Django and Celery would else load in each fork: when they first ask, link to a page, and send a task.
_LATE: Final = (
    "django.db.models.sql.compiler",
    "audit.routing",
    "registry_ui.urls",
    "celery.contrib.django.task",
    "celery.backends.base",
    "celery.app.amqp",
    "celery.app.events",
    "celery.app.routes",
    "celery.events",
    "kombu.transport.memory",
)


def told_by(module: str, data: Path, *options: str, **variables: str) -> list[dict[str, Any]]:
    """What the forks of such a module print, over the databases in `data`."""
    environment = {**os.environ, "BERTH_DATA": str(data), "DJANGO_SETTINGS_MODULE": "registry_ui.settings", **variables}
    environment.pop("DATABASE_URL", None)
    environment["REDIS_URL"] = "memory://"  # else each would wait for a broker that is not there
    line = [sys.executable, "-m", module, *options]
    with subprocess.Popen(line, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = [json.loads(line) for line in process.stdout]
    assert process.returncode == 0
    return told


def load(*modules: str) -> Path:
    """Once, and not in each fork; where the databases are."""
    django.setup()
    for module in (*_LATE, *modules):
        import_module(module)
    gc.freeze()  # or each fork would copy what its first collection marks
    return Path(os.environ["BERTH_DATA"])


def forked(work: Callable[[], Any]) -> int:
    """The status of a child that does `work`; what it finds is printed."""
    return os.waitpid(_fork(work), 0)[1]


def at_once(works: Sequence[Callable[[], Any]]) -> None:
    """All of them at the same moment, each in a child; none may fail."""
    begin = time.monotonic() + 0.5

    def wait_and(work: Callable[[], Any]) -> None:
        time.sleep(max(0.0, begin - time.monotonic()))
        work()

    children = [_fork(partial(wait_and, work)) for work in works]
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * len(children)


def _fork(work: Callable[[], Any]) -> int:
    child = os.fork()
    if child == 0:
        status = 1
        try:
            found = work()
            if found is not None:
                sys.stdout.write(json.dumps(found) + "\n")
                sys.stdout.flush()
            status = 0
        finally:
            os._exit(status)
    return child


class Countdown:
    """Counts to `last`, and dies there."""

    def __init__(self, last: int) -> None:
        self.count, self._last = 0, last

    def step(self) -> None:
        self.count += 1
        if self.count == self._last:
            os.kill(os.getpid(), signal.SIGKILL)


@contextmanager
def each_write(step: Callable[[], None]) -> Iterator[None]:
    """Calls `step` after each statement that writes, in whichever database."""
    from django.db import connections

    def on_statement(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        done = execute(sql, params, many, context)
        if not sql.lstrip("( ").upper().startswith(_WRITE_NOTHING):
            step()
        return done

    with ExitStack() as stack:
        for connection in connections.all():
            stack.enter_context(connection.execute_wrapper(on_statement))
        yield


def killed_everywhere(
    data: Path,
    work: Callable[[Countdown], Any],
    go_on: Callable[[], Any],
    before_each: Callable[[], Any] = lambda: None,
    *,
    is_sampled: bool = False,
) -> None:
    """`work` over the same databases, each time killed a step later, and then `go_on`; until it lives to its end.

    `is_sampled`: of these steps, those of today.
    """
    first, every = (FIRST, EVERY) if is_sampled else (0, 1)
    kept = data / "before"
    kept.mkdir()
    for part in data.glob("*.sqlite3*"):
        shutil.copy(part, kept)
    step, died = first + 1 - every, signal.SIGKILL.value
    while died:
        step += every
        for part in data.glob("*.sqlite3*"):
            part.unlink()
        for part in kept.iterdir():
            shutil.copy(part, data)
        before_each()
        died = forked(partial(work, Countdown(step)))
        assert died in {0, signal.SIGKILL}, died
        assert forked(go_on) == 0
