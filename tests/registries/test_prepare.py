"""The command `prepare`: the registry of the options, asked and kept before the first page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.core.management import call_command
from pytest_django import Settings

from access.models import User
from jobs.models import Job
from registries import services
from registries.models import Registry
from registries.services import Details
from tests.certificates import SelfSigned
from tests.real_registry import PASSWORD, USERNAME, RealRegistry
from tests.registries.reading import read

pytestmark = pytest.mark.django_db

CANARY = "CANARY-7f3"


def prepare(capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    call_command("prepare")
    said = capsys.readouterr()
    return said.out, said.err


def test_prepare_makes_the_first_admin_and_says_the_password_once(capsys: pytest.CaptureFixture[str]) -> None:
    out, err = prepare(capsys)

    password = re.fullmatch(r"admin-password: (\S+)\n", out)
    assert password
    assert User.objects.get(username="admin").check_password(password[1])
    assert err == ""
    assert prepare(capsys) == ("", "")


def test_prepare_keeps_the_registry_in_step(
    settings: Settings, real_registry: RealRegistry, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.REGISTRY_URL, settings.REGISTRY_EMBEDDED = real_registry.url, True

    prepare(capsys)

    registry = Registry.objects.get()
    assert (registry.name, registry.embedded) == ("local", True)
    assert registry.capability("deletes") is True


def test_prepare_stops_at_a_registry_that_does_not_answer(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.REGISTRY_URL, settings.REGISTRY_PLAIN_HTTP = "http://127.0.0.1:1", True

    with pytest.raises(SystemExit) as end:
        prepare(capsys)

    said = capsys.readouterr()
    assert end.value.code == 1
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert "It does not answer. Is it running, and can this server reach 127.0.0.1:1?" in said.err
    assert not User.objects.exists()


def test_a_typo_in_the_address_changes_nothing(
    settings: Settings, locked: RealRegistry, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.REGISTRY_URL, settings.REGISTRY_PLAIN_HTTP = locked.url, True
    settings.REGISTRY_USER, settings.REGISTRY_PASSWORD = USERNAME, PASSWORD
    prepare(capsys)
    read(Registry.objects.get())
    before = list(Registry.objects.values())

    settings.REGISTRY_URL = "http://127.0.0.1:1"
    with pytest.raises(SystemExit):
        prepare(capsys)

    assert list(Registry.objects.values()) == before


def test_prepare_stops_the_work_on_what_another_registry_replaces(
    settings: Settings, real_registry: RealRegistry, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.REGISTRY_URL, settings.REGISTRY_PLAIN_HTTP = real_registry.url, True
    before = services.add(Details(url="https://a.example"), from_environment=True)
    scan = Job.objects.create(kind="scan", subject=before.job_subject, title="Scan")

    prepare(capsys)

    scan.refresh_from_db()
    assert scan.state == Job.State.STOPPED
    assert Registry.objects.get().url == real_registry.url


def test_prepare_stops_at_a_wrong_value(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    settings.REGISTRY_URL = "https://alice:CANARY-7f3@a.example"

    with pytest.raises(SystemExit):
        prepare(capsys)

    said = capsys.readouterr()
    assert said.err.startswith("BERTH_REGISTRY_URL cannot be used: ")
    assert CANARY not in said.err


def test_prepare_stops_at_credentials_of_the_options_that_are_refused(
    settings: Settings, locked: RealRegistry, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.REGISTRY_URL, settings.REGISTRY_PLAIN_HTTP = locked.url, True
    settings.REGISTRY_USER, settings.REGISTRY_PASSWORD = USERNAME, CANARY

    with pytest.raises(SystemExit):
        prepare(capsys)

    said = capsys.readouterr()
    assert "Look at BERTH_REGISTRY_USER and BERTH_REGISTRY_PASSWORD." in said.err
    assert CANARY not in said.err


def test_prepare_goes_on_where_a_page_can_mend_it(
    settings: Settings, locked: RealRegistry, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.REGISTRY_URL, settings.REGISTRY_PLAIN_HTTP = locked.url, True

    out, err = prepare(capsys)

    assert out.startswith("admin-password: ")
    assert "It asks for a user name and a password." in err


def test_prepare_goes_on_where_a_storage_folder_is_missing(
    settings: Settings, real_registry: RealRegistry, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.REGISTRY_URL, settings.REGISTRY_PLAIN_HTTP = real_registry.url, True
    settings.REGISTRY_STORAGE = "/nowhere"

    out, _ = prepare(capsys)

    assert out.startswith("admin-password: ")
    assert Registry.objects.get().storage == "/nowhere"


def test_prepare_goes_on_where_a_page_can_give_the_client_certificate_that_is_wanted(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server, alice = SelfSigned.made(tmp_path / "server"), SelfSigned.made(tmp_path / "alice")
    with RealRegistry(tmp_path / "registry", tls=server.files, clients=alice.files) as real:
        settings.REGISTRY_URL, settings.REGISTRY_CA = real.url, str(server.certificate)
        _, said = prepare(capsys)
        settings.REGISTRY_CLIENT_CERT, settings.REGISTRY_CLIENT_KEY = map(str, alice.files)
        prepare(capsys)

    assert "It lets nobody in without a client certificate." in said
    assert "BERTH_REGISTRY_CLIENT_CERT and BERTH_REGISTRY_CLIENT_KEY" in said
    assert Registry.objects.get().capability("problem") == ""
