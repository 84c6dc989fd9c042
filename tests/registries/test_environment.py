from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from registries import services
from registries.environment import from_environment, owners, planned
from registries.models import Registry
from registries.services import Details
from tests.registries.reading import read

pytestmark = pytest.mark.django_db

A, B = "https://a.example", "https://b.example"


class Options:
    """What `./run` was told, as settings."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def are(self, url: str = "", *, embedded: bool = False, **said: Any) -> Registry | None:
        values = {"PUBLIC": "", "USER": "", "PASSWORD": "", "CA": "", "PLAIN_HTTP": False} | said
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
    ours = options.are("http://127.0.0.1:5000", embedded=True)
    assert ours is not None

    assert set(owners(ours).values()) == {"--bind or --registry-port"}


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
    ],
)
def test_a_wrong_value_is_one_line_with_the_variable(
    options: Options, url: str, said: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(ImproperlyConfigured, match=complaint) as refusal:
        options.are(url, **said)

    assert "secret" not in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_certificates_may_be_a_file_or_the_text_itself(options: Options, tmp_path: Path, authority: str) -> None:
    file = tmp_path / "ca.pem"
    file.write_text(authority)

    by_path, by_text = options.are(A, CA=str(file)), options.are(A, CA=authority)

    assert by_path is not None
    assert by_text is not None
    assert by_path.ca == by_text.ca == authority
