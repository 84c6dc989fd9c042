from __future__ import annotations

import io
from pathlib import Path

import pytest
from cryptography.fernet import Fernet, InvalidToken
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connection
from pytest_django import Settings

from registries import services
from registries.encrypted import rotate
from registries.models import Registry

CANARY = "CANARY-7f3"
OLD, NEW, LOST = (Fernet.generate_key().decode() for _ in range(3))


def stored(registry: Registry) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT password FROM registries_registry WHERE id = %s", [registry.pk])
        token: str = cursor.fetchone()[0]
        return token


def made(**said: str) -> Registry:
    return Registry.objects.create(**({"name": "main", "url": "https://a.example", "password": CANARY} | said))


@pytest.mark.django_db
def test_the_column_holds_no_password() -> None:
    registry = made()

    assert CANARY not in stored(registry)
    assert Registry.objects.get().password == CANARY


@pytest.mark.django_db
def test_equal_passwords_do_not_look_equal() -> None:
    assert stored(made()) != stored(made(name="other", url="https://b.example"))


@pytest.mark.django_db
def test_no_password_is_stored_as_none() -> None:
    assert stored(made(password="")) == ""


@pytest.mark.django_db
def test_a_password_may_hold_any_character() -> None:
    password = " ünï:\"'\\\x01 \N{PILE OF POO}"

    made(password=password)

    assert Registry.objects.get().password == password


@pytest.mark.django_db
def test_a_lost_key_costs_the_passwords_and_nothing_else(settings: Settings) -> None:
    settings.CREDENTIALS_KEYS = [LOST]
    registry = made()
    settings.CREDENTIALS_KEYS = [NEW]

    assert Registry.objects.get() == registry
    assert Registry.objects.get().password == ""


@pytest.mark.django_db
def test_a_value_that_was_tampered_with_reads_as_none() -> None:
    registry = made()
    token = stored(registry)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE registries_registry SET password = %s", [token[:-8] + "AAAAAAA="])

    assert Registry.objects.get().password == ""


@pytest.mark.django_db
def test_every_key_decrypts_and_the_first_encrypts(settings: Settings) -> None:
    settings.CREDENTIALS_KEYS = [OLD]
    registry = made()
    settings.CREDENTIALS_KEYS = [NEW, OLD]

    assert Registry.objects.get().password == CANARY
    out = io.StringIO()
    call_command("rotate_credentials", stdout=out)

    assert out.getvalue() == "1 stored passwords and keys are encrypted with the first key now.\n"
    assert Fernet(NEW).decrypt(stored(registry)).decode() == CANARY
    settings.CREDENTIALS_KEYS = [NEW]
    assert Registry.objects.get().password == CANARY


@pytest.mark.django_db
def test_rotation_leaves_what_no_key_opens_and_names_it(settings: Settings) -> None:
    settings.CREDENTIALS_KEYS = [LOST]
    lost = made(name="lost", url="https://lost.example")
    before = stored(lost)
    settings.CREDENTIALS_KEYS = [OLD]
    kept = made(name="kept", url="https://kept.example")
    settings.CREDENTIALS_KEYS = [NEW, OLD]

    with pytest.raises(CommandError, match="No key opens what is stored for lost"):
        call_command("rotate_credentials", stdout=io.StringIO())

    assert stored(lost) == before
    assert Fernet(NEW).decrypt(stored(kept)).decode() == CANARY


@pytest.mark.django_db
def test_saving_another_field_does_not_lose_a_password_that_cannot_be_read(settings: Settings) -> None:
    settings.CREDENTIALS_KEYS = [OLD]
    registry = made(username="alice")
    before = stored(registry)
    settings.CREDENTIALS_KEYS = [NEW]

    services.edit(registry, services.Details(url=registry.url, username="alice", public_name="r.example.org"))

    assert stored(registry) == before


@pytest.mark.django_db
def test_a_dump_holds_no_password_and_can_be_loaded(tmp_path: Path) -> None:
    made()
    dump = tmp_path / "dump.json"
    call_command("dumpdata", "registries", output=str(dump), verbosity=0)
    assert CANARY not in dump.read_text()
    Registry.objects.all().delete()

    call_command("loaddata", str(dump), verbosity=0)

    assert Registry.objects.get().password == CANARY


def test_what_no_key_opens_is_not_rotated() -> None:
    with pytest.raises(InvalidToken):
        rotate(Fernet(LOST).encrypt(b"x").decode())


def test_a_key_that_is_none_is_named(settings: Settings) -> None:
    settings.CREDENTIALS_KEYS = ["short"]

    with pytest.raises(ImproperlyConfigured, match="BERTH_CREDENTIALS_KEY"):
        rotate("x")
