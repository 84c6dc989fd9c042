"""A command fails, hangs or lies: what is used stays, and the registry takes pushes again, or it is said loudly."""

from __future__ import annotations

import shlex
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connections
from django.utils import timezone
from pytest_django import Settings

from audit.models import Entry
from cleanup.classic import services
from cleanup.classic.ways import NoWay
from cleanup.models import ClassicRun, Halt
from jobs import closure, running
from jobs import services as jobs
from jobs.models import Job
from registries.models import Registry
from tests.cleanup.classic import carried_out, kinds, scanned, seen_through
from tests.cleanup.switched import Switched, delete, python, written
from tests.pushing import Pusher
from tests.web import furniture as make

pytestmark = [pytest.mark.django_db(transaction=True, databases="__all__"), pytest.mark.any_database]

_FAIL = python("print('it is no use'); raise SystemExit(3)")
_HANG = python("import time", "print('so far', flush=True)", "time.sleep(600)")


@pytest.fixture
def registry(switched: Switched) -> Registry:
    """With a bit of garbage; open, whatever the test before has left."""
    if not switched.takes_uploads():
        switched.switch("open")
    push = Pusher(switched.url, "team/app")
    delete(switched.url, "team/app", push.image(seed="garbage"))
    return Registry.objects.create(name="main", url=switched.url)


@pytest.fixture
def sweep(switched: Switched, registry: Registry, tmp_path: Path, settings: Settings) -> Callable[..., Any]:
    """Carries out a run by a way in which these parts are others."""

    def _sweep(**more: Any) -> tuple[ClassicRun, Job]:
        parts = {name.replace("_", "-"): value for name, value in more.items()}
        settings.CLEANUP_COMMANDS = [written(tmp_path / "own/commands.toml", switched.way(**parts))]
        return carried_out(registry)

    return _sweep


def test_all_goes_well_without_a_question(switched: Switched, sweep: Callable[..., Any]) -> None:
    run, job = sweep(restart=[switched.command("read-only"), switched.command("open")][1:])
    # A restart that opens it is one that does not make it read-only.
    assert (job.state, run.state) == ("failed", "broken-off")
    assert job.message == (
        "It was to be read-only, and still takes uploads. Nothing was removed, and the registry takes pushes."
    )

    run, job = sweep()
    assert (job.state, run.state) == ("done", "done")
    assert [step.argv for step in run.steps.in_order()][1] == switched.command("read-only")


@pytest.mark.parametrize(
    ("part", "steps", "says"),
    [
        (
            {"dry-run": [*_FAIL, "--dry-run"]},
            ["dry-run failed"],
            "The command of dry-run ended with code 3, and said last",
        ),
        (
            {"read-only-on": [_FAIL]},
            ["dry-run", "read-only-on failed", "read-only-off"],
            "The command of read-only-on ended with code 3, and said last: it is no use. Nothing was removed",
        ),
        (
            {"read-only-on": [["/nonexistent/docker", "restart"]]},
            ["dry-run", "read-only-on failed", "read-only-off"],
            "/nonexistent/docker cannot be started: No such file or directory. Nothing was removed",
        ),
        (
            {"read-only-on": [python("pass")]},
            ["dry-run", "read-only-on", "read-only-off"],
            "It was to be read-only, and still takes uploads. Nothing was removed",
        ),
        (
            {"read-only-on": [_HANG], "seconds": {"read-only-on": 1, "answers": 3}},
            ["dry-run", "read-only-on too-long", "read-only-off"],
            "The command of read-only-on was not over after 1 seconds, and was ended",
        ),
    ],
)
def test_what_fails_before_anything_is_removed(
    part: dict[str, Any], steps: list[str], says: str, switched: Switched, sweep: Callable[..., Any]
) -> None:
    before = switched.blobs()

    run, job = sweep(**part)

    assert (job.state, run.state) == ("failed", "broken-off")
    assert says in job.message == run.message
    assert kinds(run) == steps
    _is_open(run, switched)
    assert switched.blobs() == before


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("raise SystemExit(1)", "ended with code 1"),
        ("print('7 blobs marked, 9 blobs and 0 manifests eligible for deletion')", "is not understood"),
        ("pass", "no line sums it up"),
        ("print('0 blobs marked, 0 blobs and 4 manifests eligible for deletion')", "It would remove 4 manifests"),
        ("import time; time.sleep(600)", "was not over after 2 seconds"),
    ],
)
@pytest.mark.parametrize("is_dry", [True, False])
def test_a_collection_that_fails_or_lies(
    line: str, says: str, is_dry: bool, switched: Switched, sweep: Callable[..., Any]
) -> None:
    """`is_dry`: the second dry run, of what was true a moment before."""
    script, before = switched.folder / "collect.py", switched.blobs()
    (switched.folder / "seen").unlink(missing_ok=True)
    script.write_text(
        f"import os, pathlib, sys\nseen = pathlib.Path({str(switched.folder / 'seen')!r})\n"
        f"if ('--dry-run' in sys.argv) == {is_dry} and ({not is_dry} or seen.exists()):\n    {line}\n    sys.exit()\n"
        f"seen.touch()\nos.execv({switched.program!r}, {switched.collect!r} + sys.argv[1:])\n"
    )
    words = [sys.executable, "-I", "-S", str(script)]

    run, job = sweep(garbage_collect=words, dry_run=[*words, "--dry-run"], seconds={"garbage-collect": 2, "answers": 3})

    assert (job.state, run.state) == ("failed", "broken-off")
    assert says in job.message
    ended = [] if is_dry else ["compare"]
    assert [kind.partition(" ")[0] for kind in kinds(run)] == [
        *("dry-run", "read-only-on", *ended, "compare" if is_dry else "collect", "read-only-off")
    ]
    _is_open(run, switched)
    assert switched.blobs() == before
    assert Entry.objects.get(act=Entry.Act.COLLECT_GARBAGE).outcome == "failed"


