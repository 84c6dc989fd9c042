from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.versions import Version
from sync.choosing import Choice, InvalidPattern, NewestBy, Why, choose
from sync.ranges import InvalidRange

HEX = "8c1f20e0" * 8
SIGNATURE = f"sha256-{HEX}.sig"
# As Docker Hub has them: releases, their flavours and lines, early ones, names, commits and what tools put there.
HUB = (
    *("1.27.3", "1.27.3-alpine", "1.27.3-alpine3.20", "1.27.2", "1.27.2-alpine", "1.27", "1.26.5", "1.26.5-alpine"),
    *("1.26", "1", "1.28-rc1", "1.28-rc1-alpine", "latest", "alpine", "main-8c1f20e", f"sha256-{HEX}", SIGNATURE),
)


def kept(choice: Choice, tags: tuple[str, ...] = HUB) -> set[str]:
    return {verdict.tag for verdict in choose(choice, tags) if verdict.is_in}


@pytest.mark.parametrize(
    ("choice", "tags"),
    [
        (Choice(), " ".join(tag for tag in HUB if not tag.startswith("sha256-"))),
        (Choice(allow=("latest",)), "latest"),
        (Choice(allow=("1.27.?",)), "1.27.3 1.27.2"),
        (
            Choice(allow=("1.26*", "*pine")),
            "1.26.5 1.26.5-alpine 1.26 1.27.3-alpine 1.27.2-alpine alpine 1.28-rc1-alpine",
        ),
        (Choice(allow=("1.27.3*",), deny=("*-alpine*",)), "1.27.3"),
        (Choice(allow=("1.27.3*",), deny=("1.27.3-alpine",)), "1.27.3 1.27.3-alpine3.20"),
        (Choice(allow=("latest",), deny=("latest",)), ""),
        (Choice(allow=("LATEST",)), ""),
        (Choice(allow=(r"/1\.2[67]/",)), "1.27 1.26"),  # the whole tag
        (Choice(allow=("/1|latest/",)), "1 latest"),
        (Choice(allow=("/(?i)LATEST/",)), "latest"),
        (Choice(allow=(r"/^1\.26$/",)), "1.26"),
        (Choice(allow=(r"/.*rc\d.*/",)), "1.28-rc1 1.28-rc1-alpine"),
        (Choice(allow=("1.27.3*", "1.26*"), deny=(r"/.*-.*/",)), "1.27.3 1.26.5 1.26"),
        (Choice(ranges=("~1.26",)), "1.26 1.26.5 1.26.5-alpine"),
        (Choice(ranges=(">=1.27.3",)), "1.27.3 1.27.3-alpine 1.27.3-alpine3.20"),
        (
            Choice(ranges=(">=1.27.3",), pre_releases=True),
            "1.27.3 1.27.3-alpine 1.27.3-alpine3.20 1.28-rc1 1.28-rc1-alpine",
        ),
        (Choice(ranges=("1.27.2", "1.26.5")), "1.27.2 1.27.2-alpine 1.26.5 1.26.5-alpine"),
        (Choice(allow=("*-alpine",), ranges=("1.x",)), "1.27.3-alpine 1.27.2-alpine 1.26.5-alpine"),
        (Choice(deny=("*-*",), ranges=("1.x",)), "1.27.3 1.27.2 1.27 1.26.5 1.26 1"),
        (Choice(newest=1), "1.27.3 1.27.3-alpine 1.27.3-alpine3.20"),
        (Choice(newest=2), "1.27.3 1.27.3-alpine 1.27.3-alpine3.20 1.27.2 1.27.2-alpine"),
        (Choice(newest=1, pre_releases=True), "1.28-rc1 1.28-rc1-alpine"),
        (Choice(newest=1, allow=("*-alpine",)), "1.27.3-alpine"),
        (Choice(newest=1, ranges=("~1.26",)), "1.26.5 1.26.5-alpine"),
        (Choice(newest=0), ""),
        (Choice(newest=-1), ""),
        (Choice(allow=("sha256-*",)), f"sha256-{HEX} {SIGNATURE}"),
        (Choice(allow=("/sha256-.*[.]sig/",)), SIGNATURE),
        (Choice(allow=("sha256-*",), ranges=("*",)), ""),
    ],
)
def test_a_choice_keeps_what_it_says(choice: Choice, tags: str) -> None:
    assert kept(choice) == set(tags.split())


