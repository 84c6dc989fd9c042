"""Between two real registries of different generations: what skopeo pulls from the target is what was at the source."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from oci.names import Digest, parse_repository, parse_tag
from oci.transfer.attached import Wanted, tag_of
from oci.transfer.heads import head
from oci.transfer.images import Order
from oci.transfer.selection import Form, Selection
from tests.oci.transfer.copier import Copier
from tests.pushing import OCI_CONFIG, Pusher
from tests.real_registry import RealRegistry

Registries = tuple[RealRegistry, RealRegistry]
APP = parse_repository("team/app")
COSIGN = "application/vnd.dev.cosign.simplesigning.v1+json"


@pytest.fixture
def push(registries: Registries) -> Pusher:
    return Pusher(registries[0].url, "team/app")


def pulled(registry: RealRegistry, reference: str, folder: Path) -> bytes:
    """The manifest of what skopeo pulls whole, each blob checked against its digest."""
    command = ["skopeo", "copy", "--all", "--src-tls-verify=false", "--quiet"]
    address = f"docker://{registry.url.removeprefix('http://')}/{reference}"
    subprocess.run([*command, address, f"dir:{folder}"], check=True, capture_output=True)
    return (folder / "manifest.json").read_bytes()


@pytest.mark.parametrize("docker", [True, False])
def test_an_image(copier: Copier, registries: Registries, push: Pusher, tmp_path: Path, *, docker: bool) -> None:
    layers = [b"one", b"x" * 3_000_000, b""]
    push.image("1.0", layers=layers, docker=docker)

    copied = copier.copy("team/app", "1.0", to="mirror/app")

    assert pulled(registries[1], "mirror/app:1.0", tmp_path / "out") == push.fetch("1.0")
    assert (copied.sent, copied.there, copied.mounted, copied.pulls) == (4, 0, 0, 1)
    assert copier.tally.moved == copied.bytes > 3_000
    # HEAD, POST and PUT of each blob; the manifest by its digest and by its tag.
    assert copier.target.transport.sent == 4 * 3 + 2


@pytest.mark.parametrize("docker", [True, False])
def test_an_index_with_attestations(
    copier: Copier, registries: Registries, push: Pusher, tmp_path: Path, *, docker: bool
) -> None:
    platforms = ("linux/amd64", "linux/arm64", "linux/arm/v7", "linux/s390x")
    children = [push.image(platform=platform, seed=platform, docker=docker) for platform in platforms]
    attested = {} if docker else {push.attestation({"of": child}): child for child in children}
    push.index("1.0", children=children, attestations=attested, docker=docker)

    copied = copier.copy("team/app", "1.0")

    assert pulled(registries[1], "team/app:1.0", tmp_path / "out") == push.fetch("1.0")
    assert copied.pulls == copied.manifests == 1 + len(children) + len(attested)


def test_an_index_in_an_index(copier: Copier, registries: Registries, push: Pusher) -> None:
    inner = push.index(children=[push.image(seed="inner")])
    push.index("1.0", children=[push.image(seed="outer"), inner])

    copier.copy("team/app", "1.0")

    there = Pusher(registries[1].url, "team/app")
    assert there.fetch("1.0") == push.fetch("1.0")
    assert there.fetch(inner) == push.fetch(inner)


def test_what_is_attached(copier: Copier, registries: Registries, push: Pusher) -> None:
    """By the tags that distribution needs, which has no API for it."""
    image = push.image("1.0")
    sbom = push.artifact(artifact_type="application/spdx+json", subject=image, content=b"sbom")
    about_it = push.artifact(artifact_type="application/vnd.in-toto+json", subject=sbom, content=b"about the sbom")
    digest = Digest.parse(image)
    for subject, referrer in ((image, sbom), (sbom, about_it)):
        push.index(tag_of(Digest.parse(subject)), children=[referrer])
    signature = push.artifact(tag_of(digest, "sig"), layer_type=COSIGN, artifact_type=OCI_CONFIG, content=b"signed")

    copied = copier.copy("team/app", "1.0", wanted=Wanted())

    there = Pusher(registries[1].url, "team/app")
    for one in (sbom, about_it, signature):
        assert there.fetch(one) == push.fetch(one)
    assert there.fetch(tag_of(digest, "sig")) == push.fetch(signature)
    listed = json.loads(there.fetch(tag_of(digest)))["manifests"]
    assert [(one["digest"], one["artifactType"]) for one in listed] == [(sbom, "application/spdx+json")]
    copier.attached.bring(Order(APP, digest, APP), copied, Wanted())
    assert json.loads(there.fetch(tag_of(digest)))["manifests"] == listed, "a second time it stands there once"


def test_kinds_that_are_not_wanted_stay(copier: Copier, registries: Registries, push: Pusher) -> None:
    image = push.image("1.0")
    for suffix, layer in (("sig", COSIGN), ("sbom", "application/spdx+json")):
        push.artifact(tag_of(Digest.parse(image), suffix), layer_type=layer, artifact_type=OCI_CONFIG)

    copier.copy("team/app", "1.0", wanted=Wanted(frozenset({"signature"})))

    assert head(copier.target, APP, tag_of(Digest.parse(image), "sig"))
    assert head(copier.target, APP, tag_of(Digest.parse(image), "sbom")) is None


def test_a_blob_travels_once_and_is_linked_from_then_on(copier: Copier, push: Pusher, registries: Registries) -> None:
    shared = b"base" * 100_000
    push.image("1.0", layers=[shared, b"a"], seed="a")
    other = Pusher(registries[0].url, "team/other")
    other.image("1.0", layers=[shared, b"b"], seed="b")

    first = copier.copy("team/app", "1.0")
    asked = copier.target.transport.sent
    second = copier.copy("team/other", "1.0")
    asked = copier.target.transport.sent - asked
    again = copier.copy("team/other", "1.0")

    assert (first.sent, first.mounted) == (3, 0)
    assert (second.sent, second.mounted) == (2, 1)
    # HEAD of each blob; POST and PUT of two, the POST that links the third; the manifest by its digest and by its tag.
    assert asked == 3 + 2 * 2 + 1 + 2
    assert (again.sent, again.mounted, again.there) == (0, 0, 3)


def test_another_run_copies_nothing_that_is_there(
    copier: Copier, push: Pusher, registries: Registries, tmp_path: Path
) -> None:
    push.index("1.0", children=[push.image(seed="a"), push.image(seed="b", platform="linux/arm64")])
    copier.copy("team/app", "1.0")

    with Copier(copier.source, copier.target) as another:
        again = another.copy("team/app", "1.0")

    assert (again.sent, again.pulls, another.tally.moved) == (0, 1, 0)
    assert pulled(registries[1], "team/app:1.0", tmp_path / "out") == push.fetch("1.0")


@pytest.mark.parametrize("at_the_target", ["a child", "a blob", "the tag"])
def test_what_is_half_there_is_made_whole(
    copier: Copier, push: Pusher, registries: Registries, tmp_path: Path, at_the_target: str
) -> None:
    """As a run that was killed leaves it."""
    children = [push.image(seed="a"), push.image(seed="b", platform="linux/arm64")]
    push.index("1.0", children=children)
    there = Pusher(registries[1].url, "team/app")
    if at_the_target == "a child":
        there.image(seed="a")
    elif at_the_target == "a blob":
        there.blob(b"hello")
    else:
        there.image("1.0", seed="old")

    copied = copier.copy("team/app", "1.0")

    assert pulled(registries[1], "team/app:1.0", tmp_path / "out") == push.fetch("1.0")
    assert copied.pulls == (2 if at_the_target == "a child" else 3)


def test_some_platforms(copier: Copier, push: Pusher, registries: Registries, tmp_path: Path) -> None:
    platforms = ("linux/amd64", "linux/arm64", "linux/s390x")
    children = [push.image(platform=platform, seed=platform) for platform in platforms]
    attested = {push.attestation({"of": child}): child for child in children}
    push.index("1.0", children=children, attestations=attested, annotations={"kept": "yes"})
    selection = Selection(("linux/amd64", "linux/arm64/v8"))

    copied = copier.copy("team/app", "1.0", selection=selection)

    index = json.loads(pulled(registries[1], "team/app:1.0", tmp_path / "out"))
    assert [one["digest"] for one in index["manifests"]] == [*children[:2], *list(attested)[:2]]
    assert index["annotations"] == {"kept": "yes"}
    again = copier.copy("team/app", "1.0", to="team/again", selection=selection)
    assert again.digest == copied.digest, "the same choice is the same index"


def test_the_one_image_of_a_platform(copier: Copier, push: Pusher, registries: Registries) -> None:
    child = push.image(platform="linux/arm64", seed="arm")
    push.index("1.0", children=[push.image(), child])

    copier.copy("team/app", "1.0", selection=Selection(("linux/arm64",), Form.CHILD))

    assert Pusher(registries[1].url, "team/app").fetch("1.0") == push.fetch(child)


def test_a_head_tells_what_a_tag_points_to(copier: Copier, push: Pusher) -> None:
    digest = push.image("1.0")
    found = head(copier.source, APP, parse_tag("1.0"))
    assert found is not None
    assert (str(found.digest), found.pulled) == (digest, False)
    assert head(copier.source, APP, parse_tag("absent")) is None