def test_a_registry_that_stays_read_only_is_said_loudly_and_opened_as_soon_as_it_can_be(
    switched: Switched, sweep: Callable[..., Any], tmp_path: Path, settings: Settings
) -> None:
    run, job = sweep(read_only_off=[_FAIL], seconds={"answers": 0.5})

    assert (job.state, run.state) == ("failed", "stuck")
    assert job.message.startswith(
        "The registry may still be read-only: The command of read-only-off ended with code 3, and said last: it is no"
    )
    assert shlex.join(_FAIL) in run.message
    assert run.by_hand == [_FAIL]
    assert not switched.takes_uploads()
    run.registry.refresh_from_db()
    assert run.registry.closed_since is not None
    assert Halt.objects.get(registry=run.registry).why == run.message
    assert Entry.objects.get(act=Entry.Act.COLLECT_GARBAGE).outcome == "failed"

    services.recover()  # too early
    assert not Job.objects.unfinished().exists()

    settings.CLEANUP_COMMANDS = [written(tmp_path / "own/commands.toml", switched.way())]
    Job.objects.filter(pk=job.pk).update(finished_at=timezone.now() - timedelta(minutes=3))
    services.recover()
    run, job = seen_through(run, Job.objects.unfinished().get())

    assert (job.state, run.state, run.by_hand) == ("done", "done", [])  # what was to be removed was
    _is_open(run, switched)
    assert carried_out(run.registry)[1].message.startswith("Sweeps of this registry are stopped until a person has")


def test_commands_that_are_gone_while_it_is_read_only(
    switched: Switched, sweep: Callable[..., Any], settings: Settings, tmp_path: Path
) -> None:
    run, job = sweep(read_only_off=[python("pass")], seconds={"answers": 0.5})
    assert (run.state, job.state) == ("stuck", "failed")
    (tmp_path / "own/commands.toml").chmod(0o666)
    Job.objects.update(finished_at=timezone.now() - timedelta(minutes=9))

    services.recover()
    run, job = seen_through(run, Job.objects.unfinished().get())

    assert (run.state, job.state) == ("stuck", "failed")
    assert "are not run, since others than who runs Berth may write it" in job.message
    assert "; to end it at once, run by hand" in job.message
    assert run.by_hand == [python("pass")]
    with pytest.raises(NoWay):
        services.begin(run.registry)
    switched.switch("open")