@pytest.mark.parametrize(
    ("choice", "tag", "why", "detail"),
    [
        (Choice(), "latest", Why.ALL, ""),
        (Choice(), SIGNATURE, Why.TOOL, ""),
        (Choice(allow=("*",)), SIGNATURE, Why.TOOL, ""),
        (Choice(allow=("/.*/",)), f"sha512-{HEX}", Why.TOOL, ""),
        (Choice(deny=("sha256-*",)), SIGNATURE, Why.DENIED, "sha256-*"),
        (Choice(allow=("a*", "*t")), "latest", Why.ALLOWED, "*t"),
        (Choice(allow=("a*",)), "latest", Why.NOT_ALLOWED, ""),
        (Choice(allow=("*",), deny=("x", "l*", "*t")), "latest", Why.DENIED, "l*"),
        (Choice(ranges=("1.x",)), "latest", Why.NO_VERSION, ""),
        (Choice(ranges=("1.x",)), "1.2.3-14-g8c1f20e", Why.NO_VERSION, ""),
        (Choice(ranges=("1.x",)), "1.2.3-rc1", Why.PRE_RELEASE, ""),
        (Choice(ranges=("2.x", "1.x")), "1.2.3", Why.IN_RANGE, "1.x"),
        (Choice(ranges=("2.x", "3.x")), "1.2.3", Why.OUTSIDE, ""),
        (Choice(newest=1), "1.2.3", Why.NEWEST, ""),
        (Choice(newest=1), "latest", Why.NO_VERSION, ""),
        (Choice(newest=1), "1.2.3-rc1", Why.PRE_RELEASE, ""),
        (Choice(newest=1, newest_by=NewestBy.TIME), "latest", Why.NO_DATE, ""),
    ],
)
def test_a_verdict_says_why(choice: Choice, tag: str, why: Why, detail: str) -> None:
    (verdict,) = choose(choice, [tag])

    assert (verdict.tag, verdict.why, verdict.detail) == (tag, why, detail)


def test_verdicts_come_with_the_highest_version_first() -> None:
    assert [verdict.tag for verdict in choose(Choice(), ("1.9", "main", "1.10", "1.10-rc1"))] == [
        *("1.10", "1.10-rc1", "1.9", "main"),
    ]


def test_a_line_and_its_first_release_are_one_version() -> None:
    assert kept(Choice(newest=1), ("1.28", "1.28.0", "v1.28.0-alpine", "1.27.9")) == {
        *("1.28", "1.28.0", "v1.28.0-alpine"),
    }


def test_the_newest_by_time_are_tags_and_those_of_one_moment_go_by_version() -> None:
    start = datetime(2025, 1, 1, tzinfo=UTC)
    dates = {"main": start, "1.0": start - timedelta(days=9), "1.1": start - timedelta(days=1)}
    dates["1.2"] = dates["1.1"]
    choice = Choice(newest=2, newest_by=NewestBy.TIME)

    verdicts = {verdict.tag: verdict.why for verdict in choose(choice, [*dates, "undated"], dates)}

    assert verdicts == {
        "1.2": Why.NEWEST,
        "1.1": Why.NOT_NEWEST,
        "1.0": Why.NOT_NEWEST,
        "undated": Why.NO_DATE,
        "main": Why.NEWEST,
    }


