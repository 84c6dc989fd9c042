"""A whole life of a password on a disk: whoever copies the files of Berth does not have it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from tests.certificates import SelfSigned
from tests.hostile import Hostile, Reply
from tests.real_registry import RealRegistry

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


reads_files = pytest.mark.skipif("BERTH_TEST_DATABASE_URL" in os.environ, reason="it reads the files of SQLite")


@pytest.mark.sampled
@reads_files
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


@pytest.mark.sampled
@reads_files
def test_no_file_and_no_line_holds_the_key_of_a_client_certificate(berth: Installation, tmp_path: Path) -> None:
    server, alice, bob = (SelfSigned.made(tmp_path / name) for name in ("server", "alice", "bob"))
    with RealRegistry(tmp_path / "registry", tls=server.files, clients=alice.files) as real:
        identity = ("--client-cert", str(alice.certificate), "--client-key", str(alice.key))
        said = berth.manage("registry", "add", real.url, "--name", "main", "--ca", str(server.certificate), *identity)
        refused = berth.manage("registry", "edit", "main", "--client-key", str(bob.key))
        berth.keys.insert(0, Fernet.generate_key().decode())
        said += berth.manage("rotate_credentials")
        berth.keys.pop()
        said += berth.manage("registry", "test", "main")
    said += berth.manage("dumpdata", "registries")

    assert said.count("+ Reachable, behaves like distribution 2.8.") == 2
    assert "1 stored passwords and keys are encrypted with the first key now." in said
    assert refused == "CommandError: The key does not belong to the client certificate.\n"
    assert berth.holds(alice.certificate.read_text().splitlines()[1])
    for line in (alice.key.read_text().splitlines()[1], bob.key.read_text().splitlines()[1]):
        assert berth.holds(line) == []
        assert line not in said + refused
    assert "PRIVATE KEY" not in said + refused
