"""The files that the page Connect a client prints, and that real clients get in by following it."""

from __future__ import annotations

import json
import os
import subprocess
import tomllib
from pathlib import Path
from typing import Final

import pytest
from django.test import Client

from registries.models import Registry
from tests.certificates import SelfSigned
from tests.pushing import Pusher
from tests.real_registry import RealRegistry
from tests.web.pages import Page
from web.connect import settings_files
from web.connect.place import Place

PAGE: Final = "/registries/local/connect?system=linux&client=podman"


def see(client: Client) -> Page:
    response = client.get(PAGE)
    assert response.status_code == 200
    return Page(response.content.decode())


@pytest.mark.parametrize("host", ["registry.example.org", "registry.lab:5000", "127.0.0.1:5000", "[::1]:5000", "[::1]"])
def test_the_files_are_read_as_they_are_meant(host: str) -> None:
    assert json.loads(settings_files.daemon_json(host)) == {"insecure-registries": [host]}
    assert tomllib.loads(settings_files.registries_conf(host)) == {"registry": [{"location": host, "insecure": True}]}
    entry: dict[str, object] = {"capabilities": ["pull", "resolve", "push"]}
    read = tomllib.loads(settings_files.hosts_toml(host, plain_http=True))
    assert read == {"server": f"http://{host}", "host": {f"http://{host}": entry}}
    entry |= {"ca": "ca.crt", "client": [["client.cert", "client.key"]]}
    read = tomllib.loads(settings_files.hosts_toml(host, client=True))
    assert read == {"server": f"https://{host}", "host": {f"https://{host}": entry}}


def test_containerd_is_told_its_folders_in_the_words_of_its_generation() -> None:
    folder = r"C:\Program Files\containerd\certs.d"
    first = tomllib.loads(settings_files.containerd_config(folder, generation=1))
    second = tomllib.loads(settings_files.containerd_config(folder, generation=2))
    assert first["plugins"]["io.containerd.grpc.v1.cri"]["registry"]["config_path"] == folder
    assert second["plugins"]["io.containerd.cri.v1.images"]["registry"]["config_path"] == folder
    assert (first["version"], second["version"]) == (2, 3)


@pytest.mark.parametrize(
    ("name", "docker", "containerd"),
    [
        ("registry.example.org", "registry.example.org", "registry.example.org"),
        ("registry.lab:5000", "registry.lab5000", "registry.lab_5000_"),
        ("registry.lab:5000/under", "registry.lab5000", "registry.lab_5000_"),
    ],
)
def test_folders_on_windows_have_no_colon(db: None, name: str, docker: str, containerd: str) -> None:
    place = Place.of(Registry(name="local", url="https://registry.example.org", public_name=name))
    assert (place.without_colon, place.with_underscores) == (docker, containerd)


def inspect(home: Path, reference: str) -> subprocess.CompletedProcess[str]:
    """skopeo of a person whose home this is, without a flag that would say what the page is to say."""
    command = ["skopeo", "inspect", "--format", "{{.Digest}}", f"docker://{reference}"]
    environment = {"PATH": os.environ["PATH"], "HOME": str(home)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=False)


def test_skopeo_reads_over_plain_http_with_the_printed_file(
    client: Client, local: Registry, real_registry: RealRegistry, push: Pusher, tmp_path: Path
) -> None:
    Registry.objects.update(url=real_registry.url, plain_http=True, public_name="")
    digest = push.image("1.0")
    reference = f"{real_registry.url.removeprefix('http://')}/{push.repository}:1.0"
    assert "server gave HTTP response to HTTPS client" in inspect(tmp_path, reference).stderr

    page = see(client)
    assert "write it to ~/.config/containers/registries.conf.d of your home" in page.words
    folder = tmp_path / ".config/containers/registries.conf.d"
    folder.mkdir(parents=True)
    (folder / "local.conf").write_text(next(text for text in page.copied if text.startswith("[[registry]]")))

    assert inspect(tmp_path, reference).stdout.strip() == digest


def test_skopeo_trusts_a_private_authority_after_the_printed_line(
    client: Client, local: Registry, tmp_path: Path
) -> None:
    signed, home = SelfSigned.made(tmp_path / "server"), tmp_path / "home"
    home.mkdir()
    with RealRegistry(tmp_path / "registry", tls=signed.files) as registry:
        Registry.objects.update(url=registry.url, ca=signed.certificate.read_text(), public_name="")
        reference = f"{registry.url.removeprefix('https://')}/test/nothing:1.0"
        assert "certificate signed by unknown authority" in inspect(home, reference).stderr

        (home / "local-ca.crt").write_bytes(client.get("/registries/local/ca").content)
        line = next(text for text in see(client).copied if text.startswith("install"))
        subprocess.run(["sh", "-c", line], cwd=home, env={"PATH": os.environ["PATH"], "HOME": str(home)}, check=True)

        assert "manifest unknown" in inspect(home, reference).stderr  # it was asked, and answered
