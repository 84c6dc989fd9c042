"""The page Connect a client: what it prints for each registry, system and client."""

from __future__ import annotations

import json
import shlex
import tomllib
from typing import Final

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from access.models import User
from registries.models import Registry
from tests.web import furniture as make
from tests.web.pages import Page
from web.connect.choice import CLIENTS, SYSTEMS

PAGE: Final = "/registries/local/connect"
PEM: Final = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
CHOICES: Final = [(system, client) for system in SYSTEMS for client in CLIENTS]


def see(client: Client, query: str = "", **headers: str) -> Page:
    response = client.get(f"{PAGE}{query}", headers=headers)
    assert response.status_code == 200
    return Page(response.content.decode())


def of(system: str, client: str) -> str:
    return f"?system={system}&client={client}"


def current(page: Page) -> list[str]:
    """What is chosen of system and client."""
    return [
        link["href"].split("=")[-1] for link in page.all("a", **{"aria-current": "true"}) if "client=" in link["href"]
    ]


@pytest.fixture
def plain(local: Registry) -> Registry:
    Registry.objects.update(url="http://10.1.2.3:5000", plain_http=True, public_name="registry.lab:5000")
    return local


@pytest.fixture
def private(local: Registry) -> Registry:
    Registry.objects.update(ca=PEM, public_name="registry.lab:5000/under")
    return local


@pytest.mark.parametrize(
    ("system", "client_name", "file", "lines"),
    [
        ("linux", "docker", "/etc/docker/daemon.json", ["sudo systemctl reload docker", "docker info"]),
        ("macos", "docker", "Settings: Docker Engine", ["docker info"]),
        ("windows", "docker", r"C:\ProgramData\docker\config\daemon.json", ["Restart-Service docker"]),
        (
            "linux",
            "containerd",
            "/etc/containerd/certs.d/registry.lab:5000/hosts.toml",
            ["sudo systemctl restart containerd", "sudo crictl pull registry.lab:5000/team/app:1.0"],
        ),
        ("macos", "containerd", "/etc/containerd/certs.d/registry.lab:5000/hosts.toml", ["limactl shell default"]),
        (
            "windows",
            "containerd",
            r"C:\Program Files\containerd\certs.d\registry.lab_5000_\hosts.toml",
            ["Restart-Service containerd"],
        ),
        ("linux", "podman", "/etc/containers/registries.conf.d/local.conf", ["podman info"]),
        ("macos", "podman", "/etc/containers/registries.conf.d/local.conf", ["podman machine ssh"]),
        ("windows", "podman", "/etc/containers/registries.conf.d/local.conf", ["podman machine start"]),
    ],
)
def test_plain_http_is_allowed_where_each_client_looks_for_it(  # noqa: PLR0913, PLR0917  a table and what it is tried on
    client: Client, plain: Registry, system: str, client_name: str, file: str, lines: list[str]
) -> None:
    page = see(client, of(system, client_name))
    assert "Allow plain http" in page.words
    assert file in page.words
    assert set(lines) <= set(page.copied)


@pytest.mark.parametrize(
    ("system", "client_name", "line"),
    [
        ("linux", "docker", "sudo install -D -m 644 local-ca.crt /etc/docker/certs.d/registry.lab:5000/ca.crt"),
        ("macos", "docker", "cp local-ca.crt ~/.docker/certs.d/registry.lab:5000/ca.crt"),
        ("windows", "docker", r"Copy-Item local-ca.crt 'C:\ProgramData\docker\certs.d\registry.lab5000\ca.crt'"),
        ("linux", "containerd", "sudo install -D -m 644 local-ca.crt /etc/containerd/certs.d/registry.lab:5000/ca.crt"),
        (
            "windows",
            "containerd",
            r"Copy-Item local-ca.crt 'C:\Program Files\containerd\certs.d\registry.lab_5000_\ca.crt'",
        ),
        ("linux", "podman", "sudo install -D -m 644 local-ca.crt /etc/containers/certs.d/registry.lab:5000/ca.crt"),
        (
            "macos",
            "podman",
            (
                "podman machine ssh 'sudo install -D -m 644 /dev/stdin"
                " /etc/containers/certs.d/registry.lab:5000/ca.crt' < local-ca.crt"
            ),
        ),
    ],
)
def test_a_private_authority_is_trusted_where_each_client_looks_for_it(
    client: Client, private: Registry, system: str, client_name: str, line: str
) -> None:
    page = see(client, of(system, client_name))
    assert "Trust its certificate" in page.words
    assert "Allow plain http" not in page.words
    assert line in page.copied
    assert "/registries/local/ca" in page.links
    assert "helm push --ca-file local-ca.crt chart-1.0.0.tgz oci://registry.lab:5000/under/charts" in page.copied


