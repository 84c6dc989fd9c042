"""The client certificate of a registry and its key: as secret as a password, and bound to one address."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.db import connection
from pytest_django import Settings

from oci.tls import InvalidCertificate
from registries import services
from registries.clients import client_for
from registries.models import Registry
from registries.services import Details, RegistryNotSaved
from tests.certificates import SelfSigned
from tests.registries.reading import read

pytestmark = pytest.mark.django_db

HERE, THERE = "https://registry.example.org", "https://elsewhere.example"
OLD, NEW, LOST = (Fernet.generate_key().decode() for _ in range(3))


@pytest.fixture(scope="module")
def alice(tmp_path_factory: pytest.TempPathFactory) -> SelfSigned:
    return SelfSigned.made(tmp_path_factory.mktemp("alice"))


@pytest.fixture(scope="module")
def bob(tmp_path_factory: pytest.TempPathFactory) -> SelfSigned:
    return SelfSigned.made(tmp_path_factory.mktemp("bob"))


def shown(who: SelfSigned, url: str = HERE, *, key: str | None = None, name: str = "main") -> Details:
    """As a form has it: the certificate is in it again, the key is not."""
    return Details(url=url, name=name, client_certificate=who.certificate.read_text(), client_key=key)


def given(who: SelfSigned, url: str = HERE) -> Details:
    return shown(who, url, key=who.key.read_text())


def columns(registry: Registry) -> tuple[str, str]:
    """The certificate and the key as the database has them."""
    with connection.cursor() as cursor:
        sql = "SELECT client_certificate, client_key FROM registries_registry WHERE id = %s"
        cursor.execute(sql, [registry.pk])
        certificate, key = cursor.fetchone()
        return certificate, key


def identity(registry: Registry) -> tuple[str, str]:
    registry.refresh_from_db()
    return registry.client_certificate, registry.client_key


def of(who: SelfSigned) -> tuple[str, str]:
    return who.certificate.read_text(), who.key.read_text()


NOTHING = ("", "")


def test_the_column_of_the_key_holds_no_key(alice: SelfSigned) -> None:
    registry = services.add(given(alice))

    certificate, key = columns(registry)
    assert certificate == alice.certificate.read_text()
    assert "PRIVATE" not in key
    assert alice.key.read_text().splitlines()[1] not in key
    assert identity(registry) == of(alice)


def test_no_key_is_in_what_is_printed(alice: SelfSigned) -> None:
    registry = services.add(given(alice))

    printed = repr(given(alice)) + repr(registry) + repr(client_for(registry).transport.endpoint)

    assert "PRIVATE" not in printed
    assert "CERTIFICATE" not in printed


def test_a_form_without_the_key_keeps_it(alice: SelfSigned) -> None:
    registry = services.add(given(alice))

    services.edit(registry, shown(alice, name="other"))

    assert registry.name == "main"
    assert identity(registry) == of(alice)
    assert registry.name == "other"


def test_without_the_certificate_the_key_goes_too(alice: SelfSigned) -> None:
    registry = services.add(given(alice))

    services.edit(registry, Details(url=HERE))

    assert columns(registry) == NOTHING


def test_another_certificate_comes_with_its_key(alice: SelfSigned, bob: SelfSigned) -> None:
    registry = services.add(given(alice))

    with pytest.raises(RegistryNotSaved, match="key does not belong") as refusal:
        services.edit(registry, shown(bob))
    assert refusal.value.field == "client_key"
    assert identity(registry) == of(alice)

    services.edit(registry, given(bob))
    assert identity(registry) == of(bob)


@pytest.mark.parametrize("was_read", [False, True])
def test_another_address_does_not_get_the_key(alice: SelfSigned, *, was_read: bool) -> None:
    old = services.add(given(alice))
    if was_read:
        read(old)

    edited = services.edit(old, shown(alice, THERE))

    assert columns(edited.registry) == NOTHING
    assert all(columns(row) == NOTHING for row in Registry.objects.all())
    assert edited.was_read is was_read


def test_a_key_that_is_given_with_the_new_address_goes_there(alice: SelfSigned, bob: SelfSigned) -> None:
    old = read(services.add(given(alice)))

    new = services.edit(old, given(bob, THERE)).registry

    assert identity(new) == of(bob)
    assert columns(old) == NOTHING


def test_another_certificate_at_another_address_is_not_paired_with_the_stored_key(alice: SelfSigned) -> None:
    registry = services.add(given(alice))
    more = alice.certificate.read_text() * 2  # so that the stored key would fit

    with pytest.raises(RegistryNotSaved, match="has no key") as refusal:
        services.edit(registry, Details(url=THERE, client_certificate=more))

    assert refusal.value.field == "client_key"
    assert identity(registry) == of(alice)


def test_whoever_retires_forgets_the_key_and_comes_back_without(alice: SelfSigned) -> None:
    old = read(services.add(given(alice)))
    services.retire(old, give_up_name=True)
    assert columns(old) == NOTHING

    back = services.add(Details(url=HERE))

    assert back == old
    assert columns(back) == NOTHING


def test_one_that_comes_back_may_have_a_new_key(alice: SelfSigned, bob: SelfSigned) -> None:
    old = read(services.add(given(alice)))
    services.retire(old, give_up_name=True)

    assert identity(services.add(given(bob))) == of(bob)


@pytest.mark.parametrize(
    ("certificate", "key", "field", "why"),
    [
        ("{alice}", "", "client_key", "has no key"),
        ("{alice}", "{bob_key}", "client_key", "key does not belong"),
        ("{alice}", "{locked}", "client_key", "encrypted: give it without a passphrase"),
        ("{alice}", "{cut}", "client_key", "cannot be read"),
        ("{alice}", "{beheaded}", "client_key", "No key in PEM form"),
        ("{alice}", "{path}", "client_key", "No key in PEM form"),
        ("{alice}", "nonsense", "client_key", "No key in PEM form"),
        ("", "{alice_key}", "client_certificate", "certificate that the key belongs to is missing"),
        ("{path_of_certificate}", "{alice_key}", "client_certificate", "No certificate in PEM form"),
        ("{alice_key}", "{alice_key}", "client_certificate", "A key is in that too"),
        ("{alice}{alice_key}", "", "client_certificate", "A key is in that too"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_sentence_without_the_key(  # noqa: PLR0913, PLR0917  all of them are the case
    certificate: str, key: str, field: str, why: str, alice: SelfSigned, bob: SelfSigned
) -> None:
    texts = {
        "alice": alice.certificate.read_text(),
        "alice_key": alice.key.read_text(),
        "bob_key": bob.key.read_text(),
        "locked": alice.locked(b"open sesame"),
        "cut": "\n".join([*alice.key.read_text().splitlines()[:2], "-----END PRIVATE KEY-----"]),
        "beheaded": alice.key.read_text().partition("\n")[2],
        "path": str(alice.key),  # of this machine, which no form may reach into
        "path_of_certificate": str(alice.certificate),
    }
    registry = services.add(Details(url=HERE, name="main"))
    details = Details(
        url=HERE, client_certificate=certificate.format(**texts), client_key=key.format(**texts), username="eve"
    )

    for refused in (lambda: services.edit(registry, details), lambda: services.add(details)):
        with pytest.raises(RegistryNotSaved, match=why) as refusal:
            refused()
        sentence = str(refusal.value)
        assert refusal.value.field == field
        assert sentence[0].isupper()
        assert sentence.endswith(".")
        assert not any(line in sentence for text in texts.values() for line in text.splitlines())
    assert [(row.username, *columns(row)) for row in Registry.objects.all()] == [("", "", "")]


@pytest.mark.parametrize("url", ["http://127.0.0.1:5000", "http://registry.example.org"])
def test_a_certificate_is_shown_over_https_alone(alice: SelfSigned, url: str) -> None:
    certificate, key = of(alice)

    with pytest.raises(RegistryNotSaved, match="only be shown over https") as refusal:
        services.add(Details(url=url, client_certificate=certificate, client_key=key, plain_http=True))

    assert refusal.value.field == "client_certificate"
    assert not Registry.objects.exists()


def test_the_same_identity_again_is_no_reason_to_test_again(alice: SelfSigned) -> None:
    registry = services.add(given(alice))
    Registry.objects.update(capabilities={"deletes": True})
    before = columns(registry)

    services.edit(registry, given(alice))

    registry.refresh_from_db()
    assert registry.capabilities == {"deletes": True}
    assert columns(registry) == before


def test_another_identity_has_to_be_tested_again(alice: SelfSigned, bob: SelfSigned) -> None:
    registry = services.add(given(alice))
    for details in (given(bob), Details(url=HERE)):
        Registry.objects.update(capabilities={"deletes": True})
        services.edit(registry, details)
        registry.refresh_from_db()
        assert registry.capabilities == {}


def test_rotation_encrypts_the_key_anew(alice: SelfSigned, settings: Settings) -> None:
    settings.CREDENTIALS_KEYS = [OLD]
    registry = services.add(given(alice))
    services.edit(registry, replace(given(alice), username="alice", password="open sesame"))
    settings.CREDENTIALS_KEYS = [NEW, OLD]
    out = io.StringIO()

    call_command("rotate_credentials", stdout=out)

    assert out.getvalue() == "2 stored passwords and keys are encrypted with the first key now.\n"
    assert Fernet(NEW).decrypt(columns(registry)[1]).decode() == alice.key.read_text()
    settings.CREDENTIALS_KEYS = [NEW]
    assert identity(registry) == of(alice)
    assert registry.password == "open sesame"


def test_a_lost_encryption_key_is_in_the_way_of_nothing_but_the_certificate(
    alice: SelfSigned, settings: Settings
) -> None:
    settings.CREDENTIALS_KEYS = [LOST]
    registry = services.add(given(alice))
    settings.CREDENTIALS_KEYS = [NEW]
    before = columns(registry)

    services.edit(registry, shown(alice, name="other"))

    registry.refresh_from_db()
    assert (registry.name, registry.client_key) == ("other", "")
    assert columns(registry) == before
    with pytest.raises(CommandError, match="No key opens what is stored for other:"):
        call_command("rotate_credentials", stdout=io.StringIO())
    with pytest.raises(InvalidCertificate, match="has no key"):
        client_for(registry)
    services.edit(registry, given(alice))
    assert identity(registry) == of(alice)


def test_a_dump_holds_no_key_and_can_be_loaded(alice: SelfSigned, tmp_path: Path) -> None:
    registry = services.add(given(alice))
    dump = tmp_path / "dump.json"
    call_command("dumpdata", "registries", output=str(dump), verbosity=0)
    assert "PRIVATE" not in dump.read_text()
    Registry.objects.all().delete()

    call_command("loaddata", str(dump), verbosity=0)

    assert identity(registry) == of(alice)
