from __future__ import annotations

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from registry_ui.start.errors import GaveUp, StartError, StepFailed, Stopped
from registry_ui.start.journal import Console
from registry_ui.start.supervisor import Patience, Service, Supervisor
from tests.registry_ui.processes import PYTHON, ROOT, SLEEPER, alive, eventually

QUICK = Patience(delays=(0.01, 0.01, 0.01), ready=10)


@pytest.fixture
def marker() -> str:
    return uuid.uuid4().hex


@pytest.fixture
def environment(marker: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "BERTH_TEST_MARKER": marker}


@pytest.fixture
def console() -> Console:
    return Console("text", verbose=False)


@pytest.fixture
def supervisor(console: Console, tmp_path: Path) -> Supervisor:
    return Supervisor(console, tmp_path / "logs", QUICK)


def appending(file: Path, then: str = "time.sleep(600)") -> tuple[str, ...]:
    """A child that writes a line into `file` each time it starts."""
    return (*PYTHON, f"import time, sys; open({str(file)!r}, 'a').write('born\\n'); {then}")


def births(file: Path) -> int:
    return file.read_text().count("born") if file.exists() else 0


def ask_to_stop_when(true: Callable[[], bool]) -> Callable[[], bool]:
    """A readiness that never comes; once `true()`, this process gets SIGTERM."""

    def ready() -> bool:
        if true():
            os.kill(os.getpid(), signal.SIGTERM)
        return False

    return ready


def test_a_child_is_waited_for_and_gone_after_the_end(
    supervisor: Supervisor, environment: dict[str, str], marker: str, tmp_path: Path
) -> None:
    file = tmp_path / "file"

    with supervisor:
        supervisor.start(Service("one", appending(file), environment, ready=file.exists))
        assert len(alive(marker)) == 1

    assert alive(marker) == []


