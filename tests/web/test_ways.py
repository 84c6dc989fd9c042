from __future__ import annotations

import json
import shlex
import subprocess
from pathlib import Path
from urllib.parse import quote

import pytest
from django.test import Client
from django.utils import timezone

from access.models import User
from catalog.models import IndexEntry, Manifest, Presence, Repository, Tag
from registries.models import Registry
from tests.pushing import Pusher
from tests.real_registry import RealRegistry
from tests.web import furniture as make
from tests.web.pages import Page
from web.commands.images import TOOLS, Wanted, fetch_image

URL = "/r/local/team/app"


def see(client: Client, url: str) -> Page:
    response = client.get(url)
    assert response.status_code == 200
    return Page(response.content.decode().replace("\N{NO-BREAK SPACE}", " "))


def prefer(person: User, tool: str) -> None:
    person.pull_tool = tool
    person.save()


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


@pytest.mark.parametrize(
    ("tool", "by_tag", "by_digest"),
    [
        ("docker", "docker pull --platform linux/arm64 {tag}", "docker pull --platform linux/arm64 {digest}"),
        ("podman", "podman pull --platform linux/arm64 {tag}", "podman pull --platform linux/arm64 {digest}"),
        ("nerdctl", "nerdctl pull --platform linux/arm64 {tag}", "nerdctl pull --platform linux/arm64 {digest}"),
        (
            "skopeo",
            "skopeo --override-os linux --override-arch arm64 copy docker://{tag} oci:image",
            "skopeo copy docker://{digest} oci:image",
        ),
        ("crane", "crane pull --platform linux/arm64 {tag} image.tar", "crane pull {digest} image.tar"),
        ("compose", "image: {tag}\nplatform: linux/arm64", "image: {digest}\nplatform: linux/arm64"),
        ("kubernetes", "", "image: {digest}"),  # neither can ask for another platform than its own
        ("crictl", "", "crictl pull {digest}"),
    ],
)
def test_a_chosen_platform_has_commands_of_its_own(  # noqa: PLR0913, PLR0917  a table and what it is tried on
    client: Client, reader: User, index: make.Built, tool: str, by_tag: str, by_digest: str
) -> None:
    prefer(reader, tool)
    child = IndexEntry.objects.get(index=index.row, architecture="arm64").digest
    where = "registry.example.org/team/app"
    page = see(client, f"{URL}/-/tags/1.0?platform=linux/arm64")
    wanted = [line.format(tag=f"{where}:1.0", digest=f"{where}@{child}") for line in (by_tag, by_digest) if line]
    assert [line for line in page.copied if where in line] == [wanted[-1], *wanted]  # the head has one as well
    assert "this is its own digest, not that of the index" in page.words
    missing = see(client, f"{URL}/-/tags/1.0?platform=linux/s390x")
    assert "This platform cannot be pulled" in missing.words
    assert not [command for command in missing.copied if where in command]


@pytest.mark.parametrize(
    ("tool", "line"),
    [
        ("docker", "docker pull {digest}"),
        ("podman", "podman pull --tls-verify=false {digest}"),
        ("nerdctl", "nerdctl --insecure-registry pull {digest}"),
        ("skopeo", "skopeo copy --all --src-tls-verify=false docker://{digest} oci:image"),
        ("crane", "crane pull --format=oci --insecure {digest} image"),
        ("crictl", "crictl pull {digest}"),
        ("kubernetes", "image: {digest}"),
        ("compose", "image: {digest}"),
        ("unheard-of", "docker pull {digest}"),
    ],
)
def test_plain_http_is_told_to_each_tool_or_said_where_to_set_it(
    client: Client, reader: User, index: make.Built, tool: str, line: str
) -> None:
    prefer(reader, tool)
    Registry.objects.update(url="http://127.0.0.1:5000", plain_http=True, public_name="registry.lab:5000")
    page = see(client, f"{URL}/-/tags/1.0")
    assert line.format(digest=f"registry.lab:5000/team/app@{index.row.digest}") in page.copied
    assert ("its daemon.json names it" in page.words) == (tool in {"docker", "compose", "unheard-of"})
    assert ("hosts.toml of its containerd" in page.words) == (tool in {"crictl", "kubernetes"})
    Registry.objects.update(public_name="127.0.0.1:5000")
    assert "It speaks plain http" not in see(client, f"{URL}/-/tags/1.0").words


