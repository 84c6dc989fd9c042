from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.versions import Group, Version, group_of, tag_key

# In order: names, then versions from the lowest to the highest.
ORDER = (
    *("alpha", "Beta", "main", "release-1.2"),
    *("1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0"),
    *(
        "1.4",
        "1.4.2-SNAPSHOT",
        "v1.4.2",
        "1.4.2-alpine",
        "1.4.2-alpine3.9",
        "1.4.2-alpine3.20",
        "v1.4.3",
        "1.9",
        "1.10.0",
    ),
    *("2.0.0.RC1", "2.0.0.Final", "2.0.0.1", "3.13.0a1", "3.13.0b2", "3.13.0rc1", "3.13.0"),
    *("24.04", "2024-01-15", "2024.02.01", "2024.10.01", "20240115"),
)


def test_versions_stand_in_their_order_and_pre_releases_before_the_release() -> None:
    keys = [tag_key(tag) for tag in ORDER]

    assert keys == sorted(keys)


@pytest.mark.parametrize(
    ("group", "tags"),
    [
        (
            Group.RELEASE,
            "1 1.4 1.4.2 v1.4.2 V3 1.2.3.4 1.27-alpine 24.04 2024-01-15 20240115 1.0.0.Final 1.2.3-4 1.2.3_build5",
        ),
        (
            Group.PRE_RELEASE,
            "1.4.2-rc1 1.4.2-rc.1 2.0rc1 1.0.0-alpha.1 1.2.3-SNAPSHOT 2.0.0.M1 3.20-beta 1.2-dev 1.0-rc1-alpine",
        ),
        (Group.COMMIT, "sha-8c1f20e git-8c1f20e 8c1f20e main-8c1f20e-1732610000 1.2.3-14-g8c1f20e " + "0" * 40),
        (Group.BRANCH, "main latest stable edge pr-12 3d-model decade release-1.2 nightly-2024-01-15 feature_x"),
    ],
)
def test_a_tag_belongs_to_the_group_that_its_name_tells(group: Group, tags: str) -> None:
    assert {tag: group_of(tag) for tag in tags.split()} == dict.fromkeys(tags.split(), group)


@pytest.mark.parametrize(("tag", "is_full"), [("1.4.2", True), ("1.4", False), ("v1", False), ("2024-01-15", True)])
def test_a_full_version_names_one_release(tag: str, is_full: bool) -> None:
    version = Version.parse(tag)

    assert version is not None
    assert version.is_full is is_full


tag_names = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}", fullmatch=True, alphabet=st.characters(codec="ascii"))


@given(tag_names, tag_names)
def test_different_tags_have_different_keys(one: str, other: str) -> None:
    assert (tag_key(one) == tag_key(other)) == (one == other)
    assert len(tag_key(one)) <= 600
