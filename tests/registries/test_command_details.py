"""The command `registry`: what it is told beside the address: a certificate, a folder, repositories to watch."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import CommandError
from pytest_django import Settings

from catalog.models import WatchedRepository
from registries import services
from registries.models import Registry
from registries.services import Details
from tests.certificates import SelfSigned
from tests.pushing import Pusher
from tests.real_registry import RealRegistry
from tests.registries.commanding import run
from tests.registries.reading import read

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice(tmp_path: Path) -> SelfSigned:
    return SelfSigned.made(tmp_path / "alice")


@pytest.fixture
def guarded(tmp_path: Path, alice: SelfSigned) -> Iterator[tuple[str, str]]:
    """The address of a registry that lets in only Alice, and the file of the authority to trust."""
    server = SelfSigned.made(tmp_path / "server")
    with RealRegistry(tmp_path / "registry", tls=server.files, clients=alice.files) as registry:
        yield registry.url, str(server.certificate)


def test_a_client_certificate_is_given_kept_and_forgotten(guarded: tuple[str, str], alice: SelfSigned) -> None:
    url, ca = guarded
    files = ("--client-cert", str(alice.certificate), "--client-key", str(alice.key))
    said = run("add", url, "--name", "main", "--ca", ca, *files)
    assert "+ Reachable" in said
    assert "PRIVATE" not in said

    run("edit", "main", "--public", "r.example.org")
    registry = Registry.objects.get()
    assert (registry.client_certificate, registry.client_key) == tuple(path.read_text() for path in alice.files)

    with pytest.raises(CommandError, match="main cannot be used yet"):
        run("edit", "main", "--no-client-cert")
    registry.refresh_from_db()
    assert (registry.client_certificate, registry.client_key) == ("", "")
    assert "Client certificate" in run("list")

    run("edit", "main", *files)
    registry.refresh_from_db()
    assert registry.client_key == alice.key.read_text()


def test_a_client_certificate_does_not_go_to_another_address(guarded: tuple[str, str], alice: SelfSigned) -> None:
    url, ca = guarded
    run(
        "add",
        url,
        "--name",
        "main",
        "--ca",
        ca,
        "--client-cert",
        str(alice.certificate),
        "--client-key",
        str(alice.key),
    )
    read(Registry.objects.get())

    with pytest.raises(CommandError, match="main cannot be used yet"):
        run("edit", "main", "--url", "https://127.0.0.1:1")

    assert {(row.client_certificate, row.client_key) for row in Registry.objects.all()} == {("", "")}
    assert Registry.objects.count() == 2


def test_a_key_that_does_not_fit_changes_nothing(alice: SelfSigned, tmp_path: Path) -> None:
    services.add(Details(url="https://a.example", name="main"))
    bob = SelfSigned.made(tmp_path / "bob")

    with pytest.raises(CommandError, match="key does not belong") as refusal:
        run("edit", "main", "--client-cert", str(alice.certificate), "--client-key", str(bob.key))
    assert "PRIVATE" not in str(refusal.value)
    with pytest.raises(CommandError, match="certificate that the key belongs to is missing"):
        run("edit", "main", "--client-key", str(bob.key))

    registry = Registry.objects.get()
    assert (registry.client_certificate, registry.client_key) == ("", "")


def test_a_storage_folder_is_named_kept_and_forgotten(real_registry: RealRegistry, push: Pusher) -> None:
    push.image("1")
    said = run("add", real_registry.url, "--plain-http", "--name", "main", "--storage", str(real_registry.storage))
    assert "+ Its storage folder can be read" in said
    assert "Storage folder" in run("list")

    run("edit", "main", "--public", "r.example.org")
    assert Registry.objects.get().storage == str(real_registry.storage)

    said = run("edit", "main", "--storage", "/nowhere")
    assert "! Its storage folder cannot be read, so scans ask its API." in said
    assert Registry.objects.get().storage == "/nowhere"

    said = run("edit", "main", "--no-storage")
    assert "storage folder" not in said
    assert Registry.objects.get().storage == ""


def watched_names() -> set[str]:
    return set(WatchedRepository.objects.values_list("name", flat=True))


def test_repositories_are_watched_and_unwatched() -> None:
    services.add(Details(url="https://a.example", name="main"))
    assert run("watched", "main") == "None: ./run manage registry watch NAME REPOSITORY\n"

    assert run("watch", "main", "team/app", "base") == "2 repositories are watched now, 0 were already.\n"
    assert run("watch", "main", "team/app", "hello") == "1 repositories are watched now, 1 were already.\n"
    assert watched_names() == {"team/app", "base", "hello"}
    heads, *rows = run("watched", "main").splitlines()
    assert heads.split() == ["REPOSITORY", "STATE"]
    assert [row.split() for row in rows] == [["base", "unread"], ["hello", "unread"], ["team/app", "unread"]]

    assert run("unwatch", "main", "base", "nope") == "1 repositories are not watched any more.\n"
    assert watched_names() == {"team/app", "hello"}


def test_what_is_no_name_is_not_watched_and_the_others_are() -> None:
    services.add(Details(url="https://a.example", name="main"))

    with pytest.raises(CommandError) as refusal:
        run("watch", "main", "team/app", "Team/App", "a.example/b:1", "x\n\x1b[31m")

    said = str(refusal.value)
    assert "Team/App: The names of repositories have no capital letters." in said
    assert "a.example/b:1: Only the name is wanted" in said
    assert "\n" not in said
    assert "\x1b" not in said
    assert watched_names() == {"team/app"}


def test_what_is_watched_of_a_retired_registry_is_past() -> None:
    services.retire(services.add(Details(url="https://a.example", name="main")), give_up_name=False)

    for verb in (("watch", "main", "a"), ("unwatch", "main", "a"), ("watched", "main")):
        with pytest.raises(CommandError, match="main is retired: it can be read and removed, nothing else"):
            run(*verb)


def test_what_an_option_owns_is_changed_there(settings: Settings) -> None:
    registry = services.add(Details(url="https://a.example", name="main"))
    Registry.objects.filter(pk=registry.pk).update(from_environment=True)

    with pytest.raises(CommandError, match="--url: BERTH_REGISTRY_URL says that"):
        run("edit", "main", "--url", "https://b.example")
    with pytest.raises(CommandError, match="main comes from BERTH_REGISTRY_URL"):
        run("remove", "main", "--yes")


@pytest.mark.parametrize(
    ("words", "variable"),
    [
        (("--plain-http",), "PLAIN_HTTP"),
        (("--public", "r.example.org"), "PUBLIC"),
        (("--user", "bob"), "USER"),
        (("--password-from", "stdin"), "USER"),
        (("--no-credentials",), "USER"),
        (("--ca", "/ca.pem"), "CA"),
        (("--no-ca",), "CA"),
        (("--client-cert", "/c.pem"), "CLIENT_CERT"),
        (("--client-key", "/k.pem"), "CLIENT_KEY"),
        (("--no-client-cert",), "CLIENT_CERT"),
        (("--storage", "/mnt"), "STORAGE"),
        (("--no-storage",), "STORAGE"),
    ],
)
def test_each_field_is_changed_where_it_is_said(words: tuple[str, ...], variable: str, settings: Settings) -> None:
    registry = services.add(Details(url="https://a.example", name="main", storage="/srv/registry"))
    Registry.objects.filter(pk=registry.pk).update(from_environment=True)
    before = list(Registry.objects.values())
    for name in ("PUBLIC", "USER", "CA", "CLIENT_CERT", "STORAGE"):
        setattr(settings, f"REGISTRY_{name}", "said")
    named = "PASSWORD" if words[0] == "--password-from" else variable

    with pytest.raises(CommandError, match=f"{words[0]}: BERTH_REGISTRY_{named} says that; change it there"):
        run("edit", "main", *words)

    assert list(Registry.objects.values()) == before


def test_the_folder_of_our_own_registry_is_where_the_data_are(settings: Settings) -> None:
    ours = Details(url="http://127.0.0.1:1", name="local", plain_http=True)
    services.add(ours, from_environment=True, embedded=True)
    settings.REGISTRY_STORAGE = "/data/registry"

    with pytest.raises(CommandError, match="--no-storage: --data says that; change it there"):
        run("edit", "local", "--no-storage")