@pytest.mark.parametrize(("system", "client_name"), CHOICES)
def test_what_stands_on_every_page_is_there(client: Client, local: Registry, system: str, client_name: str) -> None:
    """With and without plain http and a certificate; whatever is to be copied can be read by whom it is for."""
    for fields in ({}, {"ca": PEM}, {"plain_http": True, "url": "http://127.0.0.1:5000", "public_name": ""}):
        Registry.objects.update(**fields)
        page = see(client, of(system, client_name))
        assert current(page) == [client_name, client_name]
        assert "Push your first image" in page.words
        assert "Charts and other artifacts" in page.words
        for text in page.copied:
            if text.startswith("{"):
                assert json.loads(text)
            elif text.startswith(("[[", "server", "version")):
                assert tomllib.loads(text)
            else:
                assert "None" not in text
                assert shlex.split(text.replace("\\", "/"))


@pytest.mark.parametrize(
    ("name", "system", "folder"),
    [
        ("docker", "linux", "/etc/docker/certs.d/registry.example.org"),
        ("docker", "macos", "~/.docker/certs.d/registry.example.org"),
        ("podman", "macos", "/etc/containers/certs.d/registry.example.org"),
        ("containerd", "linux", "/etc/containerd/certs.d/registry.example.org"),
    ],
)
def test_a_registry_that_knows_its_clients_by_certificate_says_where_theirs_go(
    client: Client, local: Registry, name: str, system: str, folder: str
) -> None:
    assert "Show it a certificate of your own" not in see(client, of(system, name)).words
    Registry.objects.update(client_certificate=PEM)
    page = see(client, of(system, name))
    assert f"its key client.key into {folder}, readable for nobody else" in page.words
    assert PEM not in page.copied
    assert any("client.cert" in text for text in page.copied) == (name == "containerd")


def test_a_certificate_that_berth_has_not_is_a_fold(client: Client, local: Registry) -> None:
    page = see(client, of("linux", "podman"))
    assert "If its certificate is signed by an authority of your own" in page.words
    assert page.all("details", **{"class": "card fold-card"})
    assert "sudo install -D -m 644 ca.crt /etc/containers/certs.d/registry.example.org/ca.crt" in page.copied
    assert "/registries/local/ca" not in page.links


@pytest.mark.parametrize(
    ("found", "says", "has_lines"),
    [
        ({"auth": "basic"}, "The registry asks who you are.", True),
        ({"auth": "bearer", "problem": "unauthorized"}, "The registry asks who you are.", True),
        ({"generation": 2}, "The registry asks nobody who they are: there is nothing to sign in to.", False),
        ({"auth": "none"}, "The registry asks nobody who they are: there is nothing to sign in to.", False),
        ({"problem": "unreachable"}, "Berth has not found out yet whether the registry asks who you are.", True),
        ({}, "Berth has not found out yet whether the registry asks who you are.", True),
    ],
)
def test_signing_in_is_told_as_the_test_found_it(
    client: Client, local: Registry, found: dict[str, object], says: str, has_lines: bool
) -> None:
    Registry.objects.update(capabilities=found)
    for name, line in (
        ("docker", "docker login registry.example.org"),
        ("containerd", "nerdctl login registry.example.org"),
        ("podman", "podman login registry.example.org"),
    ):
        page = see(client, of("linux", name))
        assert says in page.words
        assert (line in page.copied) == has_lines


