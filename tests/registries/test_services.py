from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pytest

from registries import services
from registries.models import Registry
from registries.services import Details, RegistryNotSaved
from tests.registries.reading import read

pytestmark = pytest.mark.django_db

HERE = "https://registry.example.org"
CANARY = "CANARY-7f3"


def made(leaving: Collection[str] = (), **said: Any) -> Registry:
    details = Details(**{"url": HERE, "username": "alice", "password": CANARY, **said})
    return services.add(details, leaving=leaving)


def test_a_registry_is_called_after_its_host() -> None:
    assert made().name == "registry-example-org"


def test_a_second_one_at_the_same_host_has_its_port_or_the_next_number() -> None:
    made()

    assert made(url=f"{HERE}:5000").name == "registry-example-org-5000"
    assert made(url=f"{HERE}/path").name == "registry-example-org-2"


def test_two_at_one_address_are_refused_however_it_is_typed() -> None:
    made(name="first")

    with pytest.raises(RegistryNotSaved, match="first is at that address already") as refusal:
        made(url="HTTPS://Registry.Example.org:443/", name="second")

    assert refusal.value.field == "url"


def test_two_of_one_name_are_refused() -> None:
    made(name="first")

    with pytest.raises(RegistryNotSaved) as refusal:
        made(url="https://elsewhere.example", name="first")

    assert refusal.value.field == "name"


@pytest.mark.parametrize("name", ["A", "a_b", "-a", "a-", "a--b", "a/b", "ä", "a\n", "x" * 41])
def test_a_name_is_a_word_for_urls(name: str) -> None:
    with pytest.raises(RegistryNotSaved) as refusal:
        made(name=name)

    assert refusal.value.field == "name"


@pytest.mark.parametrize("public", ["<script>", "a b", "x;rm", "https://registry.example.org", "-x", "a\n"])
def test_a_pull_command_begins_with_a_name_and_nothing_else(public: str) -> None:
    with pytest.raises(RegistryNotSaved) as refusal:
        made(public_name=public)

    assert refusal.value.field == "public_name"


@pytest.mark.parametrize("user", ["a:b", "a\nb", "a\0", "x" * 256])
def test_a_user_name_is_one_that_can_be_shown_to_a_registry(user: str) -> None:
    with pytest.raises(RegistryNotSaved, match="A user name has at most 255") as refusal:
        made(username=user, password="p")

    assert refusal.value.field == "username"


def test_an_address_is_no_longer_than_its_column() -> None:
    with pytest.raises(RegistryNotSaved, match="at most 500 characters") as refusal:
        made(url=f"https://registry.example.org/{'a' * 480}")

    assert refusal.value.field == "url"


def test_certificates_are_certificates(authority: str) -> None:
    for text in ("-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----", f"# \0\n{authority}"):
        with pytest.raises(RegistryNotSaved) as refusal:
            made(ca=text)

        assert refusal.value.field == "ca"


def test_no_key_is_kept_among_the_certificates(authority: str) -> None:
    with pytest.raises(RegistryNotSaved, match="A key is in that too") as refusal:
        made(ca=f"{authority}-----BEGIN EC PRIVATE KEY-----\nx\n-----END EC PRIVATE KEY-----")

    assert refusal.value.field == "ca"


def test_an_empty_password_keeps_the_stored_one() -> None:
    registry = made()

    services.edit(registry, Details(url=HERE, username="alice", public_name="r.example.org"))

    registry.refresh_from_db()
    assert (registry.password, registry.public_name) == (CANARY, "r.example.org")


def test_without_a_user_name_no_password_is_kept() -> None:
    registry = made()

    services.edit(registry, Details(url=HERE))

    registry.refresh_from_db()
    assert (registry.username, registry.password) == ("", "")


def test_whoever_takes_the_credentials_back_takes_back_where_they_may_go() -> None:
    registry = made()
    Registry.objects.filter(pk=registry.pk).update(realm="https://auth.example.org")

    services.edit(registry, Details(url=HERE))

    registry.refresh_from_db()
    assert registry.realm == ""


def test_the_same_address_in_another_spelling_is_the_same_registry() -> None:
    registry = made()

    edited = services.edit(registry, Details(url=f"{HERE}:443/", username="alice"))

    assert edited.left is None
    assert edited.registry.pk == registry.pk
    assert edited.registry.password == CANARY


