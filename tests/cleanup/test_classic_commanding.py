"""A command and what it prints: a deadline, bounds, and no text of a stranger as it came."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from cleanup.classic.commanding import run
from cleanup.classic.ways import Command
from tests.cleanup.switched import python

pytestmark = pytest.mark.any_database

_ENVIRONMENT = {"PATH": os.environ["PATH"]}


def test_fifty_megabytes_are_read_and_few_kept() -> None:
    taken = [0]

    def take(line: bytes) -> None:
        taken[0] += line.count(b"marking")

    ended = run(
        Command(
            tuple(
                python(
                    "line = 'm/idx: marking blob sha256:' + 'a' * 64",
                    "for n in range(550_000): print(line)",
                    "print('end')",
                )
            ),
            60,
        ),
        _ENVIRONMENT,
        take,
    )

    assert ended.is_well
    assert taken == [550_000]
    assert len(ended.output) < 20_000
    assert ended.output.endswith("\nend")
    assert "… 549,841 lines …" in ended.output


def test_one_line_without_an_end_is_cut() -> None:
    taken: list[bytes] = []

    ended = run(
        Command(
            tuple(
                python("import sys", "for n in range(500): sys.stdout.write('x' * 100_000)", "print()", "print('next')")
            ),
            60,
        ),
        _ENVIRONMENT,
        taken.append,
    )

    assert ended.is_well
    assert [len(line) for line in taken] == [4096, 4]


def test_what_would_do_something_to_a_terminal_or_a_page_is_text(tmp_path: Path) -> None:
    ended = run(
        Command(
            tuple(python(r"import sys; sys.stdout.buffer.write(b'\x1b[2J\x07<script>\xff\xe2\x80\xae\x00\r\n\ttab')")),
            30,
        ),
        _ENVIRONMENT,
    )

    assert ended.output == "[2J<script>\ufffd\ntab"


def test_what_takes_too_long_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    marker = tmp_path / "pid"
    began = time.monotonic()

    ended = run(Command(("sh", "-c", f"sleep 600 & echo $! > {marker}; wait"), 0.5), _ENVIRONMENT)

    assert ended.exit_code is None
    assert time.monotonic() - began < 10
    assert _is_gone(int(marker.read_text()))


def test_what_it_leaves_running_is_left(tmp_path: Path) -> None:
    """A registry that a script has started holds the script's output open."""
    marker = tmp_path / "pid"

    ended = run(Command(("sh", "-c", f"sleep 600 & echo $! > {marker}; echo started"), 60), _ENVIRONMENT)

    pid = int(marker.read_text())
    assert ended.is_well
    assert ended.output == "started"
    assert not _is_gone(pid)
    os.kill(pid, 9)


def test_it_sees_its_own_variables_and_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BERTH_SECRET_KEY", "secret")

    ended = run(Command(("env",), 30), {**_ENVIRONMENT, "DOCKER_HOST": "unix:///x"})

    assert {line.partition("=")[0] for line in ended.output.splitlines()} <= {"PATH", "DOCKER_HOST", "PWD", "LC_CTYPE"}


def test_whoever_looks_may_end_it(tmp_path: Path) -> None:
    class Enough(Exception):  # noqa: N818
        pass

    def look() -> None:
        raise Enough

    with pytest.raises(Enough):
        run(Command(tuple(python("import time; time.sleep(600)")), 600), _ENVIRONMENT, look=look)


def test_a_program_that_is_not_there() -> None:
    ended = run(Command(("/nonexistent/docker",), 30), _ENVIRONMENT)

    assert not ended.is_well
    assert ended.output == "/nonexistent/docker cannot be started: No such file or directory"


def test_no_shell_reads_its_words() -> None:
    ended = run(Command(("echo", "$HOME", "; false", "*"), 30), _ENVIRONMENT)

    assert ended.output == "$HOME ; false *"


def test_it_closes_its_output_and_goes_on() -> None:
    ended = run(
        Command(
            (
                sys.executable,
                "-I",
                "-S",
                "-c",
                "import os, time; os.close(1); os.close(2); time.sleep(0.6); os._exit(4)",
            ),
            30,
        ),
        _ENVIRONMENT,
    )

    assert ended.exit_code == 4


def _is_gone(pid: int) -> bool:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            if " Z " in Path(f"/proc/{pid}/stat").read_text():
                return True
        except OSError:
            return True
        time.sleep(0.02)
    return False
