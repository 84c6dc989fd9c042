from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.importing.document import DEEPEST, LARGEST, MOST, Expected, NotImported, parse_document

DOCUMENT = """\
common: &common
  allow: [a, b]
  deny: [c]
versions:
- 1.10
- "12:30"
- 2024-01-15
- 0o17
both:
  <<: *common
  deny: [d]
  more:
several:
  <<: [{allow: first}, *common]
flags: [true, No, "on"]
number: 1.5
empty: ""
nothing: ~
"""


def test_values_are_what_was_written_and_know_their_place() -> None:
    document = parse_document(DOCUMENT).mapping()
    versions = document["versions"].items()

    assert [version.text() for version in versions] == ["1.10", "12:30", "2024-01-15", "0o17"]
    assert [(version.where, version.line) for version in versions[:2]] == [("versions[0]", 5), ("versions[1]", 6)]
    assert [flag.flag() for flag in document["flags"].items()] == [True, False, True]
    assert document["number"].number() == 1.5
    assert document["empty"].text() == ""
    assert "nothing" not in document


def test_what_is_merged_gives_way_to_what_is_said() -> None:
    document = parse_document(DOCUMENT).mapping()
    both = document["both"].mapping()

    assert list(both) == ["allow", "deny"]
    assert [item.text() for item in both["allow"].items()] == ["a", "b"]
    assert [item.text() for item in both["deny"].items()] == ["d"]
    assert both["deny"].where == "both.deny"
    assert document["several"].mapping()["allow"].text() == "first"


@pytest.mark.parametrize("text", ["", "   \n", "# nothing\n", "~", "---\n...\n"])
def test_an_empty_document_is_an_empty_mapping(text: str) -> None:
    assert parse_document(text).mapping() == {}


@pytest.mark.parametrize(
    ("text", "expected", "line"),
    [
        ("a: [1\nb: 2\n", Expected.YAML, 2),
        ("a: 1\n\tb: 2\n", Expected.YAML, 2),
        ("a: *unknown\n", Expected.YAML, 1),
        ("a: &a [1, *a]\n", Expected.YAML, 1),
        ("a: 1\nb: !!python/object/apply:os.system [ls]\n", Expected.YAML, 2),
        ("a: !secret b\n", Expected.YAML, 1),
        ("a: \x00\n", Expected.YAML, 1),
        ("a: \ud800\n", Expected.YAML, 1),
        ("a: 1\n---\nb: 2\n", Expected.ONE_DOCUMENT, 2),
        ("a: 1\nb: 2\na: 3\n", Expected.ONE_KEY, 3),
        ("[a]: 1\n", Expected.TEXT, 1),
        ("- a\n", Expected.MAPPING, 1),
        ("just text", Expected.MAPPING, 1),
        ("a" * (LARGEST + 1), Expected.SMALLER, 1),
        ("ä" * (LARGEST // 2 + 1), Expected.SMALLER, 1),
        ("[" * 500, Expected.SMALLER, 1),
        ("\n" + "- " * (DEEPEST + 1) + "a", Expected.SMALLER, 2),
        ("a: [" + "1," * (MOST + 1) + "]", Expected.SMALLER, 1),
    ],
)
def test_what_is_no_document_of_ours_is_refused_with_its_line(text: str, expected: Expected, line: int) -> None:
    with pytest.raises(NotImported) as raised:
        parse_document(text).mapping()

    assert (raised.value.expected, raised.value.line) == (expected, line)


@pytest.mark.parametrize("text", ["[" * 100_000, "{a: " * 100_000, "- " * 100_000, "? " * 100_000])
def test_what_is_nested_too_deep_is_refused(text: str) -> None:
    with pytest.raises(NotImported):
        parse_document(text)


def test_a_billion_laughs_are_refused() -> None:
    lines = ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    lines += [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]" for level in range(1, 10)]

    with pytest.raises(NotImported) as raised:
        parse_document("\n".join(lines))

    assert raised.value.expected is Expected.SMALLER
    assert raised.value.line == 5  # where it would be more than MOST


def test_merges_that_double_are_refused_too() -> None:
    lines = ["a0: &a0 {k: v}"] + [
        f"a{level}: &a{level} {{<<: [*a{level - 1}, *a{level - 1}]}}" for level in range(1, 40)
    ]

    with pytest.raises(NotImported) as raised:
        parse_document("\n".join(lines))

    assert raised.value.expected is Expected.SMALLER


@pytest.mark.parametrize(
    ("value", "read", "expected"),
    [
        ("[a]", "text", Expected.TEXT),
        ("{a: b}", "items", Expected.LIST),
        ("a", "items", Expected.LIST),
        ("a", "mapping", Expected.MAPPING),
        ("maybe", "flag", Expected.FLAG),
        ("[yes]", "flag", Expected.FLAG),
        ("-1", "number", Expected.NUMBER),
        ("1e400", "number", Expected.NUMBER),
        ("12345678901", "number", Expected.NUMBER),
        ("{}", "number", Expected.NUMBER),
    ],
)
def test_a_value_of_another_shape_is_refused_without_repeating_it(value: str, read: str, expected: Expected) -> None:
    field = parse_document(f"outer:\n  inner: {value}\n").mapping()["outer"].mapping()["inner"]

    with pytest.raises(NotImported) as raised:
        getattr(field, read)()

    assert (raised.value.expected, raised.value.line, raised.value.where) == (expected, 2, "outer.inner")
    assert str(raised.value) == f"line 2, outer.inner: expected {expected}"


def test_a_place_stays_short() -> None:
    document = parse_document(f"{'k' * 500}:\n  {'l' * 500}: 1\n")
    (outer,) = document.mapping().values()

    assert all(len(field.where) <= 200 for field in (outer, *outer.mapping().values()))


@given(st.text(max_size=200) | st.text("ab:-[]{}&*!|>%@#?,'\"\\\n \t<~0", max_size=80))
def test_any_text_is_a_document_or_is_refused(text: str) -> None:
    with contextlib.suppress(NotImported):
        assert all(field.line >= 1 for field in parse_document(text).mapping().values())
