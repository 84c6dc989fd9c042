from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.versions import Version
from sync.ranges import InvalidRange, Range

# A range; what it holds; what it does not.
EXAMPLES = (
    ("1.2.3", "1.2.3 v1.2.3 1.2.3-alpine 1.2.3.0", "1.2.4 1.2.2 1.2"),
    ("=1.2.3", "1.2.3", "1.2.4"),
    ("v1.2.3", "1.2.3", "1.3"),
    ("1.2", "1.2 1.2.0 1.2.9 1.2.9-alpine3.20", "1.3 1.1.9 1"),
    ("1", "1 1.0 1.99.99", "0.9 2 2.0.0"),
    ("1.x", "1 1.99.99", "2.0.0 0.9"),
    ("1.2.X", "1.2 1.2.9", "1.3"),
    ("1.*", "1.0.0", "2"),
    ("1.x.x", "1.0.0", "2"),
    ("*", "0 1.2.3 2024-01-15", ""),
    ("x", "0.0.1", ""),
    (">=*", "0 1", ""),
    (">*", "", "0 1 9.9.9"),
    ("<*", "", "0 1"),
    (">1.2.3", "1.2.4 1.3 2", "1.2.3 1.2.3-alpine 1"),
    (">1.2", "1.3 1.3.0 2", "1.2 1.2.0 1.2.9"),
    (">1", "2 2.0.0", "1 1.9.9"),
    (">=1.22 <2", "1.22 1.22.0 1.99.0-bookworm", "1.21.13 2 2.0.0 1"),
    (">= 1.22, < 2", "1.22.0", "1.21 2"),
    ("<=1.2", "1.2 1.2.9 0.1", "1.3 1.3.0"),
    ("<=1.2.3", "1.2.3 1.2", "1.2.4"),
    ("<1.2", "1.1.9", "1.2 1.2.0"),
    ("<1.x", "0.9", "1 1.0.1"),
    ("^1.4", "1.4 1.4.0 1.99", "1.3.9 2 1"),
    ("^1.4.2", "1.4.2 1.9", "1.4.1 1.4 2"),
    ("^0.2.3", "0.2.3 0.2.9", "0.2.2 0.3"),
    ("^0.0.3", "0.0.3", "0.0.4 0.0.2"),
    ("^0.0", "0.0.0 0.0.9", "0.1"),
    ("^0.0.x", "0.0.9", "0.1"),
    ("^0", "0 0.9.9", "1"),
    ("^0.x", "0.9.9", "1.0"),
    ("^0.0.0", "0.0.0", "0.0.1"),
    ("~1.27.3", "1.27.3 1.27.9", "1.27.2 1.27 1.28"),
    ("~1.27", "1.27 1.27.9", "1.28 1.26.9"),
    ("~1", "1 1.99", "2 0.9"),
    ("~>1.27.3", "1.27.9", "1.28"),
    ("~0.2.3", "0.2.9", "0.3"),
    ("1.2 - 1.4", "1.2 1.2.0 1.4 1.4.9", "1.1.9 1.5 1"),
    ("1.2.3 - 1.4.5", "1.2.3 1.4.5", "1.2.2 1.4.6"),
    ("1.2 - 1.4 || 3", "1.3 3 3.9", "1.5 2 4"),
    ("^1.4 || ^2.1.0 || 24.04", "1.9 2.1 24.04 24.04.1", "2.0.9 3 24.10"),
    ("1.2||1.4", "1.2.1 1.4.1", "1.3"),
    (">=1.2 !=1.3.1", "1.3.0 1.3.2", "1.3.1 1.1"),
    ("!=1.3", "1.2 1.4", "1.3 1.3.9"),
    ("24.04", "24.04 24.4", "24.05 2024-04-01"),
    (">=2024.2", "2024-02-01 2024.10.01 20240115", "2024-01-31"),
    ("1.2.3.4", "1.2.3.4", "1.2.3 1.2.3.5"),
    (">=1.2.3.4 <1.2.4", "1.2.3.9", "1.2.3 1.2.4"),
)

NONE_AT_ALL = (
    *("", "  ", "||", "1 ||", "|| 1", "-", "1 -", "- 2", "latest", "1.2.", ".2", ".x", "1x", "1.2x", "1..2", "1.x.3"),
    *(">", ">=", "^", "~", "==1", "=>1", "=<1", ">>1", "<>1", "!1", "^~1", "1.2.3-rc.1", ">=1.0.0-0", "1.2.3+build"),
    *(
        "1.2 | 1.4",
        "1.2 && 1.4",
        ">1 - 2",
        "1 - <2",
        "1 - 2 - 3",
        "1234567890",
        "1.2.3.4.5.6.7.8.9",
        "-1",
        "\uff11.2",
        "²",
    ),
    *("\uff11.2", "²", "1\x00", "(1.2)", "[1.2,2.0)", ">=1" * 100, "1 " * 101, "\ud800"),
)


@pytest.mark.parametrize(("text", "inside", "outside"), EXAMPLES)
def test_a_range_holds_what_node_semver_would_say(text: str, inside: str, outside: str) -> None:
    tags = {**dict.fromkeys(inside.split(), True), **dict.fromkeys(outside.split(), False)}

    assert {tag: Range.parse(text).holds(version(tag)) for tag in tags} == tags


@pytest.mark.parametrize("text", NONE_AT_ALL)
def test_what_is_no_range_is_refused_whole(text: str) -> None:
    with pytest.raises(InvalidRange) as raised:
        Range.parse(text)

    assert len(raised.value.text) <= 200


def version(tag: str) -> Version:
    parsed = Version.parse(tag)
    assert parsed is not None
    return parsed


numbers = st.lists(st.integers(0, 999_999_999), min_size=1, max_size=8).map(lambda some: ".".join(map(str, some)))


@given(numbers)
def test_every_version_is_in_its_own_ranges(text: str) -> None:
    own = version(text)

    assert all(Range.parse(f"{sign}{text}").holds(own) for sign in ("", "=", ">=", "<=", "^", "~", "v"))
    assert not any(Range.parse(f"{sign}{text}").holds(own) for sign in (">", "<", "!="))


@given(numbers, numbers)
def test_a_version_is_below_a_bound_or_not_but_never_both(text: str, bound: str) -> None:
    one = version(text)

    assert Range.parse(f"<{bound}").holds(one) is not Range.parse(f">={bound}").holds(one)
    assert Range.parse(f">{bound}").holds(one) is not Range.parse(f"<={bound}").holds(one)
    assert Range.parse(f"<{bound} || >={bound}").holds(one)
    assert Range.parse(f"{bound} - {text}").holds(one) is Range.parse(f">={bound}").holds(one)


@given(st.text(max_size=300) | st.text("0123456789.xX*^~<>=!|-, v", max_size=210))
def test_any_text_is_a_range_or_is_refused(text: str) -> None:
    try:
        found = Range.parse(text)
    except InvalidRange:
        return
    assert isinstance(found.holds(version("1.2.3")), bool)
