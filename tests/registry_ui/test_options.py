from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from registry_ui.start import options
from registry_ui.start.errors import StartError
from tests.registry_ui.processes import ROOT, free_port


@pytest.fixture(autouse=True)
def _clean_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("BERTH_") or name in {"DATABASE_URL", "REDIS_URL"}]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("BERTH_DATA", str(tmp_path))


def test_without_a_word_everything_is_on_this_machine(tmp_path: Path) -> None:
    told = options.parse([])

    assert (told.bind, told.port, told.registry_port) == ("127.0.0.1", 8000, 5000)
    assert told.public_url == "http://127.0.0.1:8000"
    assert told.registry_url == "http://127.0.0.1:5000"
    assert told.data == tmp_path


def test_an_option_wins_over_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BERTH_PORT", "8001")

    assert options.parse([]).port == 8001
    assert options.parse(["--port", "8002"]).port == 8002


@pytest.mark.parametrize(
    ("bind", "public", "registry"),
    [
        ("0.0.0.0", "http://127.0.0.1:8000", "http://127.0.0.1:5000"),  # noqa: S104 - nothing is bound
        ("[::1]", "http://[::1]:8000", "http://[::1]:5000"),
        ("::", "http://[::1]:8000", "http://[::1]:5000"),
    ],
)
def test_addresses_are_those_that_this_machine_reaches(bind: str, public: str, registry: str) -> None:
    told = options.parse(["--bind", bind])

    assert (told.public_url, told.registry_url) == (public, registry)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--port", "abc"], "--port=abc: a port is a number from 1 to 65535."),
        (["--port", "0"], "--port=0: a port is a number from 1 to 65535."),
        (["--registry-port", "65536"], "--registry-port=65536: a port is a number from 1 to 65535."),
        (["--port", "5000"], "Berth and its registry cannot both listen on port 5000: choose another"),
        (["--bind", "no.such.host.invalid"], "--bind=no.such.host.invalid: no address of this machine;"),
        (["--registry", "registry.example.com"], "say an address like https://registry.example.com:5000"),
        (["--registry", "https://joe:secret@registry.example.com"], "credentials go into BERTH_REGISTRY_USER"),
        (["--registry", "https://registry.example.com:port"], "--registry=https://registry.example.com:port: Port"),
        (
            ["--registry", "http://registry.example.com"],
            "unencrypted: say https://, or allow it with BERTH_",
        ),
        (["--registry", "https://registry..example.com/../x"], "say an address like https://registry.example.com:5000"),
        (["--data", "/proc/berth"], "--data=/proc/berth: this folder cannot be written"),
        (["--colour"], "Unrecognized arguments: --colour: ./run start --help lists the options."),
        (["--port"], "Argument --port: expected one argument: ./run start --help lists the options."),
    ],
)
def test_a_wrong_option_is_one_line_with_its_cure(arguments: list[str], complaint: str) -> None:
    with pytest.raises(StartError, match=re.escape(complaint)) as error:
        options.parse(arguments)

    assert "\n" not in str(error.value)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    ("variable", "value", "complaint"),
    [
        ("BERTH_PORT", "eight", "BERTH_PORT=eight: a port is a number"),
        (
            "BERTH_PUBLIC_URL",
            "berth.example.com",
            "BERTH_PUBLIC_URL=berth.example.com: say the address that people open",
        ),
        ("BERTH_PUBLIC_URL", "https://example.com/berth", "Berth cannot live under a path"),
        ("BERTH_LOG_FORMAT", "xml", "BERTH_LOG_FORMAT=xml: say text or json"),
        ("BERTH_SAMPLES", "some", "BERTH_SAMPLES='some' cannot be used: say true or false"),
        ("REDIS_URL", "localhost:6379", "say redis://host:6379/0"),
        ("REDIS_URL_FILE", "/nonexistent", "REDIS_URL_FILE='/nonexistent' cannot be used"),
    ],
)
def test_a_wrong_variable_is_one_line_with_its_cure(
    variable: str, value: str, complaint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)

    with pytest.raises(StartError, match=re.escape(complaint)) as error:
        options.parse([])

    assert "\n" not in str(error.value)


def start(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "registry_ui.start", *arguments],
        cwd=ROOT,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_port_in_use_is_said_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        outcome = start("--port", str(port), "--data", str(tmp_path))

    assert outcome.returncode == 2
    assert outcome.stderr == f"berth: Port {port} of 127.0.0.1 is in use: choose another with --port (BERTH_PORT).\n"
    assert outcome.stdout == ""


def test_a_redis_that_does_not_answer_is_said(tmp_path: Path) -> None:
    port, registry_port = (str(free_port()) for _ in range(2))

    outcome = start("--port", port, "--registry-port", registry_port, REDIS_URL="redis://127.0.0.1:1/0")

    assert outcome.returncode == 2
    assert re.fullmatch(
        r"berth: The Redis of REDIS_URL does not answer \(.*\): start it, or unset REDIS_URL\.\n", outcome.stderr
    )
