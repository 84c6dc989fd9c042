from __future__ import annotations

import re
import traceback
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from registries import event_secrets, services
from registries.environment import from_environment, owners, planned
from registries.models import Registry
from registries.services import Details
from tests.certificates import SelfSigned
from tests.registries.reading import read

pytestmark = pytest.mark.django_db

A, B = "https://a.example", "https://b.example"


class Options:
    """What `./run` was told, as settings."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def are(self, url: str = "", *, embedded: bool = False, **said: Any) -> Registry | None:
        names = ("PUBLIC", "USER", "PASSWORD", "CA", "CLIENT_CERT", "CLIENT_KEY", "STORAGE", "EVENTS_SECRET")
        values = dict.fromkeys(names, "") | {"PLAIN_HTTP": False} | said
        for name, value in (values | {"URL": url, "EMBEDDED": embedded}).items():
            setattr(self._settings, f"REGISTRY_{name}", value)
        return from_environment()


@pytest.fixture
def options(settings: Settings) -> Options:
    return Options(settings)


def active() -> list[str]:
    return [registry.name for registry in Registry.objects.active().by_name()]


def test_nothing_named_makes_nothing(options: Options) -> None:
    assert options.are() is None
    assert not Registry.objects.exists()


def test_the_named_registry_gets_a_row(options: Options) -> None:
    registry = options.are(A, PUBLIC="r.example.org", USER="alice", PASSWORD="secret")

    assert registry is not None
    registry.refresh_from_db()
    assert (registry.name, registry.url, registry.public_name) == ("a-example", A, "r.example.org")
    assert (registry.username, registry.password) == ("alice", "secret")
    assert registry.from_environment
    assert not registry.embedded


def test_a_second_start_is_the_same_row(options: Options) -> None:
    first, second = options.are(A), options.are(A)

    assert first == second
    assert Registry.objects.count() == 1


def test_a_changed_option_is_followed(options: Options) -> None:
    first = options.are(A, USER="alice", PASSWORD="old")

    again = options.are(A, USER="alice", PASSWORD="new", PUBLIC="r.example.org")

    assert again is not None
    assert again == first
    assert (again.password, again.public_name) == ("new", "r.example.org")


def test_another_address_is_another_registry(options: Options) -> None:
    first = options.are(A, USER="alice", PASSWORD="secret")
    assert first is not None
    read(first)

    second = options.are(B)

    first.refresh_from_db()
    assert second is not None
    assert first.retired_at is not None
    assert (first.username, first.password) == ("", "")
    assert (second.name, second.username, second.password) == ("b-example", "", "")


def test_another_port_of_the_host_has_a_name_with_that(options: Options) -> None:
    first = options.are(A)
    assert first is not None
    read(first)

    second = options.are(f"{A}:5000")

    first.refresh_from_db()
    assert second is not None
    assert (first.name, second.name) == ("a-example", "a-example-5000")


@pytest.mark.parametrize("name", ["a-example", "main"])
def test_there_and_back_is_the_same_row_with_its_catalog_and_name(options: Options, name: str) -> None:
    first = options.are(A)
    assert first is not None
    services.edit(read(first), Details(url=A, name=name, public_name="r.example.org"))
    options.are(B)

    back = options.are(A, USER="alice", PASSWORD="secret")

    assert back == first
    assert back is not None
    assert (back.name, back.password, back.public_name) == (name, "secret", "r.example.org")
    assert list(Registry.objects.all()) == [back]


def test_a_plan_writes_nothing(options: Options) -> None:
    first = options.are(A, USER="alice", PASSWORD="secret")
    before = list(Registry.objects.values())
    settings.REGISTRY_URL = B

    plan = planned()

    assert plan is not None
    assert (plan.url, plan.name, plan.from_environment) == (B, "b-example", True)
    assert plan != first
    assert list(Registry.objects.values()) == before


def test_a_name_that_a_person_chose_stays(options: Options) -> None:
    first = options.are(A)
    assert first is not None
    services.edit(first, Details(url=A, name="main"))

    second = options.are(B)

    assert second is not None
    assert second.name == "main"


def test_our_own_registry_is_the_same_at_any_port(options: Options) -> None:
    first = options.are("http://127.0.0.1:5000", embedded=True)

    second = options.are("http://127.0.0.1:5001", embedded=True)

    assert first == second
    assert second is not None
    assert (second.name, second.url, second.retired_at) == ("local", "http://127.0.0.1:5001", None)


def test_our_own_registry_rests_while_another_is_named_and_comes_back(options: Options) -> None:
    ours = options.are("http://127.0.0.1:5000", embedded=True)

    options.are(A)
    assert active() == ["a-example"]
    back = options.are("http://127.0.0.1:5001", embedded=True)

    assert back == ours
    assert set(active()) == {"local", "a-example"}
    assert [row.name for row in Registry.objects.filter(from_environment=True)] == ["local"]


def test_a_registry_that_a_person_added_is_adopted(options: Options) -> None:
    theirs = services.add(Details(url=A, name="mine", username="alice", password="theirs"))

    ours = options.are(A)

    assert ours == theirs
    assert ours is not None
    ours.refresh_from_db()
    assert (ours.name, ours.username, ours.password) == ("mine", "alice", "theirs")
    assert ours.from_environment


def test_one_that_is_named_no_more_becomes_an_ordinary_one(options: Options) -> None:
    registry = options.are(A, USER="alice", PASSWORD="secret")
    assert registry is not None

    options.are()

    registry.refresh_from_db()
    assert not registry.from_environment
    assert registry.retired_at is None


def test_the_options_say_which_fields_are_theirs(options: Options) -> None:
    registry = options.are(A, USER="alice", PASSWORD="secret")
    assert registry is not None

    assert owners(registry) == {
        "url": "BERTH_REGISTRY_URL",
        "plain_http": "BERTH_REGISTRY_PLAIN_HTTP",
        "username": "BERTH_REGISTRY_USER",
        "password": "BERTH_REGISTRY_PASSWORD",
    }
    assert owners(services.add(Details(url=B))) == {}


def test_our_own_registry_is_where_the_options_of_the_start_say(options: Options) -> None:
    ours = options.are("http://127.0.0.1:5000", embedded=True, STORAGE="/data/registry")
    assert ours is not None

    here = "--bind or --registry-port"
    assert owners(ours) == {"url": here, "plain_http": here, "storage": "--data"}


def test_what_no_option_says_stays_as_a_person_set_it(options: Options) -> None:
    registry = options.are(A)
    assert registry is not None
    services.edit(registry, Details(url=A, username="alice", password="theirs", public_name="r.example.org"))

    again = options.are(A)

    assert again is not None
    assert (again.username, again.password, again.public_name) == ("alice", "theirs", "r.example.org")


@pytest.mark.parametrize(
    ("url", "said", "complaint"),
    [
        ("http://a.example", {}, "BERTH_REGISTRY_URL cannot be used: http:// .* BERTH_REGISTRY_PLAIN_HTTP"),
        ("https://user:secret@a.example", {}, "BERTH_REGISTRY_URL cannot be used: User name and password"),
        (A, {"PUBLIC": "a b"}, "BERTH_REGISTRY_PUBLIC"),
        (A, {"CA": "/nowhere/ca.pem"}, "BERTH_REGISTRY_CA='/nowhere/ca.pem' cannot be read"),
        (A, {"CA": "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----"}, "BERTH_REGISTRY_CA"),
        (A, {"STORAGE": "registry"}, "BERTH_REGISTRY_STORAGE: Give the whole path"),
        (A, {"CLIENT_CERT": "/nowhere.pem"}, "BERTH_REGISTRY_CLIENT_CERT='/nowhere.pem' cannot be read"),
        (A, {"CLIENT_KEY": "secret"}, "BERTH_REGISTRY_CLIENT_CERT is not set: it is what BERTH_REGISTRY_CLIENT_KEY"),
    ],
)
def test_a_wrong_value_is_one_line_with_the_variable(
    options: Options, url: str, said: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(ImproperlyConfigured, match=complaint) as refusal:
        options.are(url, **said)

    assert "secret" not in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("before", ["", "# NetLock Arany Főtanúsítvány\n"])
def test_certificates_may_be_a_file_or_the_text_itself(
    options: Options, tmp_path: Path, authority: str, before: str
) -> None:
    authority = before + authority
    file = tmp_path / "ca.pem"
    file.write_text(authority, encoding="utf-8")

    by_path, by_text = options.are(A, CA=str(file)), options.are(A, CA=authority)

    assert by_path is not None
    assert by_text is not None
    assert by_path.ca == by_text.ca == authority


@pytest.fixture
def alice(tmp_path: Path) -> SelfSigned:
    return SelfSigned.made(tmp_path / "alice")


def identity(registry: Registry | None) -> tuple[str, str]:
    assert registry is not None
    registry.refresh_from_db()
    return registry.client_certificate, registry.client_key


@pytest.mark.parametrize("as_paths", [True, False])
def test_a_client_certificate_and_its_key_may_be_files_or_the_texts_themselves(
    options: Options, alice: SelfSigned, *, as_paths: bool
) -> None:
    certificate, key = alice.certificate.read_text(), alice.key.read_text()
    said = tuple(map(str, alice.files)) if as_paths else (certificate, key)

    registry = options.are(A, CLIENT_CERT=said[0], CLIENT_KEY=said[1])

    assert identity(registry) == (certificate, key)
    assert registry is not None
    assert owners(registry) == {
        "url": "BERTH_REGISTRY_URL",
        "plain_http": "BERTH_REGISTRY_PLAIN_HTTP",
        "client_certificate": "BERTH_REGISTRY_CLIENT_CERT",
        "client_key": "BERTH_REGISTRY_CLIENT_KEY",
    }


def test_a_changed_client_certificate_is_followed_and_one_that_nobody_names_stays(
    options: Options, alice: SelfSigned, tmp_path: Path
) -> None:
    bob = SelfSigned.made(tmp_path / "bob")
    for who in (alice, bob):
        registry = options.are(A, CLIENT_CERT=str(who.certificate), CLIENT_KEY=str(who.key))
        assert identity(registry) == (who.certificate.read_text(), who.key.read_text())

    assert identity(options.are(A)) == (bob.certificate.read_text(), bob.key.read_text())
    assert identity(options.are(B)) == ("", "")


def test_a_lost_encryption_key_does_not_stop_a_start(options: Options, alice: SelfSigned, settings: Settings) -> None:
    options.are(A, CLIENT_CERT=str(alice.certificate), CLIENT_KEY=str(alice.key))
    settings.CREDENTIALS_KEYS = [Fernet.generate_key().decode()]

    assert identity(options.are(A)) == (alice.certificate.read_text(), "")
    named = options.are(A, CLIENT_CERT=str(alice.certificate), CLIENT_KEY=str(alice.key))
    assert identity(named) == (alice.certificate.read_text(), alice.key.read_text())


@pytest.mark.parametrize(
    ("key", "complaint"),
    [
        ("", "BERTH_REGISTRY_CLIENT_KEY: The client certificate has no key."),
        ("{other}", "BERTH_REGISTRY_CLIENT_KEY: The key does not belong to the client certificate."),
        ("{locked}", "BERTH_REGISTRY_CLIENT_KEY: The key of the client certificate is encrypted"),
        ("{beheaded}", "BERTH_REGISTRY_CLIENT_KEY cannot be read: give the path of a PEM file, or its content"),
        ("/dev/null", "BERTH_REGISTRY_CLIENT_KEY: The client certificate has no key."),
    ],
)
def test_a_wrong_key_is_one_line_with_the_variable_and_nothing_of_the_key(
    options: Options, alice: SelfSigned, tmp_path: Path, key: str, complaint: str
) -> None:
    texts = {
        "other": SelfSigned.made(tmp_path / "other").key.read_text(),
        "locked": alice.locked(b"open sesame"),
        "beheaded": alice.key.read_text().partition("\n")[2],
    }

    with pytest.raises(ImproperlyConfigured, match=re.escape(complaint)) as refusal:
        options.are(A, CLIENT_CERT=str(alice.certificate), CLIENT_KEY=key.format(**texts))

    told = "".join(traceback.format_exception(refusal.value))
    assert not any(line in told for text in texts.values() for line in text.splitlines()[1:-1])
    assert "\n" not in str(refusal.value)
    assert not Registry.objects.exists()


def test_no_client_certificate_is_shown_to_our_own_registry(options: Options, alice: SelfSigned) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"BERTH_REGISTRY_CLIENT_CERT: .* can only be shown over https"):
        options.are(
            "http://127.0.0.1:5000", embedded=True, CLIENT_CERT=str(alice.certificate), CLIENT_KEY=str(alice.key)
        )


def test_a_storage_folder_is_followed_whether_it_is_there_or_not(options: Options, tmp_path: Path) -> None:
    for folder in ("/nowhere", str(tmp_path), "/nowhere/else"):
        registry = options.are(A, STORAGE=folder)
        assert registry is not None
        registry.refresh_from_db()
        assert registry.storage == folder
        assert owners(registry)["storage"] == "BERTH_REGISTRY_STORAGE"


def test_a_storage_folder_that_no_option_names_stays_with_its_address(options: Options) -> None:
    registry = options.are(A)
    assert registry is not None
    services.edit(read(registry), Details(url=A, storage="/srv/registry"))

    again = options.are(A)
    assert again is not None
    assert again.storage == "/srv/registry"
    assert "storage" not in owners(again)
    elsewhere = options.are(B)
    assert elsewhere is not None
    assert elsewhere.storage == ""
    back = options.are(A)
    assert back == registry
    assert back is not None
    assert back.storage == "/srv/registry"


def test_the_folder_of_our_own_registry_goes_where_the_data_go(options: Options) -> None:
    here = "http://127.0.0.1:5000"
    first = options.are(here, embedded=True, STORAGE="/old/registry")

    again = options.are(here, embedded=True, STORAGE="/new/registry")

    assert again == first
    assert again is not None
    assert again.storage == "/new/registry"


def test_the_secret_of_the_events_is_kept_and_a_new_one_let_in_beside_it(options: Options) -> None:
    old, new = "o" * 43, "n" * 43
    registry = options.are(A, EVENTS_SECRET=old)
    assert registry is not None
    options.are(A, EVENTS_SECRET=old)
    options.are(A, EVENTS_SECRET=new)

    assert {event_secrets.owner(registry.name, f"Bearer {secret}") for secret in (old, new)} == {registry.pk}
    assert len(event_secrets.live(registry)) == 2


def test_where_no_secret_is_said_those_that_berth_issued_stay(options: Options) -> None:
    registry = options.are(A)
    assert registry is not None
    secrets = [event_secrets.issue(registry) for _ in range(2)]
    options.are(A)

    assert {event_secrets.owner(registry.name, f"Bearer {secret}") for secret in secrets} == {registry.pk}


def test_our_own_registry_calls_one_address_by_whatever_name_it_goes(options: Options) -> None:
    here = "http://127.0.0.1:5000"
    ours = options.are(here, embedded=True, EVENTS_SECRET="s" * 43)
    assert ours is not None
    Registry.objects.filter(pk=ours.pk).update(name="harbour")
    services.add(Details(url=B, name="local"))
    options.are(here, embedded=True, EVENTS_SECRET="s" * 43)

    assert event_secrets.owner("local", f"Bearer {'s' * 43}") == ours.pk


def test_the_secret_of_the_events_follows_to_another_address(options: Options) -> None:
    options.are(A, EVENTS_SECRET="s" * 43)
    second = options.are(B, EVENTS_SECRET="s" * 43)
    assert second is not None

    assert event_secrets.owner(second.name, f"Bearer {'s' * 43}") == second.pk


def test_a_source_that_the_options_name_is_ours_from_then_on(options: Options) -> None:
    source = services.add(Details(url=A, name="upstream", role="source"))
    registry = options.are(A)
    assert registry is not None
    assert (registry.pk, registry.name, registry.role) == (source.pk, "upstream", "catalog")
    assert list(Registry.objects.active()) == [registry]