@pytest.mark.parametrize(
    "pattern",
    [
        *("", "a b", "ä", "//", "/", "/1.2", "1/2", "/a/i", "/(/", "/[/", r"/(?=x)/", r"/(a)\1/", "/a{1001}/"),
        *("x" * 256, "/" + "x" * 254 + "/", "/\ud800/", "/((a{100}){100}){100}/", "/a\0b/"),
    ],
)
def test_what_is_no_pattern_is_refused_wherever_it_stands(pattern: str) -> None:
    for choice in (Choice(allow=(pattern,)), Choice(deny=(pattern,)), Choice(allow=("*",), deny=("a", pattern))):
        with pytest.raises(InvalidPattern) as raised:
            choice.check()
        with pytest.raises(InvalidPattern):
            choose(choice, [])
        assert len(raised.value.text) <= 255


def test_a_range_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidRange):
        Choice(ranges=("1.x", "newest")).check()


def test_an_expression_that_would_never_end_elsewhere_does_here() -> None:
    tags = ("a" * 127 + "b", "a" * 128)

    assert kept(Choice(allow=("/(a+)+/", "/(a|aa)+c/", "/(.*a){30}c/")), tags) == {"a" * 128}
    assert kept(Choice(allow=("*a" * 100 + "*b",)), tags) == {"a" * 127 + "b"}


def test_a_hundred_thousand_tags_get_their_verdicts() -> None:
    tags = [
        f"1.{minor}.{patch}{flavour}" for minor in range(100) for patch in range(500) for flavour in ("", "-alpine")
    ]
    choice = Choice(allow=("*-alpine", "/1[.]9.*/"), deny=("*.13-*",), ranges=(">=1.50",), newest=3)

    verdicts = choose(choice, tags)

    assert len(verdicts) == len(tags)
    assert [verdict.tag for verdict in verdicts if verdict.is_in] == [
        *("1.99.499-alpine", "1.99.499", "1.99.498-alpine", "1.99.498", "1.99.497-alpine", "1.99.497"),
    ]


tag_names = st.sampled_from(HUB) | st.from_regex(r"v?[0-3](\.[0-3]){0,2}(-(rc1|alpine))?", fullmatch=True)
patterns = st.sampled_from(("*", "1.*", "*-alpine", "latest", "/1.*/", r"/.*\d/", "sha256-*", "?"))
texts = st.sampled_from(("*", "1.x", ">=1.27", "^1 || 2", "~0.1", "!=1.2"))
choices = st.builds(
    Choice,
    st.lists(patterns, max_size=3).map(tuple),
    st.lists(patterns, max_size=2).map(tuple),
    st.lists(texts, max_size=2).map(tuple),
    st.booleans(),
    st.none() | st.integers(0, 4),
    st.sampled_from(NewestBy),
)
moments = st.datetimes(datetime(2024, 1, 1), datetime(2024, 1, 9), timezones=st.just(UTC))  # noqa: DTZ001


@given(choices, st.lists(tag_names, max_size=30), st.dictionaries(tag_names, moments), st.randoms())
def test_each_tag_gets_one_verdict_whatever_their_order(
    choice: Choice, tags: list[str], dates: dict[str, datetime], chance: random.Random
) -> None:
    verdicts = choose(choice, tags, dates)
    mixed = [*tags, *tags[:3]]
    chance.shuffle(mixed)

    assert sorted(verdict.tag for verdict in verdicts) == sorted(set(tags))
    assert choose(choice, mixed, dict(reversed(dates.items()))) == verdicts


@given(choices, st.lists(tag_names, max_size=30))
def test_a_denied_tag_is_never_in(choice: Choice, tags: list[str]) -> None:
    for verdict in choose(replace(choice, deny=("1.*",)), tags):
        assert verdict.tag.startswith("1.") is (verdict.why is Why.DENIED)


@given(choices, st.lists(tag_names, max_size=30), st.integers(0, 4))
def test_no_more_versions_are_kept_than_were_asked_for(choice: Choice, tags: list[str], most: int) -> None:
    everything = kept(replace(choice, newest=None), tuple(tags))
    newest = kept(replace(choice, newest=most, newest_by=NewestBy.VERSION), tuple(tags))

    assert newest <= everything
    assert len({padded(tag) for tag in newest}) <= most


def padded(tag: str) -> tuple[str, ...]:
    version = Version.parse(tag)
    assert version is not None
    return (*version.numbers, *("0",) * 8)[:8]
