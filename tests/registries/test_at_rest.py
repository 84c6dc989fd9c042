"""A whole life of a password on a disk: whoever copies the files of Berth does not have it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from tests.hostile import Hostile, Reply

ROOT = Path(__file__).resolve().parent.parent.parent
CANARY = "CANARY-7f3"


class Installation:
    """Berth with a data folder of its own, driven by its command line."""

    def __init__(self, data: Path) -> None:
        self.data, self.keys = data, [Fernet.generate_key().decode()]
        data.mkdir()
        self.manage("migrate", "--verbosity", "0")

    def manage(self, *words: str, said: str = "") -> str:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("DATABASE")}
        environment |= {"BERTH_DATA": str(self.data), "BERTH_CREDENTIALS_KEY": " ".join(self.keys)}
        line = [sys.executable, "manage.py", *words]
        done = subprocess.run(line, cwd=ROOT, env=environment, input=said, capture_output=True, text=True, check=False)
        return done.stdout + done.stderr

    def holds(self, text: str) -> list[str]:
        files = [path for path in self.data.rglob("*") if path.is_file()]
        assert files
        return [path.name for path in files if text.encode() in path.read_bytes()]


@pytest.fixture
def berth(tmp_path: Path) -> Installation:
    return Installation(tmp_path / "data")


@pytest.mark.skipif("BERTH_TEST_DATABASE_URL" in os.environ, reason="it reads the files of SQLite")
def test_no_file_and_no_line_holds_the_password(berth: Installation, hostile: Hostile) -> None:
    hostile.on("GET", "/v2/", Reply.challenge('Basic realm="x"'))
    said = berth.manage(
        "registry", "add", hostile.url, "--plain-http", "--name", "main", "--user", "alice",
        "--password-from", "stdin", said=CANARY,
    )  # fmt: skip
    berth.keys.insert(0, Fernet.generate_key().decode())
    said += berth.manage("rotate_credentials")
    said += berth.manage("registry", "test", "main")
    said += berth.manage("registry", "list")
    said += berth.manage("dumpdata", "registries")

    assert "It refuses the stored user name and password." in said
    assert "1 stored passwords and keys are encrypted with the first key now." in said
    # The registry heard it, so it was there to be found.
    assert any("Authorization" in request.headers for request in hostile.asked())
    assert berth.holds("alice")
    assert berth.holds(CANARY) == []
    assert CANARY not in said
