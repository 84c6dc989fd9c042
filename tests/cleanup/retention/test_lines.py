"""Which versions stand in which line: a table of examples."""

from __future__ import annotations

import pytest

from cleanup.retention.lines import Standing, places
from cleanup.retention.terms import Line

pytestmark = pytest.mark.any_database

# The tags from which so many of each line are taken; those that stay; those that are no versions.
TABLE = [
    pytest.param(2, Line.ALL, "1.9.0 1.10.0 1.2.0", "1.10.0 1.9.0", "", id="by number, not by letter"),
    pytest.param(1, Line.MINOR, "1.4.1 1.4.2 1.5.0", "1.4.2 1.5.0", "", id="each minor line"),
    pytest.param(1, Line.MAJOR, "1.4.1 1.5.0 2.0.0", "1.5.0 2.0.0", "", id="each major line"),
    pytest.param(1, Line.ALL, "v1.4.2 1.4.2 1.4.1", "v1.4.2 1.4.2", "", id="one version with all its tags"),
    pytest.param(1, Line.ALL, "1.28 1.28.0 1.27.9", "1.28 1.28.0", "", id="zeros at the end say nothing"),
    pytest.param(1, Line.ALL, "1.2.3 1.2.3-alpine 1.2.2 1.2.2-alpine", "1.2.3 1.2.3-alpine", "", id="flavours"),
    pytest.param(1, Line.ALL, "1.2.3-17-jre 1.2.3-21-jre", "1.2.3-17-jre 1.2.3-21-jre", "", id="which may be numbered"),
    pytest.param(1, Line.ALL, "1.2.3-44 1.2.3-45 1.2.3", "1.2.3-45", "", id="a number behind is a build"),
    pytest.param(1, Line.ALL, "1.2.3.Final 1.2.2", "1.2.3.Final", "", id="final is no flavour"),
    pytest.param(1, Line.ALL, "1.3.0-rc1 1.3.0-rc2 1.2.0", "1.3.0-rc2 1.2.0", "", id="pre-releases beside releases"),
    pytest.param(5, Line.ALL, "1.3.0-rc1 1.3.0-rc2 1.3.0", "1.3.0", "", id="none once the release is out"),
    pytest.param(5, Line.ALL, "1.3.0-rc1 1.4.0", "1.4.0", "", id="nor once a later one is"),
    pytest.param(5, Line.MINOR, "1.3.0-rc1 1.4.0", "1.3.0-rc1 1.4.0", "", id="but only that of its own line"),
    pytest.param(1, Line.ALL, "1.3.0-rc1-alpine 1.3.0", "1.3.0-rc1-alpine 1.3.0", "", id="and of its own flavour"),
    pytest.param(1, Line.ALL, "1.3.0-rc.9 1.3.0-rc.10 1.3.0-beta.11", "1.3.0-rc.10", "", id="in their order"),
    pytest.param(1, Line.MINOR, "1.4.2 1.4.1 1.4 1", "1.4.2 1.4 1", "", id="floats stand with what they name"),
    pytest.param(1, Line.ALL, "1.5.0 1.4.2 1.4 1.5 1", "1.5.0 1.5 1", "", id="and fall with it"),
    pytest.param(1, Line.ALL, "1.5.0-alpine 1.4.2-alpine 1.4-alpine", "1.5.0-alpine", "", id="in their flavour too"),
    pytest.param(1, Line.ALL, "1.4 1.5", "1.5", "", id="versions of two numbers are no floats"),
    pytest.param(1, Line.MAJOR, "2024-01-15 2024-02-01 2023-12-31", "2024-02-01 2023-12-31", "", id="dates"),
    pytest.param(1, Line.ALL, "1.2.3 main latest", "1.2.3", "main latest", id="a branch is no version"),
    pytest.param(
        1, Line.ALL, "1.2.3 sha-8c1f20e 1.2.3-14-g8c1f20e", "1.2.3", "sha-8c1f20e 1.2.3-14-g8c1f20e", id="nor a commit"
    ),
]


@pytest.mark.parametrize(("most", "line", "tags", "kept", "others"), TABLE)
def test_the_newest_versions_of_each_line(most: int, line: Line, tags: str, kept: str, others: str) -> None:
    found = places({tag: f"digest of {tag}" for tag in tags.split()}, most, line, by_image=True)

    stays = {tag for tag, place in found.items() if place.standing in {Standing.NEWEST, Standing.FLOAT}}
    assert stays == set(kept.split())
    assert {tag for tag, place in found.items() if place.standing is Standing.NO_VERSION} == set(others.split())


def test_versions_of_one_image_count_once_where_images_are_counted() -> None:
    digests = {"1.3.0": "same", "1.2.0": "same", "1.1.0": "other", "1.0.0": "third"}

    by_image = places(digests, 2, Line.ALL, by_image=True)
    by_version = places(digests, 2, Line.ALL, by_image=False)

    assert [tag for tag, place in by_image.items() if place.standing is Standing.NEWEST] == ["1.3.0", "1.2.0", "1.1.0"]
    assert [tag for tag, place in by_version.items() if place.standing is Standing.NEWEST] == ["1.3.0", "1.2.0"]


def test_a_line_is_said_as_people_write_it() -> None:
    found = places({"1.4.2-alpine": "a", "2.0.0": "b"}, 1, Line.MINOR, by_image=True)

    assert {tag: place.line for tag, place in found.items()} == {"1.4.2-alpine": "1.4 alpine", "2.0.0": "2.0"}