def test_an_address_in_brackets_is_one_word_to_a_shell_and_a_text_to_yaml() -> None:
    wanted = Wanted("[::1]:5000/team/app:1.0", Manifest.Kind.IMAGE)
    for tool in TOOLS:
        command = fetch_image(tool, wanted)
        assert command
        line = f"{command.verb} {command.rest}"
        if tool in {"kubernetes", "compose"}:
            assert line == 'image: "[::1]:5000/team/app:1.0"'
        else:
            assert "[::1]:5000/team/app:1.0" in " ".join(shlex.split(line))
            assert "'" in line


@pytest.mark.parametrize(
    ("tag", "says"),
    [
        ("1.4.2", "1.4.2 is a full version: it should not move"),
        ("1.4", "1.4 names the same image as 1.4.2 today; it follows the newest 1.4.x."),
        ("latest", "latest names the same image as 1.4.2 today; it moves on when another is pushed."),
        ("sha-8c1f20e", "sha-8c1f20e names a commit: it should not move"),
        ("20261120", "20261120 names a day: it should not move"),
    ],
)
def test_a_page_says_what_its_reference_promises(client: Client, app: Repository, tag: str, says: str) -> None:
    built = make.image()
    make.put(app, built, "1.4.2", "1.4", "latest", "sha-8c1f20e", "20261120")
    words = see(client, f"{URL}/-/tags/{tag}").words
    assert f"{says}" in words
    assert "A digest never moves." in words
    assert "names the same" not in see(client, f"{URL}/-/manifests/{built.row.digest}").words


def test_a_tag_that_is_alone_says_that_it_moves(client: Client, app: Repository) -> None:
    for tag, says in (("1.4", "it follows the newest 1.4.x"), ("main", "it names whatever was pushed under it last")):
        make.put(app, make.image([(tag, 1)]), tag)
        assert f"{tag} moves: {says}" in see(client, f"{URL}/-/tags/{tag}").words


@pytest.mark.parametrize(
    ("tag", "lines"),
    [
        ("1.4.2", ["helm pull oci://{where} --version 1.4.2", "oras pull {where}:1.4.2"]),
        ("1.0.0-rc.1_b7", ["helm pull oci://{where} --version 1.0.0-rc.1+b7", "oras pull {where}:1.0.0-rc.1_b7"]),
        ("chart-1.4.2", ["oras pull {where}:chart-1.4.2"]),  # Helm asks for no such tag
    ],
)
def test_a_chart_is_asked_for_by_what_helm_takes(client: Client, app: Repository, tag: str, lines: list[str]) -> None:
    built = make.image(kind=Manifest.Kind.CHART)
    make.put(app, built, tag)
    page, where = see(client, f"{URL}/-/tags/{tag}"), "registry.example.org/team/app"
    by_digest = f"helm pull oci://{where}@{built.row.digest}"
    found = [line for line in page.copied if line.startswith(("helm", "oras"))]
    first = lines[0] if lines[0].startswith("helm") else by_digest
    by_tag = [line.format(where=where) for line in lines]
    assert found == [first.format(where=where), *by_tag, by_digest, f"oras pull {where}@{built.row.digest}"]
    assert "Helm asks by digest since version 3.18" in page.words
    assert not page.all("button", name="tool")


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
        (Manifest.Kind.IMAGE, "basic", ["docker login registry.example.org"]),
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


@pytest.mark.parametrize(
    ("tool", "line"),
    [
        ("podman", "podman login --tls-verify=false registry.lab:5000"),
        ("skopeo", "skopeo login --tls-verify=false registry.lab:5000"),
        ("nerdctl", "nerdctl --insecure-registry login registry.lab:5000"),
        ("compose", "docker login registry.lab:5000"),
        ("crane", "crane auth login -u USER --password-stdin registry.lab:5000"),
        (
            "kubernetes",
            (
                "kubectl create secret docker-registry my-login --docker-server=registry.lab:5000"
                " --docker-username=USER --docker-password=PASSWORD"
            ),
        ),
        ("crictl", ""),
    ],
)
def test_each_tool_signs_in_in_its_own_way(
    client: Client, reader: User, index: make.Built, tool: str, line: str
) -> None:
    prefer(reader, tool)
    Registry.objects.update(capabilities={"auth": "basic"}, public_name="registry.lab:5000", plain_http=True)
    page = see(client, f"{URL}/-/tags/1.0")
    assert [text for text in page.copied if "login" in text] == ([line] if line else [])
    assert ("crictl keeps no login" in page.words) == (tool == "crictl")


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
        line = fetch_image("skopeo", Wanted(name, kind, plain_http=True, platform=platform))
        assert line
        folder = tmp_path / str(number)
        folder.mkdir()
        subprocess.run(shlex.split(f"{line.verb} {line.rest}"), cwd=folder, check=True, capture_output=True)
        assert json.loads((folder / "image/index.json").read_bytes())["manifests"][0]["digest"] == expected
