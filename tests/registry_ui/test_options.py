from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from registry_ui.start import environment, keys, machine, options
from registry_ui.start.errors import StartError
from tests.certificates import SelfSigned
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
        (["--registry", "registry example.com"], "say an address like https://registry.example.com:5000"),
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
        ("DATABASE_URL", "mysql://joe@host/x", "DATABASE_URL is no PostgreSQL: say postgres://user:password@host/name"),
        ("BERTH_REGISTRY_CA", "/nowhere", "BERTH_REGISTRY_CA=/nowhere: this file cannot be read (no such file"),
        ("BERTH_REGISTRY_CA", "/dev/null", "BERTH_REGISTRY_CA=/dev/null: no certificate in PEM form is in that."),
        ("BERTH_REGISTRY_CA", "-----BEGIN X", "BERTH_REGISTRY_CA: no certificate in PEM form is in that."),
        ("BERTH_REGISTRY_CLIENT_CERT", "/nowhere", "BERTH_REGISTRY_CLIENT_KEY: the client certificate is neither PEM"),
        ("BERTH_REGISTRY_CLIENT_KEY", "/nowhere", "there is a key, and no client certificate that it belongs to."),
        ("BERTH_REGISTRY_CLIENT_KEY_FILE", "/nowhere", "BERTH_REGISTRY_CLIENT_KEY_FILE='/nowhere' cannot be used"),
        ("BERTH_REGISTRY_STORAGE", "registry", "BERTH_REGISTRY_STORAGE=registry: give the whole path of the storage"),
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


@pytest.mark.parametrize("typed", ["registry.example.com:5000", " https://registry.example.com:5000/"])
def test_an_address_may_be_typed_as_in_the_form(typed: str) -> None:
    assert options.parse(["--registry", typed]).registry == "https://registry.example.com:5000"


