from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from urllib3.util import parse_url

from oci import routes
from oci.endpoint import Endpoint
from oci.errors import InvalidName
from oci.names import Digest

DIGEST = Digest.of(b"")
ENDPOINTS = [Endpoint("https://registry.test"), Endpoint("https://registry.test/team")]
TRICKS = [
    "a/../../_catalog",
    "..",
    ".",
    "%2e%2e",
    "a%2f..%2fb",
    "a?b",
    "a#b",
    "a\\b",
    "//evil.test",
    "a/./b",
    "a\r\nX: y",
    "@evil",
    "",
    "a/",
]

# What a route of a repository (and a tag) has to be, and nothing else.
ROUTES: list[tuple[Callable[[Any, Any], str], str]] = [
    (lambda repository, _: routes.tags(repository), "/v2/{repository}/tags/list"),
    (routes.manifest, "/v2/{repository}/manifests/{tag}"),
    (lambda repository, _: routes.manifest(repository, DIGEST), f"/v2/{{repository}}/manifests/{DIGEST}"),
    (lambda repository, _: routes.blob(repository, DIGEST), f"/v2/{{repository}}/blobs/{DIGEST}"),
    (lambda repository, _: routes.uploads(repository), "/v2/{repository}/blobs/uploads/"),
]
NAMES = st.text() | st.sampled_from(TRICKS) | st.from_regex(r"[a-z0-9./_%?#\\-]{1,20}", fullmatch=True)


@given(NAMES, NAMES)
def test_no_name_can_turn_a_request_to_another_place(repository: str, tag: str) -> None:
    for route, expected in ROUTES:
        try:
            path = route(repository, tag)
        except InvalidName:
            continue
        for endpoint in ENDPOINTS:
            sent = parse_url(str(endpoint.at(path)))  # which folds dots, as sending does
            assert sent.path == endpoint.base.path.rstrip("/") + expected.format(repository=repository, tag=tag)
            assert (sent.scheme, sent.host, sent.query, sent.fragment) == ("https", "registry.test", None, None)


@pytest.mark.parametrize("name", TRICKS)
def test_a_name_that_is_none_becomes_no_request(name: str) -> None:
    for route, expected in ROUTES:
        with pytest.raises(InvalidName):
            route(name, "latest")
        if "{tag}" in expected:
            with pytest.raises(InvalidName):
                route("a", name)
    with pytest.raises(InvalidName):
        routes.scope(name, "pull")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "path", ["/v2/", "../v2/", "v2/../x", "v2/%2e%2e/x", "v2/a b", "v2/a#b", "//evil.test/", "v2/\\x", "v2/ä"]
)
def test_no_path_leads_out_of_the_endpoint(path: str) -> None:
    for endpoint in ENDPOINTS:
        with pytest.raises(InvalidName):
            endpoint.at(path)
