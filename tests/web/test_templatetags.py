from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.template import Context, Template
from django.test import RequestFactory
from django.utils import timezone, translation

from web.templatetags import berth, drawing


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1_000, "1 kB"),
        (20_000, "20 kB"),
        (999_499, "999 kB"),
        (999_500, "1.0 MB"),
        (98_400_000, "98.4 MB"),
        (119_600_000, "120 MB"),
        (14_200_000_000, "14.2 GB"),
        (1_070_000_000_000, "1.07 TB"),
        (412_000_000_000, "412 GB"),
        (9_223_372_036_854_775_807, "9.22 EB"),
        (None, ""),
    ],
)
def test_sizes_are_si_with_three_figures(count: int | None, text: str) -> None:
    assert berth.size(count).replace("\N{NO-BREAK SPACE}", " ") == text


@pytest.mark.parametrize(("count", "text"), [(0, "0"), (9316, "9,316"), (1_234_567, "1,234,567"), (None, "")])
def test_numbers_have_their_thousands_apart(count: int | None, text: str) -> None:
    assert berth.number(count) == text


@pytest.mark.parametrize(("part", "whole", "text"), [(72, 100, "72%"), (0, 5, "0%"), (1, 0, "")])
def test_percent_of_nothing_is_nothing(part: int, whole: int, text: str) -> None:
    assert berth.percent(part, whole) == text


@pytest.mark.parametrize(
    ("age", "text"),
    [
        (timedelta(seconds=-30), "just now"),
        (timedelta(seconds=2), "just now"),
        (timedelta(seconds=12), "12 s ago"),
        (timedelta(minutes=4), "4 min ago"),
        (timedelta(hours=3), "3 h ago"),
        (timedelta(hours=30), "yesterday"),
        (timedelta(days=2), "2 days ago"),
        (timedelta(days=14), "2 weeks ago"),
        (timedelta(days=29), "4 weeks ago"),
        (timedelta(days=30), "1 month ago"),
        (timedelta(days=364), "12 months ago"),
        (timedelta(days=800), "2 years ago"),
    ],
)
def test_ago_says_one_figure(age: timedelta, text: str) -> None:
    assert berth.ago(timezone.now() - age) == text


def test_exact_says_the_whole_moment() -> None:
    assert berth.exact(datetime(2026, 11, 24, 23, 56, 10, tzinfo=UTC)) == "24 Nov 2026, 23:56:10 UTC"
    assert berth.exact(None) == ""
    assert berth.ago(None) == ""


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.42, "0.4 s"), (12, "12 s"), (185, "3 min 5 s"), (7440, "2 h 4 min"), (None, "")],
)
def test_durations_have_two_units_at_most(seconds: float | None, text: str) -> None:
    assert berth.lasting(seconds) == text
    if seconds is not None:
        assert berth.lasting(timedelta(seconds=seconds)) == text


def test_a_digest_is_short_and_has_its_glyph() -> None:
    digest = "sha256:ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"
    assert berth.short(digest) == "ca978112ca1b"
    assert 'd="M1.5 1.75h11M1.5 6h8M1.5 10.25h7M1.5 14.5h2"' in drawing.glyph(digest)
    assert "h1M" in drawing.glyph("sha256:00ff"), "no bar is nothing"
    assert drawing.glyph("no digest") == ""


def test_a_moment_is_relative_to_read_and_exact_for_whoever_asks() -> None:
    when = timezone.now().replace(microsecond=0) - timedelta(hours=3)

    assert drawing.time(when) == (
        f'<span title="{berth.exact(when)}">3 h ago<span class="sr">, {berth.exact(when)}</span></span>'
    )


def test_platforms_leave_out_what_is_usual() -> None:
    assert [berth.short_platform(name) for name in ("linux/arm64/v8", "windows/amd64")] == ["arm64/v8", "windows/amd64"]


def test_a_moment_is_read_from_json() -> None:
    assert berth.moment("2026-11-24T23:56:10Z") == datetime(2026, 11, 24, 23, 56, 10, tzinfo=UTC)
    assert berth.moment("2026-11-24T23:56:10") == datetime(2026, 11, 24, 23, 56, 10, tzinfo=UTC)
    assert berth.moment("yesterday") is None
    assert berth.moment("2026-99-99T00:00:00Z") is None


@pytest.mark.parametrize(
    ("part", "whole", "text"), [(50, 100, "50.0"), (1, 10_000, "3.0"), (0, 100, "0.0"), (5, 0, "0.0"), (9, 3, "100.0")]
)
def test_a_bar_is_never_invisible_and_never_too_long(part: float, whole: float, text: str) -> None:
    assert berth.share(part, whole) == text


def test_a_command_shows_where_its_arguments_end() -> None:
    assert berth.words(["sh", "-c", 'echo "a b"']) == '["sh", "-c", "echo \\"a b\\""]'
    assert berth.words(["x" * 5000]).endswith("…")
    assert len(berth.words(["x"] * 10_000)) <= 1_001


def test_media_types_have_names() -> None:
    assert berth.media_type("application/vnd.oci.image.index.v1+json") == "OCI image index"
    assert berth.media_type("text/x") == "text/x"


def test_only_web_addresses_are_linked() -> None:
    assert berth.linked("https://example.org/a") == "https://example.org/a"
    assert berth.linked("javascript:alert(1)") == ""


def test_icons_are_drawn_by_name() -> None:
    drawn = drawing.icon("copy", 14)
    assert drawn.startswith('<svg width="14" height="14"')
    assert 'aria-hidden="true"' in drawn
    assert re.search(r'<use href="/static/icons\.[0-9a-f]{12}\.svg#copy"/>', drawn)


def test_a_digest_leads_somewhere_and_is_copied_whole() -> None:
    value = "sha256:" + "ab" * 32
    plain = drawing.digest(value)
    assert f'<span title="{value}">abababababab</span>' in plain
    assert "data-copy" not in plain
    whole = drawing.digest(value, '/r/x"onclick="y', copy=True)
    assert '<a href="/r/x&quot;onclick=&quot;y">abababababab</a>' in whole
    assert 'data-copy-beside aria-label="Copy the whole digest"' in whole


def test_platforms_are_chips_and_the_rest_is_counted() -> None:
    assert drawing.platforms([]) == ""
    names = ["linux/amd64", "linux/arm64", '<b>"', "windows/amd64", "linux/s390x"]
    drawn = drawing.platforms(names)
    assert drawn.count('<span class="chip plat"') == 4
    assert ">amd64<" in drawn
    assert 'title="&lt;b&gt;&quot;"' in drawn
    assert 'title="windows/amd64, linux/s390x"' in drawn
    assert "+2<" in drawn
    with translation.override("ko"):
        assert "그 외" in drawing.platforms(names)


def test_a_changed_query_keeps_the_rest_and_goes_to_page_one() -> None:
    request = RequestFactory().get("/", {"q": "a&b", "sort": "size", "page": "xyz"})
    template = Template("{% query sort='name' %} {% query q='' sort='' %}")
    assert template.render(Context({"request": request})) == "?q=a%26b&amp;sort=name /"
