from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from registry_ui.start.errors import StartError
from registry_ui.start.lock import is_locked, locked

ROOT = Path(__file__).resolve().parents[2]
HOLDER = (
    "import pathlib, subprocess, sys, time\n"
    "from registry_ui.start.lock import locked\n"
    "with locked(pathlib.Path(sys.argv[1])):\n"
    "    print('held', flush=True); time.sleep(600)"
)


def test_one_at_a_time(tmp_path: Path) -> None:
    assert not is_locked(tmp_path)

    with locked(tmp_path):
        assert is_locked(tmp_path)

    assert not is_locked(tmp_path)


def test_a_second_is_refused_with_the_pid_of_the_first_and_a_killed_one_lets_go(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLDER, tmp_path], cwd=ROOT, stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == b"held\n"

        refusal = rf"already runs on .* \(pid {holder.pid}\): stop it, or .* --data"
        with pytest.raises(StartError, match=refusal), locked(tmp_path):
            pass
        holder.kill()

    with locked(tmp_path):
        pass