def test_pushing_is_told_for_each_client(client: Client, plain: Registry) -> None:
    for name, program in (("docker", "docker"), ("containerd", "nerdctl"), ("podman", "podman")):
        copied = see(client, of("linux", name)).copied
        assert f"{program} tag my-image registry.lab:5000/team/app:1.0" in copied
        assert f"{program} push registry.lab:5000/team/app:1.0" in copied
        assert "oras push --plain-http registry.lab:5000/files/report:1.0 report.pdf" in copied


@pytest.mark.parametrize(
    ("agent", "system"),
    [
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64)", "windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)", "macos"),
        ("Mozilla/5.0 (X11; Linux x86_64)", "linux"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X)", "linux"),
        ("", "linux"),
    ],
)
def test_the_system_is_that_of_the_browser_until_another_is_chosen(
    client: Client, local: Registry, agent: str, system: str
) -> None:
    page = see(client, user_agent=agent)
    chosen = [link["href"] for link in page.all("a", **{"aria-current": "true"})]
    assert f"?system={system}&client=docker" in chosen
    assert "?system=macos&client=docker" in [
        link["href"] for link in see(client, "?system=macos", user_agent=agent).all("a", **{"aria-current": "true"})
    ]
    assert see(client, "?system=%3Cb%3E&client=x", user_agent=agent).words == page.words


@pytest.mark.parametrize(
    ("tool", "chosen"),
    [("skopeo", "podman"), ("podman", "podman"), ("crictl", "containerd"), ("crane", "docker"), ("", "docker")],
)
def test_the_client_is_that_of_the_chosen_tool(
    client: Client, reader: User, local: Registry, tool: str, chosen: str
) -> None:
    User.objects.update(pull_tool=tool)
    assert current(see(client)) == [chosen, chosen]
    assert not see(client).all("button", name="tool")
    other = "docker" if chosen != "docker" else "podman"
    button = see(client, of("linux", other)).all("button", name="tool")[0]
    client.post("/pull-tool", {"tool": button["value"], "next": PAGE})
    assert current(see(client)) == [other, other]


def test_the_certificate_is_saved_and_never_opened(client: Client, private: Registry) -> None:
    response = client.get("/registries/local/ca")
    assert response.content.decode() == PEM
    assert response["Content-Disposition"] == 'attachment; filename="local-ca.crt"'
    assert response["Content-Type"] == "application/octet-stream"
    assert "sandbox" in response["Content-Security-Policy"]


def test_an_address_in_brackets_is_no_pattern_to_a_shell(client: Client, local: Registry) -> None:
    Registry.objects.update(url="https://[::1]:5000", public_name="")
    copied = see(client, of("linux", "podman")).copied
    lines = [line for line in copied if "certs.d" in line]
    assert [shlex.split(line)[-1] for line in lines] == [
        "/etc/containers/certs.d/[::1]:5000/ca.crt",
        "~/.config/containers/certs.d/[::1]:5000/ca.crt",
    ]
    assert all("'" in line for line in lines)


def test_the_page_costs_the_queries_of_its_frame_alone(
    client: Client, private: Registry, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(4):
        see(client, of("linux", "docker"))


def test_the_page_is_linked_from_where_people_look_for_it(client: Client, local: Registry) -> None:
    app = make.repository(local)
    make.put(app, make.image(), "1.0")
    for url in ("/", "/r/local", "/registries/local", "/r/local/team/app/-/tags/1.0"):
        assert PAGE in Page(client.get(url).content.decode()).links


def test_a_registry_that_is_not_there_has_no_page(client: Client, db: None) -> None:
    for url in ("/registries/nowhere/connect", "/registries/nowhere/ca"):
        assert client.get(url).status_code == 404


def test_readers_without_a_name_may_see_it_where_the_setting_says_so(settings: Settings, private: Registry) -> None:
    assert Client().get(PAGE).status_code == 302
    settings.ANONYMOUS_READ = True
    assert "Trust its certificate" in see(Client()).words
