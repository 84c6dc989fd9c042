from __future__ import annotations

import json
import shlex
import subprocess
from pathlib import Path
from urllib.parse import quote

import pytest
from django.test import Client
from django.utils import timezone

from catalog.models import IndexEntry, Manifest, Presence, Repository, Tag
from registries.models import Registry
from tests.pushing import Pusher
from tests.real_registry import RealRegistry
from tests.web import furniture as make
from tests.web.pages import Page
from web.pull import pull_commands

URL = "/r/local/team/app"


def see(client: Client, url: str) -> Page:
    response = client.get(url)
    assert response.status_code == 200
    return Page(response.content.decode().replace("\N{NO-BREAK SPACE}", " "))


@pytest.fixture
def app(local: Registry) -> Repository:
    return make.repository(local, "team/app")


@pytest.fixture
def index(app: Repository) -> make.Built:
    amd64 = make.image([("a", 31_600_000)], make.config(history=[{"created_by": "RUN y"}]))
    arm64 = make.image([("b", 1)], make.config() | {"architecture": "arm64"})
    for child in (amd64, arm64):
        make.put(app, child)
    built = make.index([("linux/amd64", amd64), ("linux/arm64", arm64), ("linux/s390x", make.blob_digest("never"))])
    make.put(app, built, "1.0")
    return built


def test_a_chosen_platform_has_commands_of_its_own(client: Client, index: make.Built, app: Repository) -> None:
    child = IndexEntry.objects.get(index=index.row, architecture="arm64").digest
    page = see(client, f"{URL}/-/tags/1.0?platform=linux/arm64")
    where = "registry.example.org/team/app"
    commands = page.copied
    for command in (
        f"docker pull --platform linux/arm64 {where}:1.0",
        f"podman pull --platform linux/arm64 {where}:1.0",
        f"skopeo --override-os linux --override-arch arm64 copy docker://{where}:1.0 oci:image",
        f"crane pull --platform linux/arm64 {where}:1.0 image.tar",
        f"docker pull --platform linux/arm64 {where}@{child}",
        f"skopeo copy docker://{where}@{child} oci:image",
        f"crane pull {where}@{child} image.tar",
    ):
        assert command in commands
    assert not [command for command in commands if f"{where}@{index.row.digest}" in command]
    assert "this is its own digest, not that of the index" in page.words
    missing = see(client, f"{URL}/-/tags/1.0?platform=linux/s390x")
    assert "This platform cannot be pulled" in missing.words
    assert not [command for command in missing.copied if " pull " in command]


def test_a_platform_that_a_shell_would_read_is_in_no_command(client: Client, app: Repository) -> None:
    child = make.image()
    make.put(app, child)
    make.put(app, make.index([("linux;reboot/amd64", child), ("--help/x", child)]), "1.0")
    for platform in ("linux;reboot/amd64", "--help/x"):
        commands = see(client, f"{URL}/-/tags/1.0?platform={quote(platform, safe='')}").copied
        assert f"docker pull registry.example.org/team/app@{child.row.digest}" in commands
        assert not [command for command in commands if "reboot" in command or "--help" in command]


def test_a_tag_that_went_has_no_command_while_its_digest_has(client: Client, app: Repository) -> None:
    built = make.image()
    make.put(app, built, "1.0", "latest")
    Tag.objects.filter(name="latest").update(gone_at=timezone.now())
    commands = see(client, f"{URL}/-/tags/latest").copied
    assert f"docker pull registry.example.org/team/app@{built.row.digest}" in commands
    assert not [command for command in commands if "app:latest" in command]


@pytest.mark.parametrize(
    ("kind", "auth", "lines"),
    [
        (Manifest.Kind.IMAGE, "basic", ["docker login registry.example.org", "skopeo login registry.example.org"]),
        (
            Manifest.Kind.CHART,
            "bearer",
            ["helm registry login registry.example.org", "oras login registry.example.org"],
        ),
        (Manifest.Kind.ARTIFACT, "basic", ["oras login registry.example.org"]),
        (Manifest.Kind.IMAGE, "none", []),
        (Manifest.Kind.IMAGE, None, []),
    ],
)
def test_signing_in_is_told_where_the_registry_asks_for_it(  # noqa: PLR0913, PLR0917  a table and what it is tried on
    client: Client, app: Repository, local: Registry, kind: Manifest.Kind, auth: str | None, lines: list[str]
) -> None:
    Registry.objects.update(capabilities={"auth": auth} if auth else {}, public_name="registry.example.org/under")
    make.put(app, make.image(kind=kind), "1.0")
    found = [command for command in see(client, f"{URL}/-/tags/1.0").copied if " login " in command]
    assert found == lines
    pushing = [command for command in see(client, "/").copied if " login " in command]
    assert pushing == (["docker login registry.example.org", "skopeo login registry.example.org"] if lines else [])


def test_an_index_that_went_is_told_as_it_was(client: Client, app: Repository, index: make.Built) -> None:
    Presence.objects.update(gone_at=timezone.now())
    Tag.objects.update(gone_at=timezone.now())
    for url in (f"{URL}/-/tags/1.0", f"{URL}/-/manifests/{index.row.digest}"):
        page = see(client, url)
        assert "linux/amd64 31.6 MB" in page.words
        assert "RUN y" in page.words
        assert "It can no longer be pulled" in page.words
        assert "is not in this repository" not in page.words
        assert not [command for command in page.copied if not command.startswith("sha256:")]


@pytest.mark.parametrize(
    ("platforms", "said"),
    [
        (["linux/amd64"], "The one platform that this index lists is not in this repository"),
        (["linux/amd64", "linux/arm64"], "None of the 2 platforms that this index lists is in this repository"),
    ],
)
def test_an_index_of_which_nothing_is_here_says_so(
    client: Client, app: Repository, platforms: list[str], said: str
) -> None:
    built = make.index([(platform, make.blob_digest(platform)) for platform in platforms])
    make.put(app, built, "1.0", state=Presence.State.INCOMPLETE)
    page = see(client, f"{URL}/-/tags/1.0")
    assert said in page.words
    assert "the others are whole" not in page.words
    assert "It cannot be pulled" in page.words


def test_skopeo_fetches_what_its_line_says(real_registry: RealRegistry, tmp_path: Path) -> None:
    push = Pusher(real_registry.url, "test/ways")
    amd64, arm64 = push.image(platform="linux/amd64"), push.image(platform="linux/arm64/v8")
    index = push.index("1.0", children=[amd64, arm64])
    where = f"{real_registry.url.removeprefix('http://')}/test/ways"
    for number, (name, kind, platform, expected) in enumerate(
        (
            (f"{where}:1.0", Manifest.Kind.INDEX, "", index),
            (f"{where}@{index}", Manifest.Kind.INDEX, "", index),
            (f"{where}:1.0", Manifest.Kind.INDEX, "linux/arm64/v8", arm64),
            (f"{where}:1.0", Manifest.Kind.INDEX, "linux/amd64", amd64),
            (f"{where}@{arm64}", Manifest.Kind.IMAGE, "linux/arm64/v8", arm64),
        )
    ):
        ways = pull_commands(name, kind, plain_http=True, platform=platform)
        line = next(command for command in ways if command.tool == "skopeo")
        folder = tmp_path / str(number)
        folder.mkdir()
        subprocess.run(shlex.split(f"{line.verb} {line.rest}"), cwd=folder, check=True, capture_output=True)
        assert json.loads((folder / "image/index.json").read_bytes())["manifests"][0]["digest"] == expected
