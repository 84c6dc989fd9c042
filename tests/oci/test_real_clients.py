from __future__ import annotations

import json
import subprocess

import pytest

from oci.client import RegistryClient
from oci.errors import InvalidName
from oci.names import Digest, Reference, RepositoryName, parse_tag
from tests.pushing import Pusher
from tests.real_registry import RealRegistry

HEX = "a" * 64
# Hosts by IPv6 address are left out: they are newer than the skopeo of Debian 12.
SAME = [
    "golang", "golang:1.22", "team/app", "localhost:5000/a", "localhost/a", "host:5000/a:1", "Host.io/a",
    "GHCR.io/a/b",
    f"golang@sha256:{HEX}", "a__b", "a.b/c-d--e", "index.docker.io/golang",
    "", "Golang", "docker.io/A", "a b", "a//b", "a:b:c", "a@sha256:x", "-host.io/a", "a..b/c",
    "localhost:port/a", "a:.b", HEX, "a/", "../a",
    "a:" + "b" * 129, "a:" + "b" * 128, "https://a.b/c", "a.b/../c", f"a@sha256:{HEX.upper()}", "ä/b.c",
    "host-.io/a", "a_b/c.-d",
]  # fmt: skip


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


def skopeo(*words: str) -> bytes:
    done = subprocess.run(["skopeo", *words], capture_output=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


@pytest.mark.parametrize("docker", [True, False])
def test_skopeo_reads_the_same_bytes_and_tags(
    docker: bool,
    client: RegistryClient,
    real_registry: RealRegistry,
    push: Pusher,
    repository: RepositoryName,
) -> None:
    image = push.image("1.0", docker=docker)
    push.index("2.0", children=[image], docker=docker)
    there = f"docker://{real_registry.url.removeprefix('http://')}/{repository}"

    for tag in ("1.0", "2.0"):
        fetched = client.manifest(repository, parse_tag(tag))
        assert fetched is not None
        raw = skopeo("inspect", "--raw", "--tls-verify=false", f"{there}:{tag}")
        assert fetched.content == raw
        assert fetched.digest == Digest.of(raw)

    listed = json.loads(skopeo("list-tags", "--tls-verify=false", there))["Tags"]
    assert sorted(tag for page in client.tags(repository) for tag in page.names) == sorted(listed)


@pytest.mark.parametrize("text", SAME)
def test_a_reference_is_one_to_us_when_it_is_one_to_skopeo(text: str) -> None:
    # Skopeo reads the reference before it finds out that there is no such folder.
    told = run("skopeo", "copy", "dir:/nonexistent", f"docker://{text}").stderr

    try:
        Reference.parse(text)
    except InvalidName:
        assert "Invalid destination name" in told
    else:
        assert "Invalid destination name" not in told
