from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from registries import services
from registries.models import Registry
from registries.services import Details
from tests.hostile import Hostile, Reply
from tests.real_registry import PASSWORD, USERNAME, RealRegistry
from tests.registries.commanding import run
from tests.registries.reading import read

pytestmark = pytest.mark.django_db(databases="__all__")

CANARY = "CANARY-7f3"


def test_the_first_line_says_what_to_do() -> None:
    assert run("list") == "No registry yet: ./run manage registry add https://registry.example.org\n"


def test_add_tests_and_list_shows(real_registry: RealRegistry) -> None:
    said = run("add", real_registry.url, "--plain-http", "--name", "main", "--public", "r.example.org")

    assert said.splitlines()[:2] == [
        "main is added.",
        f"+ Reachable, behaves like distribution {real_registry.generation}.",
    ]
    assert Registry.objects.get().pull_host == "r.example.org"
    heads, row = run("list").splitlines()
    assert heads.split() == ["NAME", "ADDRESS", "STATE"]
    assert row.split()[:2] == ["main", real_registry.url]


@pytest.mark.parametrize("source", ["env:BERTH_TEST_CANARY", "file:{file}"])
def test_a_password_comes_from_where_nobody_looks(
    source: str, locked: RealRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BERTH_TEST_CANARY", PASSWORD)
    file = tmp_path / "password"
    file.write_text(PASSWORD + "\n")

    said = run("add", locked.url, "--plain-http", "--user", USERNAME, "--password-from", source.format(file=file))

    assert "lets the stored user in" in said
    assert PASSWORD not in said


def test_a_password_on_the_standard_input(locked: RealRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))

    said = run("add", locked.url, "--plain-http", "--user", USERNAME, "--password-from", "stdin")

    assert "lets the stored user in" in said


def test_a_password_is_no_argument(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())

    with pytest.raises(CommandError, match="never the password itself") as refusal:
        run("add", "https://a.example", "--user", "alice", "--password-from", CANARY)
    assert CANARY not in str(refusal.value)
    with pytest.raises(CommandError, match="nobody can be asked"):
        run("add", "https://a.example", "--user", "alice")
    assert not Registry.objects.exists()


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("add", "ftp://a.example"), "begins with https://"),
        (("add", "https://alice:CANARY-7f3@a.example"), "fields of their own"),
        (("add", "http://a.example"), "unencrypted"),
        (("add", "https://a.example", "--name", "A B"), "small letters"),
        (("add", "https://a.example", "--name", "add"), "the address of another page"),
        (("add", "https://a.example", "--ca", "/nowhere"), "--ca: /nowhere cannot be read"),
        (("add", "https://a.example", "--user", "a", "--password-from", "env:NOT_THERE"), "no NOT_THERE"),
        (("add", "https://a.example", "--user", "a", "--password-from", "file:/nowhere"), "/nowhere cannot be read"),
        (("add", "https://a.example", "--client-cert", "/nowhere"), "--client-cert: /nowhere cannot be read"),
        (("add", "https://a.example", "--client-key", "/nowhere"), "--client-key: /nowhere cannot be read"),
        (("add", "https://a.example", "--storage", "registry"), "Give the whole path of the storage folder."),
        (("edit", "main", "--storage", "./registry"), "Give the whole path of the storage folder."),
        (("edit", "main", "--storage", "/srv", "--no-storage"), "--no-storage and --storage: say one of them"),
        (("edit", "main", "--ca", "/ca", "--no-ca"), "--no-ca and --ca: say one of them"),
        (("edit", "main", "--client-key", "/k", "--no-client-cert"), "--no-client-cert and --client-key: say one"),
        (("edit", "main", "--user", "alice", "--no-credentials"), "--no-credentials and --user: say one of them"),
        (("edit", "main", "--name", "add"), "the address of another page"),
        (("watch", "nope", "team/app"), "no registry is called nope"),
        (("unwatch", "nope", "team/app"), "no registry is called nope"),
        (("watched", "nope"), "no registry is called nope"),
        (("test", "nope"), "no registry is called nope; there are: main"),
        (("edit", "nope"), "no registry is called nope"),
        (("remove", "nope"), "no registry is called nope"),
    ],
)
def test_each_error_is_one_line_with_the_cure(words: tuple[str, ...], complaint: str) -> None:
    services.add(Details(url="https://main.example", name="main"))

    with pytest.raises(CommandError, match=re.escape(complaint)) as refusal:
        run(*words)

    assert "\n" not in str(refusal.value)
    assert CANARY not in str(refusal.value)
    assert Registry.objects.count() == 1


def test_an_unreachable_registry_is_kept_and_told(capsys: pytest.CaptureFixture[str]) -> None:
    out = io.StringIO()
    with pytest.raises(CommandError, match="gone cannot be used yet"):
        call_command("registry", "add", "http://127.0.0.1:1", "--plain-http", "--name", "gone", stdout=out)

    assert "! It does not answer. Is it running, and can this server reach 127.0.0.1:1?" in out.getvalue()
    assert "Unreachable" in run("list")