def test_an_image_that_the_catalog_knows_is_never_touched(
    switched: Switched, registry: Registry, sweep: Callable[..., Any]
) -> None:
    push = Pusher(switched.url, "team/used")
    digest = push.image("1.0", seed="used")
    scanned(registry)
    delete(switched.url, "team/used", digest)  # nobody told Berth
    before = switched.blobs()

    run, job = sweep()

    assert (job.state, run.state) == ("failed", "broken-off")
    assert job.message.startswith("It would remove sha256:")
    assert "and an image in team/used uses that, as the catalog has it. Scan the registry" in job.message
    assert {tuple(entry)[1] for entry in run.in_use} == {"team/used"}
    assert kinds(run) == ["dry-run"]
    assert switched.blobs() == before

    scanned(registry)
    assert sweep()[1].state == "done"
    assert digest not in switched.blobs()


def test_it_stops_between_its_commands_and_opens_what_it_closed(switched: Switched, sweep: Callable[..., Any]) -> None:
    stop = threading.Thread(target=_stop_while, args=("collect",))
    stop.start()

    run, job = sweep(
        garbage_collect=_HANG, dry_run=[*switched.collect, "--dry-run"], seconds={"garbage-collect": 60, "answers": 3}
    )

    stop.join()
    assert (job.state, run.state) == ("stopped", "broken-off")
    assert run.message.startswith("Stopped. The registry takes pushes")
    assert kinds(run) == ["dry-run", "read-only-on", "compare", "collect cut-off", "read-only-off"]
    assert run.steps.get(kind="collect").state == "cut-off"
    _is_open(run, switched)


def test_what_would_write_to_it_waits(switched: Switched, registry: Registry, sweep: Callable[..., Any]) -> None:
    """A job that writes ends first; one that comes later is given back, and goes on afterwards."""
    writes = Job.objects.create(
        kind="sync", subject="sync:1", title="Copying", params={"registry": registry.pk}, state="running"
    )
    end = threading.Thread(target=_end_after, args=(writes.pk, 1.0))
    end.start()
    began = time.monotonic()

    run, job = sweep()

    end.join()
    assert job.state == "done"
    assert time.monotonic() - began > 1.0
    assert run.closed_at > Job.objects.get(pk=writes.pk).finished_at

    closure.close(registry, timezone.now(), "mara")
    later, _ = jobs.queue("carry-out", "plan:1", "Deleting", params={"registry": registry.pk})
    running.run(later.pk)
    later.refresh_from_db()
    assert (later.state, later.attempts) == ("queued", 0)
    scan, _ = jobs.queue("scan", registry.job_subject, "Scan")
    running.run(scan.pk)
    scan.refresh_from_db()
    assert scan.state == "done"  # it only reads

    closure.open_again(registry)
    running.run(later.pk)
    later.refresh_from_db()
    assert later.message == "The plan is gone, with its registry: nothing was changed."


def test_an_image_in_the_trash_is_asked_about(
    switched: Switched, registry: Registry, sweep: Callable[..., Any]
) -> None:
    from catalog.models import Repository
    from tagging import services as tagging
    from tagging.planning import Asked, plan_images

    push = Pusher(switched.url, "team/trash")
    digest = push.image("1.0", seed="in the trash")
    scanned(registry)
    mara = make.person("mara", staff=True)
    repository = Repository.objects.get(registry=registry, name="team/trash")
    tagging.carry_out(plan_images(repository, [digest], Asked(mara)), mara)

    run, job = sweep()

    assert job.state == "asking", job.message
    assert job.question["text"] == "1 images in the trash could not be restored any more. Go on?"
    assert run.in_trash == 1
    assert run.state == "planned"
    jobs.answer(job, yes=False)
    assert switched.takes_uploads()


def _stop_while(kind: str) -> None:
    try:
        deadline = time.monotonic() + 20
        while not _in_turn(ClassicRun.objects.filter(steps__kind=kind, steps__state="begun").exists):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        _in_turn(lambda: jobs.stop(Job.objects.unfinished().get()))
    finally:
        connections.close_all()


def _end_after(pk: int, seconds: float) -> None:
    try:
        time.sleep(seconds)
        _in_turn(lambda: Job.objects.filter(pk=pk).update(state="done", finished_at=timezone.now()))
    finally:
        connections.close_all()


def _in_turn(ask: Callable[[], Any]) -> Any:
    """A SQLite in memory, as tests have, refuses at once what another thread of the process has locked."""
    while True:
        try:
            return ask()
        except OperationalError:
            time.sleep(0.05)


def _is_open(run: ClassicRun, switched: Switched) -> None:
    assert switched.takes_uploads()
    run.registry.refresh_from_db()
    assert run.registry.closed_since is None
    assert not run.is_closed
