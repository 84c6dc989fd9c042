from __future__ import annotations

import shutil

import pytest

from catalog import facets
from catalog.models import Label, Manifest, Presence
from catalog.versions import Group
from registries.models import Registry
from tests.catalog.scanning import scan
from tests.pushing import OCI_INDEX, Pusher
from tests.real_registry import RealRegistry

SIGNATURE = f"sha256-{'a' * 64}.sig"


def groups_in(found: int) -> set[Group]:
    return {group for group in Group if found & facets.of_group(group)}


def test_an_image_is_in_the_group_of_each_of_its_tags() -> None:
    assert groups_in(facets.of_tags(["1.4.2", "latest", "sha-8c1f20e"])) == {
        Group.RELEASE,
        Group.BRANCH,
        Group.COMMIT,
    }
    assert facets.of_tags([]) == 0


def test_only_what_has_no_tag_for_people_is_attached() -> None:
    assert facets.of_tags([SIGNATURE]) == facets.ATTACHED
    assert groups_in(facets.of_tags(["main"], before=facets.ATTACHED)) == {Group.BRANCH}
    assert not facets.of_tags(["main"], before=facets.ATTACHED) & facets.ATTACHED
    assert not facets.of_tags([SIGNATURE], before=facets.of_tags(["main"])) & facets.ATTACHED


@pytest.mark.parametrize("name", [*facets.PLATFORMS, facets.OTHER_PLATFORMS])
def test_a_platform_is_found_by_its_name(name: str) -> None:
    assert facets.platforms_in(facets.of_named_platform(name)) == [name]


def test_platforms_that_are_the_same_are_one_and_strange_ones_are_kept() -> None:
    assert facets.of_platform("linux/arm64/v8") == facets.of_platform("linux/arm64")
    assert facets.platforms_in(facets.of_platform("plan9/mips")) == [facets.OTHER_PLATFORMS]
    assert facets.of_platform("") == 0
    assert facets.of_named_platform("plan9/mips") == 0


def test_every_facet_is_a_bit_of_its_own_in_a_signed_column() -> None:
    bits = [facets.IMAGES, facets.CHARTS, facets.OTHERS, facets.ATTACHED]
    bits += [facets.of_group(group) for group in Group]
    bits += [facets.of_named_platform(name) for name in (*facets.PLATFORMS, facets.OTHER_PLATFORMS)]

    assert sum(bits) == facets.OF_TAGS | facets.OF_PLATFORMS | facets.IMAGES | facets.CHARTS | facets.OTHERS
    assert len({*bits}) == len(bits)
    assert sum(bits) < 2**63


def of_tag(name: str) -> int:
    return Presence.objects.get(tags__name=name, tags__gone_at=None).facets


@pytest.mark.django_db(transaction=True)
def test_scans_keep_the_facets_of_images(row: Registry, own_registry: RealRegistry) -> None:
    push = Pusher(own_registry.url, "team/app")
    labels = {"config": {"Labels": {"org.example.team": "harbour", "org.opencontainers.image.created": "now"}}}
    one = push.image("1.4.2", "main", layers=[b"one"], config=labels)
    push.index("multi", children=[push.image(platform="linux/arm64/v8", layers=[b"arm"])])
    nameless = {key: value for key, value in push.descriptor(one).items() if key != "platform"}
    push.manifest(
        {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [nameless]}, "nameless", media_type=OCI_INDEX
    )
    push.image(SIGNATURE, layers=[b"signature"])
    scan(row)

    assert of_tag("1.4.2") & facets.IMAGES
    assert groups_in(of_tag("1.4.2")) == {Group.RELEASE, Group.BRANCH}
    assert facets.platforms_in(of_tag("1.4.2")) == ["linux/amd64"]
    assert facets.platforms_in(of_tag("multi")) == ["linux/arm64"]
    assert facets.platforms_in(of_tag("nameless")) == ["linux/amd64"]  # its child alone knows
    assert of_tag(SIGNATURE) & facets.ATTACHED
    assert list(Label.objects.filter(manifest__digest=one).values_list("name__name", "value")) == [
        ("org.example.team", "harbour")
    ]

    push.image("main", layers=[b"two"])
    shutil.rmtree(own_registry.storage / "docker/registry/v2/repositories/team/app/_manifests/tags/multi")
    scan(row)

    assert groups_in(of_tag("1.4.2")) == {Group.RELEASE}
    assert groups_in(of_tag("main")) == {Group.BRANCH}
    assert Manifest.objects.get(digest=one).layers_key != 0