@pytest.mark.parametrize("where", ["a path", "the text", "a file that holds the path", "a file that holds the text"])
def test_a_client_certificate_and_its_key_are_read_however_they_are_given(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, bob = (SelfSigned.made(tmp_path / name) for name in ("alice", "bob"))

    def give(certificate: Path, key: Path) -> None:
        monkeypatch.setenv("BERTH_REGISTRY_CLIENT_CERT", str(certificate))
        said = str(key) if "path" in where else key.read_text()
        if "holds" in where:
            (tmp_path / "secret").write_text(said)
            monkeypatch.setenv("BERTH_REGISTRY_CLIENT_KEY_FILE", str(tmp_path / "secret"))
        else:
            monkeypatch.setenv("BERTH_REGISTRY_CLIENT_KEY", said)

    give(*alice.files)
    options.parse([])
    give(alice.certificate, bob.key)
    with pytest.raises(StartError) as error:
        options.parse([])
    assert str(error.value) == (
        "BERTH_REGISTRY_CLIENT_CERT and BERTH_REGISTRY_CLIENT_KEY: the key does not belong to the client certificate."
    )


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


@pytest.mark.parametrize(
    ("variable", "value", "complaint"),
    [
        ("DATABASE_URL", "postgres://joe:s3cret@127.0.0.1:1/x", "The PostgreSQL of DATABASE_URL cannot be used ("),
        ("BERTH_ANONYMOUS_READ", "maybe", "BERTH_ANONYMOUS_READ='maybe' cannot be used: say true or false"),
        ("BERTH_REGISTRY_EVENTS_SECRET", "s3cret-s3cret", "BERTH_REGISTRY_EVENTS_SECRET is made of 24 to 200 letters"),
        ("BERTH_SECRET_KEY_FILE", "/nowhere", "BERTH_SECRET_KEY_FILE='/nowhere' cannot be used: "),
        ("BERTH_LOG_LEVEL", "LOUD", "BERTH_LOG_LEVEL='LOUD' cannot be used: "),
    ],
)
def test_a_setting_of_any_part_is_read_before_anything_starts(
    tmp_path: Path, variable: str, value: str, complaint: str
) -> None:
    port, registry_port = (str(free_port()) for _ in range(2))

    outcome = start("--port", port, "--registry-port", registry_port, **{variable: value})

    assert outcome.returncode == 2
    assert "starts" not in outcome.stdout
    assert outcome.stderr.startswith(f"berth: {complaint}")
    assert outcome.stderr.count("\n") == 1
    assert "s3cret" not in outcome.stderr
    assert list((tmp_path / "logs").iterdir()) == []
    assert not (tmp_path / "run.json").exists()


def test_for_machines_the_last_word_is_an_object_too(tmp_path: Path) -> None:
    outcome = start("--port", "eight", BERTH_LOG_FORMAT="json")

    said = json.loads(outcome.stderr)
    assert (said["level"], said["logger"]) == ("error", "berth")
    assert said["message"] == "--port=eight: a port is a number from 1 to 65535."


def test_what_nothing_reads_is_told_with_what_is_near(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BERTH_ANONYMOUS_RAED", "true")
    monkeypatch.setenv("BERTH_COLOUR_OF_PAGES", "red")
    monkeypatch.setenv("BERTH_SECRET_KEY_FILE", "/read")
    options.parse([])
    assert settings.SECRET_KEY  # so all of them were read

    assert environment.remarks() == [
        "BERTH_ANONYMOUS_RAED is no setting: did you mean BERTH_ANONYMOUS_READ?",
        "BERTH_COLOUR_OF_PAGES is no setting: docs/settings.md lists those there are.",
    ]


def told(tmp_path: Path, *arguments: str) -> dict[str, str]:
    parsed = options.parse(arguments)
    return environment.django(parsed, {name: tmp_path / name for name in keys.MAKERS}, "unix:///x")


def test_on_this_machine_only_its_own_names_are_not_needed(tmp_path: Path) -> None:
    assert told(tmp_path)["BERTH_ALLOWED_HOSTS"] == ""
    assert told(tmp_path)["BERTH_REGISTRY_URL"] == "http://127.0.0.1:5000"


@pytest.mark.parametrize("bind", ["0.0.0.0", "::"])  # noqa: S104 - nothing is bound
def test_what_listens_everywhere_answers_to_the_names_of_the_machine(
    tmp_path: Path, bind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BERTH_ALLOWED_HOSTS", "berth.example.com")
    mine = machine.addresses()

    said = told(tmp_path, "--bind", bind)

    hosts = said["BERTH_ALLOWED_HOSTS"].split()
    assert hosts[0] == "berth.example.com"
    assert set(machine.names()) <= set(hosts)
    assert {address for address in mine if ":" not in address} <= set(hosts)
    host = environment.for_others(options.parse(["--bind", bind]))
    assert host == [*mine, *machine.names()][0]
    assert said["BERTH_REGISTRY_URL"] == f"http://{options.netloc(host, 5000)}"


def test_who_said_what_people_type_is_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BERTH_PUBLIC_URL", "https://berth.example.com")

    said = told(tmp_path, "--bind", "0.0.0.0")  # noqa: S104 - nothing is bound

    assert said["BERTH_ALLOWED_HOSTS"] == ""
    assert said["BERTH_REGISTRY_URL"] == "http://127.0.0.1:5000"


def test_a_single_address_is_allowed_with_the_names(tmp_path: Path) -> None:
    said = told(tmp_path, "--bind", "192.0.2.7")

    assert said["BERTH_ALLOWED_HOSTS"].split() == [*machine.names(), "192.0.2.7"]
    assert said["BERTH_REGISTRY_URL"] == "http://192.0.2.7:5000"


def test_no_secret_is_in_the_record(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    given = {
        "DATABASE_URL": "postgres://joe:s3cret@host/x",
        "BERTH_REGISTRY_PASSWORD": "s3cret",
        "BERTH_REGISTRY_CLIENT_KEY": "-----BEGIN PRIVATE KEY-----\ns3cret\n-----END PRIVATE KEY-----",
        "BERTH_SECRET_KEY_FILE": "/read",
        "BERTH_DATA": "/data",
        "HOME": "/home/joe",
    }

    kept = environment.without_secrets(given, tmp_path)

    assert "s3cret" not in str(kept)
    assert (kept["BERTH_SECRET_KEY_FILE"], kept["BERTH_DATA"]) == ("/read", "/data")
    assert "HOME" not in kept
    file = Path(kept["BERTH_REGISTRY_PASSWORD_FILE"])
    assert (file.read_text(), file.stat().st_mode & 0o777) == ("s3cret", 0o600)
    assert Path(kept["BERTH_REGISTRY_CLIENT_KEY_FILE"]).read_text() == given["BERTH_REGISTRY_CLIENT_KEY"]
    assert Path(kept["DATABASE_URL_FILE"]).read_text() == given["DATABASE_URL"]
    keys.take_back(tmp_path)
    assert list((tmp_path / "keys").iterdir()) == []


@pytest.mark.parametrize("words", [("registry", "--help"), ("registry", "add"), ("scan", "--colour"), ("help", "scan")])
def test_a_usage_line_says_what_people_type(words: tuple[str, ...]) -> None:
    outcome = subprocess.run(
        [sys.executable, "-m", "registry_ui.start.manage", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    said = outcome.stdout + outcome.stderr
    assert "usage: ./run manage " in said
    assert "manage.py" not in said
