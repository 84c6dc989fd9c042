"""`./run check` with programs that only say yes or no: what it makes of their answers."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

HERE: Final = Path(__file__).resolve().parent.parent
PROGRAM: Final = """#!/bin/sh
[ "$*" = "-V" ] && echo Python 3.11.9
[ "$(basename "$0")" != "$REFUSES" ]
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of `run` beside an environment in which all is installed."""
    programs = tmp_path / "checkout/.venv/bin"
    programs.mkdir(parents=True)
    for name in ("run", "requirements.txt", "requirements-dev.txt"):
        shutil.copy(HERE / name, programs.parent.parent)
    for name in ("python", "ruff", "mypy", "lint-imports"):
        (programs / name).write_text(PROGRAM)
        (programs / name).chmod(0o755)
    return programs.parent.parent


def check(checkout: Path, refuses: str = "") -> subprocess.CompletedProcess[str]:
    scratch = checkout.parent / "scratch"
    scratch.mkdir()
    environment = {"PATH": "/usr/bin:/bin", "TMPDIR": str(scratch), "REFUSES": refuses}
    done = subprocess.run(
        [checkout / "run", "check"], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert list(scratch.iterdir()) == []
    return done


def test_a_check_that_finds_nothing_ends_well_and_leaves_nothing(checkout: Path) -> None:
    done = check(checkout)

    assert done.stderr.splitlines()[-1] == "All in order"
    assert done.returncode == 0


def test_a_check_goes_on_after_a_failure_and_names_it(checkout: Path) -> None:
    done = check(checkout, refuses="mypy")

    assert done.stderr.splitlines()[-3:] == [
        "lint-imports",
        "python -m registry_ui.messages --check",
        "run: Not in order: mypy .;",
    ]
    assert done.returncode == 2