def test_a_child_that_dies_is_started_again(
    supervisor: Supervisor, environment: dict[str, str], marker: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file"

    with supervisor:
        child = supervisor.start(Service("one", appending(file), environment, ready=file.exists))
        assert child.pid
        os.kill(child.pid, signal.SIGKILL)
        supervisor.wait_for(lambda: births(file) == 2, "not born again")

    assert "one was killed by SIGKILL; starting it again" in capsys.readouterr().out


def test_a_child_that_dies_four_times_ends_all_with_its_last_lines(
    supervisor: Supervisor, environment: dict[str, str], marker: str, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    dying = appending(file, "print('no such thing'); sys.exit(7)")

    with supervisor:
        supervisor.start(Service("other", SLEEPER, environment))
        supervisor.start(Service("one", dying, environment))
        with pytest.raises(
            GaveUp, match=r"one ended with code 7: it died 4 times, each time within 60 seconds(.|\n)*no such thing"
        ):
            supervisor.watch()

    assert births(file) == 4
    assert alive(marker) == []
    assert GaveUp.exit_code == 1


def test_deaths_are_forgotten_after_a_good_while(console: Console, environment: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "file"
    patient = Patience(delays=(0.01,), forgotten=0, ready=10)

    with Supervisor(console, tmp_path / "logs", patient) as supervisor:
        supervisor.start(Service("one", appending(file, "sys.exit(1)"), environment))
        supervisor.wait_for(lambda: births(file) >= 5, "not born again")


def test_what_a_dead_child_leaves_of_its_session_is_killed(
    supervisor: Supervisor, environment: dict[str, str], marker: str, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    parent = f"import os, time; os.fork(); open({str(file)!r}, 'a').write('born\\n'); time.sleep(600)"

    with supervisor:
        child = supervisor.start(Service("one", (*PYTHON, parent), environment, ready=lambda: births(file) == 2))
        before = set(alive(marker))
        assert child.pid
        os.kill(child.pid, signal.SIGKILL)
        supervisor.wait_for(lambda: births(file) == 4, "not born again")
        assert before.isdisjoint(alive(marker))


def test_children_end_in_reverse(supervisor: Supervisor, environment: dict[str, str], tmp_path: Path) -> None:
    order = tmp_path / "order"
    polite = (
        "import signal, sys, time\n"
        "def end(*_): open({order!r}, 'a').write('{name} '); sys.exit()\n"
        "signal.signal(signal.SIGTERM, end); open({ready!r}, 'w').close(); time.sleep(600)"
    )

    with supervisor:
        for stage, name in enumerate(("first", "second", "third")):
            ready = tmp_path / name
            code = polite.format(order=str(order), name=name, ready=str(ready))
            supervisor.start(Service(name, (*PYTHON, code), environment, ready=ready.exists, stage=stage))

    assert order.read_text().split() == ["third", "second", "first"]


def test_a_child_that_does_not_listen_is_killed(
    supervisor: Supervisor, environment: dict[str, str], marker: str, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    deaf = (
        *PYTHON,
        f"import signal, time; signal.signal(15, signal.SIG_IGN); open({str(file)!r}, 'w'); time.sleep(600)",
    )

    with supervisor:
        supervisor.start(Service("deaf", deaf, environment, ready=file.exists, grace=0.1))

    assert alive(marker) == []


def test_sigterm_ends_a_start_also_while_it_waits(
    supervisor: Supervisor, environment: dict[str, str], marker: str, tmp_path: Path
) -> None:
    file = tmp_path / "file"

    with pytest.raises(Stopped), supervisor:
        supervisor.start(Service("one", appending(file), environment, ready=ask_to_stop_when(file.exists)))

    assert alive(marker) == []


def test_a_step_gives_its_output_and_a_failing_one_its_last_line(
    supervisor: Supervisor, environment: dict[str, str]
) -> None:
    with supervisor:
        assert supervisor.run("step", (*PYTHON, "print('hello')"), environment).output == "hello\n"
        with pytest.raises(StepFailed, match=r"^the cure is rest$"):
            supervisor.run("step", (*PYTHON, "raise ValueError('the cure is rest')"), environment)


def test_what_never_gets_ready_is_said_with_its_last_lines(
    console: Console, environment: dict[str, str], tmp_path: Path
) -> None:
    chatty = (*PYTHON, "import time; print('still thinking', flush=True); time.sleep(600)")

    one = Service("one", chatty, environment, ready=lambda: False)
    said = r"one is not ready after 1 seconds(.|\n)*still thinking"
    with Supervisor(console, tmp_path / "logs", Patience(ready=1)) as supervisor, pytest.raises(StartError, match=said):
        supervisor.start(one)


def test_a_killed_supervisor_leaves_no_process(marker: str, environment: dict[str, str], tmp_path: Path) -> None:
    program = f"""
from pathlib import Path
from registry_ui.start.journal import Console
from registry_ui.start.supervisor import Service, Supervisor
with Supervisor(Console("text", verbose=False), Path({str(tmp_path)!r})) as supervisor:
    for name in ("one", "two"):
        supervisor.start(Service(name, {SLEEPER!r}, {environment!r}))
    print("up", flush=True)
    supervisor.watch()
"""
    with subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"up\n"
        assert eventually(lambda: len(alive(marker)) == 2)
        process.kill()

    assert eventually(lambda: alive(marker) == [])


def test_a_log_is_kept_without_secrets_and_bounded(
    supervisor: Supervisor, environment: dict[str, str], tmp_path: Path
) -> None:
    wordy = (*PYTHON, "print('Authorization: Bearer abcdefghijkl'); [print('x' * 1000) for _ in range(3000)]")

    with supervisor:
        child = supervisor.start(Service("wordy", wordy, environment))
        supervisor.wait_for(lambda: child.deaths == 1, "it never ended")

    logs = sorted((tmp_path / "logs").iterdir())
    assert [log.name for log in logs] == ["wordy.log", "wordy.log.1"]
    assert all(log.stat().st_size <= 1 << 20 for log in logs)
    assert b"abcdefghijkl" not in b"".join(log.read_bytes() for log in logs)


def test_a_child_is_started_anew_when_its_variables_change(
    supervisor: Supervisor, environment: dict[str, str], tmp_path: Path
) -> None:
    """It dies of that neither once nor too often."""
    told, asked = tmp_path / "told", ["first"]
    line = f"import os, time; open({str(told)!r}, 'a').write(os.environ['ASKED'] + ' '); time.sleep(600)"

    def heard() -> str:
        return told.read_text() if told.exists() else ""

    def moved_on() -> bool:
        if len(heard().split()) == len(asked):
            asked.append(f"{len(asked)}th")
        return len(asked) == 7

    with supervisor:
        supervisor.start(
            Service("one", (*PYTHON, line), environment, ready=told.exists, variables=lambda: {"ASKED": asked[-1]})
        )
        supervisor.wait_for(moved_on, "it was not started anew")

    assert heard().split() == ["first", "1th", "2th", "3th", "4th", "5th"]


def test_one_that_is_asked_for_while_nothing_else_happens(
    supervisor: Supervisor, environment: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "file"

    def variables() -> dict[str, str]:
        if births(file) == 2:
            os.kill(os.getpid(), signal.SIGTERM)
        return {"ASKED": "yes"} if births(file) else {}

    with supervisor:
        supervisor.start(Service("one", appending(file), environment, ready=file.exists, variables=variables))
        with pytest.raises(Stopped):
            supervisor.watch()

    assert births(file) == 2
