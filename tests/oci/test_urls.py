from __future__ import annotations

from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from urllib3.util import parse_url

from oci.errors import InvalidName
from oci.urls import Origin, Url

GOOD = [
    ("http://a", "http://a/"),
    ("HTTPS://Example.COM", "https://example.com/"),
    ("https://a:443/x", "https://a/x"),
    ("http://a:443/x?y=z", "http://a:443/x?y=z"),
    ("http://[::1]:5000/", "http://[::1]:5000/"),
    ("http://my_registry:5000/v2/", "http://my_registry:5000/v2/"),
    ("https://a/x%2Fy?z=%20", "https://a/x%2Fy?z=%20"),
]
BAD = [
    "", "a", "//a/b", "/a", "ftp://a", "file:///etc/passwd", "javascript:alert(1)", "http:/a", "http:a", "http://",
    "http://u@a", "http://u:p@a", "http://a@b/", "http://a:0", "http://a:65536", "http://a:x", "http://a:",
    "http://a b",
    "http://a/b c", "http://a/\n", "http://a/#f", "http://a\\b", "http://a/\\b", "http://a/..", "http://a/../b",
    "http://a/./b",
    "http://a/%2e%2e/b", "http://a/%2E./b", "http://a/b/..%2fc", "http://a/..%5cb", "http://\u00e4",
    "http://a/\u00e4", "http\u017f://a",
    "http://\u212a", "http://[::1", "http://[1.2.3.4]",
    "http://[:::]", "http://::1", "http://a?b\\c", "http://a/%", "http://a/%4", "http://a/%zz", "http://a?%",
    "http://" + "a" * 300,
    "http://a/" + "b" * 9000, " http://a", "http://.a",
]  # fmt: skip


@pytest.mark.parametrize(("text", "full"), GOOD)
def test_an_address_is_read_and_written_in_one_form(text: str, full: str) -> None:
    assert str(Url.parse(text)) == full
    assert Url.parse(full) == Url.parse(text)


@pytest.mark.parametrize("text", BAD)
def test_an_address_that_readers_may_take_differently_is_refused(text: str) -> None:
    with pytest.raises(InvalidName):
        Url.parse(text)


@given(st.text() | st.from_regex(r"https?://[a-z0-9]{1,9}[ -~]{0,30}", fullmatch=True))
def test_whatever_is_accepted_reads_the_same_to_the_parsers_that_send_it(text: str) -> None:
    try:
        url = Url.parse(text)
    except InvalidName:
        return

    for read in (urlsplit(str(url)), parse_url(str(url))):
        assert read.scheme == url.origin.scheme
        assert (read.hostname or "").strip("[]") == url.origin.host.strip("[]")
        assert (read.port or {"http": 80, "https": 443}[url.origin.scheme]) == url.origin.port
        assert (read.path or "").upper() == url.path.upper()  # urllib3 writes %2f as %2F
        assert unquote(read.query or "") == unquote(url.query)


@given(st.text())
def test_a_location_leads_to_an_address_or_nowhere(location: str) -> None:
    try:
        url = Url.parse("https://a.test/v2/x?y").join(location)
    except InvalidName:
        return

    assert Url.parse(str(url)) == url


def test_an_origin_is_scheme_host_and_port() -> None:
    origins = {Url.parse(text).origin for text in ("http://a", "https://a", "http://a:81", "http://b", "http://a:80/x")}

    assert len(origins) == 4
    assert str(Origin("https", "a", 443)) == "https://a"
    assert str(Origin("https", "a", 80)) == "https://a:80"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://alice:canary@host/x", "…@host/x"),
        ("https://alice:can@ry@host/x", "…@host/x"),
        ("ftp://host/?token=canary", "ftp://host/"),
        ("ftp://host/#canary", "ftp://host/"),
        ("https://alice:canary#@host/x", "…@host/x"),
        ("https://alice:canary?@host/x", "…@host/x"),
    ],
)
def test_an_address_that_is_refused_is_repeated_without_its_secrets(text: str, shown: str) -> None:
    with pytest.raises(InvalidName) as error:
        Url.parse(text)

    assert error.value.text == shown