@pytest.mark.parametrize(
    "url",
    [
        "http://registry.example.org",
        "https://registry.example.net",
        "https://registry.example.org:5000",
        "https://registry.example.org/path",
    ],
)
def test_another_address_is_another_registry_without_the_credentials(url: str) -> None:
    old = read(made(name="main"))
    Registry.objects.filter(pk=old.pk).update(realm="https://auth.example.org")

    edited = services.edit(old, Details(url=url, name="main", username="alice", plain_http=True))

    old.refresh_from_db()
    new = edited.registry
    assert (old.name, new.name) == ("main-old", "main")
    assert old.retired_at is not None
    assert new.retired_at is None
    for row in (old, new):
        assert (row.username, row.password, row.realm) == ("", "", "")


def test_credentials_that_were_given_in_the_same_form_go_with_the_new_address() -> None:
    old = made(name="main")

    new = services.edit(old, Details(url="https://new.example", username="bob", password="new")).registry

    assert (new.name, new.username, new.password) == ("main", "bob", "new")


def test_a_new_name_beside_a_new_address_leaves_the_old_row_its_name() -> None:
    old = read(made(name="main"))

    new = services.edit(old, Details(url="https://new.example", name="second")).registry

    old.refresh_from_db()
    assert (old.name, new.name) == ("main", "second")


def test_every_move_takes_the_next_free_name() -> None:
    registry = made(name="main")
    for number in range(3):
        registry = services.edit(read(registry), Details(url=f"https://r{number}.example")).registry

    retired = Registry.objects.exclude(retired_at=None).order_by("pk")
    assert [row.name for row in retired] == ["main-old", "main-old-2", "main-old-3"]
    assert [row.name for row in Registry.objects.active()] == ["main"]


def test_one_from_which_nothing_was_read_is_gone_after_a_move() -> None:
    old = made(name="main")

    edited = services.edit(old, Details(url="https://new.example"))

    assert (edited.left, edited.was_read) == (old, False)
    assert [row.url for row in Registry.objects.all()] == ["https://new.example"]


def test_an_address_that_is_named_again_brings_its_catalog_back_and_no_credentials() -> None:
    old = read(made(name="main"))
    typo = services.edit(old, Details(url="https://typo.example")).registry

    back = services.edit(typo, Details(url=HERE, username="alice", public_name="r.example.org")).registry

    assert back == old
    assert [row.name for row in Registry.objects.all()] == ["main"]
    assert (back.retired_at, back.username, back.password, back.public_name) == (None, "", "", "r.example.org")
    assert back.repositories.count() == 1


def test_one_that_is_added_again_has_its_old_name_where_that_is_free() -> None:
    old = read(made(name="main"))
    new = services.edit(old, Details(url="https://new.example")).registry
    services.edit(new, Details(url="https://new.example", name="other"))

    back = made(password="new")

    assert (back, back.name, back.password) == (old, "main", "new")


def test_one_that_is_being_removed_does_not_come_back() -> None:
    old = made(name="main")
    services.retire(old, give_up_name=True)

    assert made(leaving=[old.job_subject]) != old


def test_a_move_to_an_address_that_is_taken_changes_nothing() -> None:
    main = made(name="main")
    made(name="other", url="https://other.example")

    with pytest.raises(RegistryNotSaved):
        services.edit(main, Details(url="https://other.example"))

    main.refresh_from_db()
    assert (main.retired_at, main.password) == (None, CANARY)


def test_a_retired_registry_cannot_be_edited() -> None:
    old = read(made(name="main"))
    services.edit(old, Details(url="https://new.example"))

    with pytest.raises(RegistryNotSaved, match="retired"):
        services.edit(old, Details(url=HERE, username="eve", password="x"))


def test_what_is_reached_otherwise_has_to_be_tested_again() -> None:
    registry = made()
    Registry.objects.filter(pk=registry.pk).update(capabilities={"deletes": True})

    services.edit(registry, Details(url=HERE, username="bob", password="other"))

    registry.refresh_from_db()
    assert registry.capabilities == {}


