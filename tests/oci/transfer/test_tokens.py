"""Tokens that end in the middle, and what they have to allow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import parse_qs

import pytest

from oci.auth import Credentials
from oci.client import RegistryClient
from oci.errors import Unreachable
from oci.media_types import OCI_INDEX
from oci.names import parse_repository, parse_tag
from oci.transfer.heads import head
from oci.transport import Endpoint
from tests.hostile import Asked, Hostile, Raw, Reply
from tests.oci.transfer.copier import Copier
from tests.oci.transfer.serving import NAME, UPLOADS, Uploads, blob_path, digest_of, of_uploads, ranged, serve, taking

APP = parse_repository(NAME)
LARGE = bytes(range(256)) * 8 * 1024  # 2 MiB


class Tokens:
    """Of a registry that lets in who shows one that has not ended; `scopes` are those of each, in their order."""

    def __init__(self, registry: Hostile) -> None:
        self.scopes: list[list[str]] = []
        self._registry, self._ended = registry, 0
        registry.on("GET", "/token", self._give)

    def refusal(self, asked: Asked) -> Reply | None:
        shown = asked.headers.get("Authorization", "").removeprefix("Bearer token-")
        if shown.isdigit() and int(shown) > self._ended:
            return None
        challenge = f'Bearer realm="{self._registry.url}/token",service="x",scope="repository:{NAME}:pull,push"'
        return Reply.challenge(challenge)

    def end(self) -> None:
        """All that were given are over."""
        self._ended = len(self.scopes)

    def _give(self, asked: Asked) -> Reply:
        self.scopes.append(sorted(" ".join(parse_qs(asked.query).get("scope", [])).split()))
        return Reply.json({"token": f"token-{len(self.scopes)}", "expires_in": 300})


@pytest.fixture
def source() -> Iterator[Hostile]:
    with Hostile() as source:
        serve(source, "1.0", layers=[LARGE])
        yield source


@pytest.fixture
def tokens(hostile: Hostile) -> Tokens:
    return Tokens(hostile)


@pytest.fixture
def copier(source: Hostile, hostile: Hostile) -> Iterator[Copier]:
    with ExitStack() as stack:
        endpoint = Endpoint(hostile.url, credentials=Credentials("mara", "canary-password"))
        clients = [stack.enter_context(RegistryClient(one)) for one in (Endpoint(source.url), endpoint)]
        yield stack.enter_context(Copier(*clients, homes=lambda _: [parse_repository("team/base")]))


def test_a_token_that_ends_while_a_layer_is_sent(copier: Copier, hostile: Hostile, tokens: Tokens) -> None:
    """The request that closes it gets another, and not a byte of the layer is sent twice."""
    target = Uploads(hostile)
    hostile.on("HEAD", blob_path(b"{}"), Reply(200))  # or its upload would want tokens at the same time

    def patch(asked: Asked) -> Reply:
        tokens.end()
        return target.patch(asked)

    target.answers = {
        "PATCH": lambda asked: tokens.refusal(asked) or patch(asked),
        "PUT": lambda asked: tokens.refusal(asked) or target.put(asked),
    }
    hostile.otherwise(lambda asked: tokens.refusal(asked) or taking(asked))

    copier.copy(NAME, "1.0")

    assert target.taken[digest_of(LARGE)] == LARGE
    assert len([asked for asked in of_uploads(hostile, "PATCH") if asked.body == LARGE]) == 1
    shown = [
        asked.headers["Authorization"] for asked in of_uploads(hostile, "PUT") if digest_of(LARGE)[7:] in asked.query
    ]
    assert len(shown) == 2, "refused, and then let in"
    assert shown[0] != shown[1]


def test_a_mount_asks_for_the_right_to_read_where_it_is_from(copier: Copier, hostile: Hostile, tokens: Tokens) -> None:
    target = Uploads(hostile)
    mount = f"{UPLOADS}?mount={digest_of(LARGE).replace(':', '%3A')}&from=team%2Fbase"
    linked = Reply(201, headers={"Docker-Content-Digest": digest_of(LARGE)})
    hostile.on("POST", mount, lambda asked: tokens.refusal(asked) or linked)
    hostile.otherwise(lambda asked: tokens.refusal(asked) or taking(asked))

    copier.copy(NAME, "1.0")

    assert digest_of(LARGE) not in target.taken
    assert [f"repository:{NAME}:pull,push", "repository:team/base:pull"] in tokens.scopes


def test_a_token_of_the_source_that_ends_while_a_layer_comes(source: Hostile, hostile: Hostile) -> None:
    """As under limits of the processor, where a copy takes longer than a token lasts: the rest is asked for anew."""
    target, tokens = Uploads(hostile), Tokens(source)
    hostile.otherwise(taking)
    cut, rest = ranged(LARGE, 700_001)

    def first(asked: Asked) -> Reply:
        if refusal := tokens.refusal(asked):
            return refusal
        tokens.end()
        assert isinstance(cut, Reply)
        return cut

    source.on("GET", blob_path(LARGE), first, first, lambda asked: tokens.refusal(asked) or rest(asked))
    with ExitStack() as stack:
        endpoint = Endpoint(source.url, credentials=Credentials("mara", "canary-password"))
        clients = [stack.enter_context(RegistryClient(one)) for one in (endpoint, Endpoint(hostile.url))]
        copier = stack.enter_context(Copier(*clients))
        copier.copy(NAME, "1.0")

    assert target.taken[digest_of(LARGE)] == LARGE
    ranges = [asked.headers["Range"] for asked in source.asked(blob_path(LARGE))]
    assert ranges == [None, None, "bytes=700001-", "bytes=700001-"]


def test_indexes_are_accepted_wherever_a_digest_is_compared(copier: Copier, source: Hostile) -> None:
    """Or some registries answer with the digest of one platform's image, which never is the one that was copied."""
    head(copier.source, APP, parse_tag("1.0"))

    (asked,) = source.asked(f"/v2/{NAME}/manifests/1.0")
    assert OCI_INDEX in asked.headers["Accept"]
    assert "application/vnd.docker.distribution.manifest.list.v2+json" in asked.headers["Accept"]


def test_a_registry_that_answers_nothing_is_no_registry_that_has_nothing(copier: Copier, source: Hostile) -> None:
    source.on("HEAD", f"/v2/{NAME}/manifests/1.0", Raw(b""))

    with pytest.raises(Unreachable):
        head(copier.source, APP, parse_tag("1.0"))
