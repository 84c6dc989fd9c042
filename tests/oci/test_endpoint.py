from __future__ import annotations

import pytest

from oci.auth import Credentials
from oci.endpoint import Endpoint
from oci.errors import InvalidName


@pytest.mark.parametrize(
    ("typed", "url"),
    [
        ("https://registry.test", "https://registry.test"),
        ("https://Registry.test:443/", "https://registry.test"),
        ("https://registry.test/team/", "https://registry.test/team"),
        ("  registry.test:5000 ", "https://registry.test:5000"),
        ("http://127.0.0.1:5000", "http://127.0.0.1:5000"),
        ("http://localhost:5000", "http://localhost:5000"),
        ("http://[::1]:5000", "http://[::1]:5000"),
    ],
)
def test_what_a_person_types_becomes_an_endpoint(typed: str, url: str) -> None:
    assert Endpoint.parse(typed).url == url


@pytest.mark.parametrize(
    "url",
    ["http://registry.test", "http://10.0.0.1", "http://127.0.0.1.nip.test", "http://localhost.test",
     "ftp://127.0.0.1", "registry.test",
     "https://a/?x=y", "https://a/#x", "https://u:p@a", "gopher://127.0.0.1:6379/", "file:///etc/passwd",
     "https://a/../b"],
)  # fmt: skip
def test_an_endpoint_that_is_not_safe_to_send_to_is_refused(url: str) -> None:
    with pytest.raises(InvalidName):
        Endpoint(url)


def test_plain_http_elsewhere_has_to_be_said() -> None:
    assert Endpoint("http://registry.test:5000", plain_http=True).url == "http://registry.test:5000"


def test_a_registry_with_tls_has_no_token_service_without() -> None:
    with pytest.raises(InvalidName):
        Endpoint("https://registry.test", realm="http://auth.test")
    with pytest.raises(InvalidName):
        Endpoint("https://registry.test", realm="http://auth.test", plain_http=True)
    with pytest.raises(InvalidName):
        Endpoint("http://127.0.0.1", realm="nonsense")


def test_the_realm_is_the_pinned_one_or_the_registry_itself() -> None:
    def realms(url: str, realm: str | None = None) -> set[str]:
        return {str(origin) for origin in Endpoint(url, realm=realm).realms}

    assert realms("https://registry.test") == {"https://registry.test"}
    assert realms("https://registry.test", "https://auth.test:8443/token?x=y") == {"https://auth.test:8443"}
    assert realms("https://registry-1.docker.io") == {"https://registry-1.docker.io", "https://auth.docker.io"}
    assert realms("https://registry-1.docker.io:8443") == {"https://registry-1.docker.io:8443"}


def test_an_endpoint_holds_what_is_below_its_path_at_its_origin() -> None:
    endpoint = Endpoint("https://registry.test/team")

    assert str(endpoint.at("v2/_catalog?n=1")) == "https://registry.test/team/v2/_catalog?n=1"
    for url in (
        "https://registry.test/teams/v2/",
        "https://registry.test/",
        "http://registry.test/team/",
        "https://other.test/team/",
    ):
        assert not endpoint.holds(type(endpoint.base).parse(url))


def test_an_endpoint_shows_no_secret() -> None:
    endpoint = Endpoint(
        "https://registry.test",
        credentials=Credentials("alice", "canary"),
        ca="-----BEGIN canary",
        client_certificate="-----BEGIN canary",
        client_key="-----BEGIN canary",
    )

    assert "canary" not in repr(endpoint)
    with pytest.raises(InvalidName) as error:
        Endpoint("https://alice:canary@registry.test")
    assert "canary" not in repr(error.value) + str(error.value) + error.value.text