def test_a_yes_is_only_for_the_token_service_that_was_shown() -> None:
    registry = made()
    Registry.objects.filter(pk=registry.pk).update(capabilities={"realm": "https://auth.example.org"})

    with pytest.raises(RegistryNotSaved):
        services.trust_realm(registry, "https://evil.example")
    services.trust_realm(registry, "https://auth.example.org")

    registry.refresh_from_db()
    assert (registry.realm, registry.password) == ("https://auth.example.org", CANARY)


def test_another_token_service_does_not_get_the_credentials_of_the_first() -> None:
    registry = made()
    Registry.objects.filter(pk=registry.pk).update(
        realm="https://auth.example.org", capabilities={"realm": "https://new-auth.example.org"}
    )

    services.trust_realm(registry, "https://new-auth.example.org")

    registry.refresh_from_db()
    assert registry.realm == "https://new-auth.example.org"
    assert (registry.username, registry.password) == ("", "")


@pytest.mark.parametrize("realm", ["http://auth.example.org", "https://169.254.169.254", "https://[::ffff:127.0.0.1]"])
def test_no_yes_to_a_token_service_that_nobody_should_trust(realm: str) -> None:
    registry = made()
    Registry.objects.filter(pk=registry.pk).update(capabilities={"realm": realm})

    with pytest.raises(RegistryNotSaved, match="cannot be trusted"):
        services.trust_realm(registry, realm)

    registry.refresh_from_db()
    assert registry.realm == ""


def test_no_yes_without_a_question() -> None:
    registry = made()

    for realm in ("", "https://auth.example.org"):
        with pytest.raises(RegistryNotSaved):
            services.trust_realm(registry, realm)


def test_no_secret_is_in_what_is_printed_of_details() -> None:
    assert CANARY not in repr(Details(url=HERE, username="alice", password=CANARY))


@pytest.mark.parametrize(
    "storage", ["registry", "./registry", "~/registry", "../srv", "/srv/a\nb", "/srv/\udcff", "/x" * 501]
)
def test_a_storage_folder_is_a_whole_path_that_can_be_kept(storage: str) -> None:
    registry = made(name="main")

    for refused in (
        lambda: services.edit(registry, Details(url=HERE, storage=storage)),
        lambda: services.add(Details(url="https://other.example", storage=storage)),
    ):
        with pytest.raises(RegistryNotSaved) as refusal:
            refused()
        assert refusal.value.field == "storage"
    assert [row.storage for row in Registry.objects.all()] == [""]


def test_who_says_nothing_of_the_storage_folder_keeps_it() -> None:
    registry = made(storage="/srv/registry")

    services.edit(registry, Details(url=HERE, public_name="r.example.org"))
    registry.refresh_from_db()
    assert registry.storage == "/srv/registry"

    services.edit(registry, Details(url=HERE, storage=""))
    registry.refresh_from_db()
    assert registry.storage == ""


@pytest.mark.parametrize("was_read", [False, True])
def test_a_storage_folder_is_of_one_address(*, was_read: bool) -> None:
    old = made(name="main", storage="/srv/registry")
    if was_read:
        read(old)

    new = services.edit(old, Details(url="https://new.example")).registry

    assert new.storage == ""


def test_a_storage_folder_comes_back_with_its_registry_unless_another_is_named() -> None:
    old = read(made(name="main", storage="/srv/registry"))
    new = services.edit(old, Details(url="https://new.example")).registry
    assert services.edit(read(new), Details(url=HERE)).registry.storage == "/srv/registry"

    services.retire(Registry.objects.get(url=HERE), give_up_name=True)
    assert services.add(Details(url=HERE, storage="/mnt/registry")).storage == "/mnt/registry"
    services.retire(Registry.objects.get(url=HERE), give_up_name=True)
    assert services.add(Details(url=HERE, storage="")).storage == ""


@pytest.mark.parametrize(
    ("storage", "is_kept"), [("/mnt/registry", False), ("", False), ("/srv/registry", True), (None, True)]
)
def test_another_storage_folder_has_to_be_looked_at_again(storage: str | None, *, is_kept: bool) -> None:
    registry = made(storage="/srv/registry")
    Registry.objects.filter(pk=registry.pk).update(capabilities={"deletes": True})

    services.edit(registry, Details(url=HERE, username="alice", storage=storage))

    registry.refresh_from_db()
    assert bool(registry.capabilities) is is_kept