def test_edit_changes_what_was_said_and_keeps_the_rest(locked: RealRegistry) -> None:
    services.add(Details(url=locked.url, name="main", username=USERNAME, password=PASSWORD, plain_http=True))

    run("edit", "main", "--public", "r.example.org", "--name", "shop")

    registry = Registry.objects.get()
    assert (registry.name, registry.public_name, registry.password) == ("shop", "r.example.org", PASSWORD)


def test_edit_to_another_address_carries_no_credentials(hostile: Hostile) -> None:
    read(services.add(Details(url="https://a.example", name="main", username="alice", password=CANARY)))
    hostile.on("GET", "/v2/", Reply.challenge('Basic realm="please"'))
    out = io.StringIO()

    with pytest.raises(CommandError):
        call_command("registry", "edit", "main", "--url", hostile.url, "--plain-http", stdout=out)

    assert "What was read from the old one stays, as main-old; its credentials are forgotten." in out.getvalue()
    assert all("Authorization" not in request.headers for request in hostile.asked())
    assert [row.password for row in Registry.objects.all()] == ["", ""]


def test_edit_forgets_credentials(real_registry: RealRegistry) -> None:
    services.add(Details(url=real_registry.url, name="main", username="a", password=CANARY, plain_http=True))

    run("edit", "main", "--no-credentials")

    assert Registry.objects.get().password == ""


def test_an_address_that_is_said_again_is_no_other_one(locked: RealRegistry) -> None:
    services.add(Details(url=locked.url, name="main", username=USERNAME, password=PASSWORD, plain_http=True))

    run("edit", "main", "--url", f"{locked.url}/", "--public", "r.example.org")

    registry = Registry.objects.get()
    assert (registry.username, registry.password, registry.public_name) == (USERNAME, PASSWORD, "r.example.org")


def test_trust_is_given_by_name(hostile: Hostile, other_host: Hostile) -> None:
    hostile.on("GET", "/v2/", Reply.challenge(f'Bearer realm="{other_host.url}/token",service="x"'))
    services.add(Details(url=hostile.url, name="main", username="alice", password=CANARY, plain_http=True))

    with pytest.raises(CommandError, match="another token service"):
        run("test", "main", "--trust", "https://elsewhere.example")
    assert other_host.connections == 0
    with pytest.raises(CommandError, match="main cannot be used yet"):
        run("test", "main", "--trust", other_host.url)

    assert Registry.objects.get().realm == other_host.url
    assert other_host.asked("/token")


def test_remove_asks_first(monkeypatch: pytest.MonkeyPatch) -> None:
    services.add(Details(url="https://a.example", name="main"))
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    with pytest.raises(CommandError, match="nothing was removed"):
        run("remove", "main")
    assert Registry.objects.exists()

    assert run("remove", "main", "--yes") == "main is forgotten; nothing was changed at https://a.example.\n"
    assert not Registry.objects.exists()


def test_remove_without_anybody_to_ask_is_one_line_with_the_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    services.add(Details(url="https://a.example", name="main"))
    monkeypatch.setattr("sys.stdin", io.StringIO())

    with pytest.raises(CommandError, match="nobody can be asked here, so nothing was removed: say --yes"):
        run("remove", "main")

    assert Registry.objects.exists()


def test_our_own_registry_is_not_removed_while_it_is_served() -> None:
    services.add(Details(url="https://a.example", name="local"), from_environment=True, embedded=True)

    with pytest.raises(CommandError, match="local is Berth's own: start with --registry URL"):
        run("remove", "local", "--yes")


def test_a_source_is_added_tested_and_edited(locked: RealRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("list", "--sources").startswith("No source yet: ./run manage registry add https://")
    monkeypatch.setenv("BERTH_TEST_CANARY", PASSWORD)
    words = ("--plain-http", "--name", "upstream", "--user", USERNAME, "--password-from", "env:BERTH_TEST_CANARY")

    assert run("add", locked.url, "--source", *words).startswith("upstream is added.")

    source = Registry.objects.get()
    assert (source.role, source.preset) == (Registry.Role.SOURCE, "any")
    assert "Reachable" in run("test", "upstream")
    run("edit", "upstream", "--name", "hub")
    source.refresh_from_db()
    assert (source.name, source.role, source.password) == ("hub", Registry.Role.SOURCE, PASSWORD)
    for refused in (("add", "https://a.example", "--source", "--storage", "/srv"), ("edit", "hub", "--public", "a.b")):
        with pytest.raises(CommandError, match="a source has no --storage and no --public"):
            run(*refused)


def test_a_well_known_source_has_its_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not reached from here."""
    monkeypatch.setattr("socket.getaddrinfo", _nobody)

    with pytest.raises(CommandError, match="cannot be used yet"):
        run("add", "https://registry-1.docker.io", "--source")

    source = Registry.objects.get()
    assert (source.preset, source.at_once, source.quota_floor) == ("docker-hub", 3, 10)


def _nobody(*_: object, **__: object) -> None:
    raise OSError("nobody is asked")
