from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oci.transport import Endpoint
from registries.addresses import WrongAddress, free_name, name_before, name_from, normal_address, retired_name
from registries.models import Registry


@pytest.mark.parametrize(
    ("typed", "normal"),
    [
        ("https://registry.example.org", "https://registry.example.org"),
        ("registry.example.org", "https://registry.example.org"),
        ("registry.example.org:5000", "https://registry.example.org:5000"),
        (" HTTPS://Registry.Example.ORG:443/ ", "https://registry.example.org"),
        ("http://localhost:5000/", "http://localhost:5000"),
        ("http://localhost:80", "http://localhost"),
        ("https://example.org/registry/", "https://example.org/registry"),
        ("https://example.org/registry/v2/", "https://example.org/registry"),
        ("https://example.org/v2", "https://example.org"),
        ("http://[::1]:5000", "http://[::1]:5000"),
        ("http://127.0.0.1:5000", "http://127.0.0.1:5000"),
        ("http://10.0.0.7", "http://10.0.0.7"),
        ("https://my_registry:5000", "https://my_registry:5000"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
    ],
)
def test_one_form_however_it_was_typed(typed: str, normal: str) -> None:
    assert normal_address(typed, plain_http=True) == normal
    assert normal_address(normal, plain_http=True) == normal


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "https://",
        "https:///path",
        "ftp://example.org",
        "file:///etc/passwd",
        "gopher://127.0.0.1:6379/_FLUSHALL",
        "javascript:alert(1)",
        "https://user:secret@example.org",
        "https://user@example.org",
        "https://example.org?x=1",
        "https://example.org?",
        "https://example.org#top",
        "https://example.org/a/../b",
        "https://example.org/a//b",
        "https://example.org/%2e%2e/b",
        "https://example.org\\@evil.example",
        "https://exa mple.org",
        "https://example.org\nHost: evil",
        "https://example.org:0",
        "https://example.org:99999",
        "https://example.org:port",
        "https://-example.org",
        "https://example..org",
        "https://[::1",
        "https://[fe80::1%25eth0]",
        "http://0",
        "http://0.0.0.0:5000",
        "http://[::]:5000",
        "http://2130706433",
        "http://0x7f000001",
        "http://0177.0.0.1",
        "http://127.1",
        "http://0x7f.1",
        "http://169.254.169.254",
        "http://[fe80::1]",
        "http://[::ffff:127.0.0.1]",
        "http://[::ffff:169.254.169.254]",
        "http://224.0.0.1",
    ],
)
def test_what_is_no_address_of_a_registry(typed: str) -> None:
    with pytest.raises(WrongAddress) as refusal:
        normal_address(typed, plain_http=True)

    assert "secret" not in str(refusal.value)


def test_http_has_to_be_allowed() -> None:
    with pytest.raises(WrongAddress, match="unencrypted"):
        normal_address("http://registry.example.org", plain_http=False)


@given(st.text(st.characters(min_codepoint=32, max_codepoint=0x17F), max_size=40))
def test_what_passes_here_is_an_endpoint_for_the_client_too(text: str) -> None:
    try:
        url = normal_address(text, plain_http=True)
    except WrongAddress:
        return
    assert Endpoint.parse(url, plain_http=True).url == url


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://registry.example.org", "registry-example-org"),
        ("https://registry.example.org:5000/path", "registry-example-org-5000"),
        ("https://192.0.2.7:5210", "192-0-2-7-5210"),
        ("http://[::1]:5000", "local-5000"),
        ("http://127.0.0.1:5210", "local-5210"),
        ("http://localhost", "local-80"),
        ("https://" + "very-long-" * 8 + "name.org", "very-long-very-long-very-long-very-long"),
        ("https://" + "very-long-" * 8 + "name.org:5000", "very-long-very-long-very-long-very-5000"),
    ],
)
def test_an_address_suggests_a_name(url: str, name: str) -> None:
    assert name_from(url) == name


@pytest.mark.django_db
def test_the_first_free_name() -> None:
    assert free_name("a") == "a"
    Registry.objects.create(name="a", url="https://a.example")
    assert free_name("a") == "a-2"
    Registry.objects.create(name="a-2", url="https://b.example")
    assert free_name("a") == "a-3"
    assert free_name("add") == "add-2"  # a page has that address


@pytest.mark.django_db
def test_whoever_gives_up_a_name_is_the_old_one() -> None:
    assert retired_name("x" * 40) == "x" * 36 + "-old"
    assert retired_name("a") == "a-old"
    Registry.objects.create(name="a-old", url="https://a.example")
    assert retired_name("a") == "a-old-2"


@pytest.mark.django_db
def test_a_name_from_before_is_found_again_unless_somebody_has_it() -> None:
    assert name_before("a-old") == name_before("a-old-2") == name_before("a") == "a"
    Registry.objects.create(name="a", url="https://a.example")
    assert name_before("a-old") == "a-old"


@pytest.mark.django_db
def test_a_free_name_fits_its_column() -> None:
    longest = "x" * 40
    Registry.objects.create(name=longest, url="https://a.example")

    assert free_name(longest) == "x" * 38 + "-2"
