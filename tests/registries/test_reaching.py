"""Registries that are reached in their own way, probed and scanned by what their row says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from catalog.models import Repository, Scan
from registries import services
from registries.clients import client_for
from registries.findings import Finding, Mark, findings
from registries.models import Registry
from registries.probing import probe
from registries.services import Details
from tests.catalog.scanning import last_scan, scan
from tests.certificates import SelfSigned
from tests.hostile import Hostile, Reply
from tests.oci.storage.conftest import without_rights
from tests.pushing import Pusher
from tests.real_registry import PASSWORD, SLOW_HTPASSWD, USERNAME, RealRegistry, generations
from tests.storage_layout import StorageLayout

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.any_database]

DISTRIBUTION = Reply.json({}, Docker_Distribution_Api_Version="registry/2.0")


def probed(details: Details) -> Registry:
    registry = services.add(details)
    probe(registry)
    registry.refresh_from_db()
    return registry


def about(registry: Registry, topic: str) -> list[Finding]:
    return [finding for finding in findings(registry) if finding.topic == topic]


def stored(folder: Path, *repositories: str) -> None:
    """Images in the storage folder of the RealRegistry that `folder` is of."""
    layout = StorageLayout(folder / "storage")
    for repository in repositories:
        layout.image(repository, "1")


# A client certificate


@pytest.fixture(scope="module", params=generations())
def guarded(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[RealRegistry, Details]]:
    """A registry that lets in whom it knows by a certificate, and what has to be said of it."""
    folder = tmp_path_factory.mktemp("guarded")
    server, alice = SelfSigned.made(folder / "server"), SelfSigned.made(folder / "alice")
    stored(folder, "team/app")
    with RealRegistry(folder, request.param, tls=server.files, clients=alice.files) as registry:
        certificate, key = (path.read_text() for path in alice.files)
        ca = server.certificate.read_text()
        yield registry, Details(registry.url, "main", ca=ca, client_certificate=certificate, client_key=key)


def test_who_shows_its_certificate_is_let_in(guarded: tuple[RealRegistry, Details]) -> None:
    registry = probed(guarded[1])

    scan(registry)

    assert registry.capability("problem") == ""
    assert [finding.sentence for finding in about(registry, "Sign-in")] == [
        "Asks for no password; it may know us by the client certificate that Berth shows it."
    ]
    assert (last_scan().complete, last_scan().tags) == (True, 1)


def test_who_shows_none_is_told_what_is_missing(guarded: tuple[RealRegistry, Details]) -> None:
    registry = probed(replace(guarded[1], client_certificate="", client_key=""))

    (finding,) = findings(registry)
    assert (finding.mark, finding.topic, finding.short) == (Mark.NO, "Sign-in", "Client certificate")
    assert finding.sentence == "It lets nobody in without a client certificate."
    assert finding.cure == "Give Berth one, and its key."
    registry.from_environment = True
    assert "BERTH_REGISTRY_CLIENT_CERT and BERTH_REGISTRY_CLIENT_KEY" in findings(registry)[0].cure


def test_who_shows_a_strange_one_is_told_so(
    guarded: tuple[RealRegistry, Details], tmp_path: Path, settings: object
) -> None:
    certificate, key = (path.read_text() for path in SelfSigned.made(tmp_path).files)
    registry = probed(replace(guarded[1], client_certificate=certificate, client_key=key))

    (finding,) = findings(registry)
    assert finding.short == "Client certificate"
    assert finding.sentence == "It does not trust the client certificate that Berth shows it."
    assert finding.cure == "Give one that its authority has signed."
    assert "PRIVATE" not in repr(finding)
    registry.from_environment, settings.REGISTRY_CLIENT_CERT = True, certificate  # type: ignore[attr-defined]
    assert findings(registry)[0].cure == "Give one that its authority has signed, in BERTH_REGISTRY_CLIENT_CERT."


# Pages


@pytest.mark.parametrize("generation", generations())
@pytest.mark.parametrize(("most", "found", "pages"), [(50, 0, 2), (150, 100, 1)])
def test_pages_are_as_large_as_the_probe_found(
    generation: str, most: int, found: int, pages: int, tmp_path: Path
) -> None:
    stored(tmp_path, *(f"team/app{number}" for number in range(60)))
    with RealRegistry(tmp_path, generation, settings={"catalog": {"maxentries": most}}) as real:
        registry = probed(Details(real.url, plain_http=True))

        with client_for(registry) as client:
            names = [name for page in client.repositories() for name in page.names]
        scan(registry)

    assert registry.capability("page_size") == found
    assert (len(names), client.transport.sent) == (60, pages)  # none of them was refused
    assert last_scan().repositories == 60
    (finding,) = about(registry, "Catalog")
    size = f"{found} names" if found else "as many names"
    assert finding.sentence.startswith(f"The catalog may be read, {size} a page")


def test_a_probe_asks_for_large_pages_again(real_registry: RealRegistry) -> None:
    registry = services.add(Details(real_registry.url, plain_http=True))
    Registry.objects.update(capabilities={"page_size": 0})
    registry.refresh_from_db()

    probe(registry)

    assert registry.capability("page_size") == 1000


# A path


@pytest.mark.parametrize("generation", generations())
def test_a_registry_may_live_under_a_path(generation: str, tmp_path: Path) -> None:
    stored(tmp_path, "team/app", "base/debian")
    with RealRegistry(tmp_path, generation, settings={"catalog": {"maxentries": 1}}) as real:
        real.__exit__()
        real._settings["http"] = {**real._config()["http"], "prefix": "/some/path/"}
        real.__enter__()
        registry = probed(Details(f"{real.url}/some/path/", plain_http=True))
        assert registry.capability("problem") == ""
        assert registry.capability("deletes") is True

        scan(registry)
        assert (last_scan().source, last_scan().complete, last_scan().tags) == (Scan.Source.API, True, 2)
        services.edit(registry, Details(registry.url, plain_http=True, storage=str(real.storage)))
        scan(registry)

    assert (last_scan().source, last_scan().complete, last_scan().tags) == (Scan.Source.FOLDER, True, 2)
    assert set(Repository.objects.values_list("name", flat=True)) == {"team/app", "base/debian"}


# A password that costs much


@contextmanager
def signed_in(folder: Path, *, htpasswd: bool | str) -> Iterator[Registry]:
    with RealRegistry(folder, htpasswd=htpasswd) as real:
        yield probed(Details(real.url, username=USERNAME, password=PASSWORD, plain_http=True))


def test_a_sign_in_that_costs_much_is_told_with_its_cure(tmp_path: Path) -> None:
    with signed_in(tmp_path, htpasswd=SLOW_HTPASSWD) as registry:
        slow, signs_in = about(registry, "Sign-in")

    assert (slow.mark, slow.short, signs_in.mark) == (Mark.NO, "Slow sign-in", Mark.OK)
    assert slow.sentence.startswith(f"Each request costs it {registry.capability('slow_auth_ms')} ms for the password")
    assert "htpasswd -nbB -C 5" in slow.cure
    registry.capabilities["slow_auth_ms"] = 66
    assert "to ask for 100,000 tags takes 1 h 50 min of its processor" in about(registry, "Sign-in")[0].sentence


def test_a_quick_sign_in_is_no_matter(tmp_path: Path) -> None:
    with signed_in(tmp_path, htpasswd=True) as registry:
        assert [finding.short for finding in about(registry, "Sign-in")] == [""]


# A storage folder


def test_a_storage_folder_that_can_be_read(real_registry: RealRegistry, push: Pusher) -> None:
    push.image("1")

    registry = probed(Details(real_registry.url, plain_http=True, storage=str(real_registry.storage)))

    (finding,) = about(registry, "Storage")
    assert (finding.mark, finding.short, finding.cure) == (Mark.OK, "Storage folder", "")


@pytest.mark.parametrize("kind", ["missing", "a file", "no storage"])
def test_a_storage_folder_that_cannot_be_read_is_told_with_its_cure(
    kind: str, tmp_path: Path, real_registry: RealRegistry
) -> None:
    folder = tmp_path / "storage"
    match kind:
        case "a file":
            folder.write_text("")
        case "no storage":
            (folder / "documents").mkdir(parents=True)

    check_no_folder(probed(Details(real_registry.url, plain_http=True, storage=str(folder))))


def test_a_storage_folder_that_is_shut_is_told_with_its_cure(tmp_path: Path, real_registry: RealRegistry) -> None:
    tmp_path.chmod(0)
    try:
        with without_rights():
            registry = probed(Details(real_registry.url, plain_http=True, storage=str(tmp_path)))
    finally:
        tmp_path.chmod(0o700)
    check_no_folder(registry)


def check_no_folder(registry: Registry) -> None:
    (finding,) = about(registry, "Storage")
    assert (finding.mark, finding.short) == (Mark.NO, "No folder")
    assert finding.sentence == "Its storage folder cannot be read, so scans ask its API."
    assert "rootdirectory" in finding.cure
    assert registry.storage in finding.why


def test_the_folder_of_what_is_no_distribution_is_left_alone(tmp_path: Path, hostile: Hostile) -> None:
    hostile.on("GET", "/v2/", Reply(200, b"{}", {"Docker-Distribution-Api-Version": "registry/2.0"}))
    hostile.on("GET", "/v2/_catalog", Reply.json({"repositories": []}))

    (finding,) = about(probed(Details(hostile.url, plain_http=True, storage=str(tmp_path))), "Storage")

    assert (finding.mark, finding.short) == (Mark.NOTE, "")
    assert "leave its storage folder alone" in finding.sentence


def test_who_names_no_folder_hears_of_none(real_registry: RealRegistry) -> None:
    assert about(probed(Details(real_registry.url, plain_http=True)), "Storage") == []


# A catalog that is closed


def test_a_catalog_that_is_closed_is_told_with_its_cure(hostile: Hostile) -> None:
    hostile.on("GET", "/v2/", DISTRIBUTION)
    hostile.on("GET", "/v2/_catalog", Reply.errors(403, "DENIED"))

    (finding,) = about(probed(Details(hostile.url, plain_http=True)), "Catalog")

    assert (finding.mark, finding.short) == (Mark.NO, "No catalog")
    assert "the repositories that are watched are scanned" in finding.sentence
    assert finding.cure.startswith("Name them on the page of the registry")
