"""Garbage collections by commands for the walk: one that is over, one that broke off, one that left it read-only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.utils import timezone

from cleanup.models import ClassicRun, ClassicStep, Timetable
from registries.models import Registry
from tests.web.furniture import blob_digest

State = ClassicRun.State
Kind = ClassicStep.Kind
_COMPOSE: Final = ["docker", "compose", "-f", "/srv/registry/compose.yml"]
_READ_ONLY: Final = ["-f", "/srv/registry/read-only.yml"]
_UP: Final = ["up", "-d", "--no-deps", "registry"]
_COLLECT: Final = [
    *("docker", "compose", "exec", "-T", "registry", "registry", "garbage-collect"),
    "/etc/docker/registry/config.yml",
]
_FIGURES: Final = {"marked": 6120, "doomed": 411, "manifests": 0}


@dataclass(frozen=True)
class Runs:
    """Each in another state."""

    done: ClassicRun
    broken: ClassicRun
    stuck: ClassicRun


def build(where: Registry) -> Runs:
    now = timezone.now()
    hour = timedelta(hours=1)
    times = {"closed_at": now - 3 * hour, "collected_at": now - 2.5 * hour, "opened_at": now - 2.4 * hour}
    freed = {"marked": 6120, "doomed": 411, "doomed_size": 18_204_646_400, "of_unknown_size": 3, "planned_at": now}
    all_done = "411 of 6,531 blobs were removed, and the registry takes pushes again."
    done = run(where, State.DONE, message=all_done, actor="mara", began_at=now - 4 * hour, **freed, **times)
    for kind, argv in (
        (Kind.DRY_RUN, [*_COLLECT, "--dry-run"]),
        (Kind.READ_ONLY_ON, [*_COMPOSE, *_READ_ONLY, *_UP]),
        (Kind.COMPARE, [*_COLLECT, "--dry-run"]),
        (Kind.COLLECT, _COLLECT),
        (Kind.READ_ONLY_OFF, [*_COMPOSE, *_UP]),
    ):
        figures = _FIGURES if kind in {Kind.DRY_RUN, Kind.COMPARE, Kind.COLLECT} else {}
        step(done, kind, argv, figures=figures, output=_printed() if figures else "Container registry  Started")
    why = "The command of read-only-on ended with code 1, and said last: no such file or directory."
    broken = run(where, State.BROKEN_OFF, message=f"{why} Nothing was removed.", **freed)
    step(broken, Kind.DRY_RUN, [*_COLLECT, "--dry-run"], figures=_FIGURES, output=_printed())
    failed = {"state": ClassicStep.State.FAILED, "exit_code": 1, "output": "open compose.yml: no such file"}
    step(broken, Kind.READ_ONLY_ON, [*_COMPOSE, *_READ_ONLY, *_UP], **failed)
    stuck = run(
        where,
        State.STUCK,
        message="The registry may still be read-only: It was opened again, and still refuses uploads.",
        closed_at=now - hour,
        by_hand=[[*_COMPOSE, *_UP]],
        in_use=[[blob_digest("in use"), "platform/api"]],
        **freed,
    )
    step(stuck, Kind.READ_ONLY_OFF, [*_COMPOSE, *_UP], **failed)
    said = {"when": "every", "every": 7 * 24 * 60, "cron": "", "zone": "UTC", "window": "01:00-05:00"}
    Timetable.objects.create(registry=where, work="garbage-collect", schedule=said, next_at=now + 40 * hour)
    return Runs(done, broken, stuck)


def run(of: Registry, state: ClassicRun.State, **fields: Any) -> ClassicRun:
    ended = None if state in {State.NEW, State.UNDER_WAY} else timezone.now()
    return ClassicRun.objects.create(registry=of, state=state, **{"ended_at": ended, **fields})


def step(of: ClassicRun, kind: ClassicStep.Kind, argv: list[str], **fields: Any) -> ClassicStep:
    now = timezone.now()
    times = {"began_at": now - timedelta(seconds=75), "ended_at": now, "state": ClassicStep.State.DONE, "exit_code": 0}
    return ClassicStep.objects.create(run=of, kind=kind, argv=argv, **{**times, **fields})


def _printed() -> str:
    lines = [f"blob eligible for deletion: {blob_digest(str(number))}" for number in range(60)]
    return "\n".join([*lines, "6120 blobs marked, 411 blobs and 0 manifests eligible for deletion"])
