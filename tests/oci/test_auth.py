from __future__ import annotations

import base64
import json
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from oci.auth import Authorizer, Challenge, Credentials
from oci.client import RegistryClient
from oci.errors import BadAnswer, Denied, ForeignRealm, InvalidName, RegistryError, Unauthorized
from oci.names import Digest, parse_repository, parse_tag
from oci.urls import Url
from tests.certificates import SERVICE, SelfSigned, access_of, token_settings
from tests.hostile import Asked, Hostile, Reply
from tests.oci.conftest import Connect
from tests.pushing import OCI_MANIFEST, Pusher
from tests.real_registry import PASSWORD, USERNAME, RealRegistry, generations

REPOSITORY = parse_repository("team/app")
TAGS = "/v2/team/app/tags/list"
SCOPE = "repository:team/app:pull"
ALICE = Credentials(USERNAME, PASSWORD)
BASIC = "Basic " + base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()


def tags_of(client: RegistryClient, repository: str = "team/app") -> list[str]:
    return [tag for page in client.tags(parse_repository(repository)) for tag in page.names]


def bearer(realm: str, scope: str = SCOPE) -> str:
    return f'Bearer realm="{realm}/token",service="{SERVICE}",scope="{scope}"'


def guarded(realm: str, *tokens: str, scope: str = SCOPE) -> Callable[[Asked], Reply]:
    """Answers a list of tags to whoever has one of the tokens, and else a challenge."""

    def answer(request: Asked) -> Reply:
        if request.headers.get("Authorization") in [f"Bearer {token}" for token in tokens]:
            return Reply.json({"tags": ["1"]})
        return Reply.challenge(bearer(realm, scope))

    return answer


# -- challenges -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", []),
        ('Basic realm="test"', [("basic", {"realm": "test"})]),
        ('bEaReR REALM="https://a/b?c=d,e",Service = x', [("bearer", {"realm": "https://a/b?c=d,e",
        "service": "x"})]),
        ('Bearer scope="a:b:pull,push c:d:pull"', [("bearer", {"scope": "a:b:pull,push c:d:pull"})]),
        (r'Bearer realm="a\"b\\c"', [("bearer", {"realm": r'a"b\c'})]),
        ('Basic realm="a", Bearer realm="b",service="c"', [("basic", {"realm": "a"}), ("bearer", {"realm": "b",
        "service": "c"})]),
        ('Negotiate, Basic realm="a"', [("negotiate", {}), ("basic", {"realm": "a"})]),
        ('Bearer realm="a",realm="b"', [("bearer", {"realm": "a"})]),
        ('Bearer realm="a', [("bearer", {}), ("realm", {})]),
        ('realm="a"', []),
        ("Basic", [("basic", {})]),
        (",,, ,", []),
    ],
)  # fmt: skip
def test_challenges_are_read_as_the_rfc_writes_them(header: str, expected: list[tuple[str, dict[str, str]]]) -> None:
    assert [(c.scheme, dict(c.parameters)) for c in Challenge.parse(header)] == expected


def test_a_password_is_in_no_representation() -> None:
    assert PASSWORD not in repr(ALICE)
    assert PASSWORD not in str(ALICE)


@pytest.mark.parametrize("name", ["a:b", "a\nb", "a\x00"])
def test_a_user_name_that_would_read_otherwise_on_the_other_side_is_refused(name: str) -> None:
    with pytest.raises(InvalidName):
        Credentials(name, "x")


# -- basic ------------------------------------------------------------------------------------------------------


def test_nothing_is_offered_to_a_registry_that_does_not_ask(hostile: Hostile, connect: Connect) -> None:
    hostile.on("GET", TAGS, Reply.json({"tags": ["1"]}))

    tags_of(connect(hostile.url, credentials=ALICE))

    assert "Authorization" not in hostile.requests[0].headers


def test_basic_credentials_are_sent_once_challenged_and_then_at_once(hostile: Hostile, connect: Connect) -> None:
    hostile.on("GET", TAGS, Reply.challenge('Basic realm="test"'), Reply.json({"tags": ["1"]}))
    client = connect(hostile.url, credentials=ALICE)

    tags_of(client)
    tags_of(client)

    assert [request.headers.get("Authorization") for request in hostile.requests] == [None, BASIC, BASIC]


def test_wrong_basic_credentials_are_not_tried_again(hostile: Hostile, connect: Connect) -> None:
    hostile.on("GET", TAGS, Reply.challenge('Basic realm="test"'))

    client = connect(hostile.url, credentials=ALICE)

    for requests in (2, 3):
        with pytest.raises(Unauthorized):
            tags_of(client)
        assert len(hostile.requests) == requests


def test_without_credentials_a_basic_challenge_is_the_last_word(hostile: Hostile, connect: Connect) -> None:
    hostile.on("GET", TAGS, Reply.challenge('Basic realm="test"'))

    with pytest.raises(Unauthorized):
        tags_of(connect(hostile.url))

    assert len(hostile.requests) == 1


# -- bearer -----------------------------------------------------------------------------------------------------


def test_credentials_are_traded_for_a_token_that_later_requests_reuse(hostile: Hostile, connect: Connect) -> None:
    hostile.on("GET", TAGS, guarded(hostile.url, "t1"))
    hostile.on("GET", "/token", Reply.json({"token": "t1"}))
    client = connect(hostile.url, credentials=ALICE)

    assert [tags_of(client) for _ in range(3)] == [["1"]] * 3

    [trade] = hostile.asked("/token")
    assert trade.headers["Authorization"] == BASIC
    assert parse_qs(trade.query) == {"service": [SERVICE], "scope": [SCOPE]}
    sent = [request.headers.get("Authorization") for request in hostile.asked(TAGS)]
    assert sent == [None, "Bearer t1", "Bearer t1", "Bearer t1"]


def test_an_anonymous_token_is_asked_for_without_credentials(hostile: Hostile, connect: Connect) -> None:
    hostile.on("GET", TAGS, guarded(hostile.url, "t1"))
    hostile.on("GET", "/token", Reply.json({"access_token": "t1"}))

    assert tags_of(connect(hostile.url)) == ["1"]

    assert "Authorization" not in hostile.asked("/token")[0].headers


def test_only_the_first_repository_pays_the_round_trip_of_a_challenge(hostile: Hostile, connect: Connect) -> None:
    hostile.on("GET", "/token", lambda request: Reply.json({"token": request.query.rpartition("%3A")[0][-1]}))
    for name in "abc":
        hostile.on("GET", f"/v2/{name}/tags/list", guarded(hostile.url, name, scope=f"repository:{name}:pull"))
    client = connect(hostile.url)

    for name in "abc":
        assert tags_of(client, name) == ["1"]

    lists = [request for request in hostile.requests if request.path != "/token"]
    assert len(lists) == 4
    assert len(hostile.asked("/token")) == 3


def test_a_registry_may_call_the_scope_otherwise(hostile: Hostile, connect: Connect) -> None:
    hostile.on("GET", TAGS, guarded(hostile.url, "t2", scope="repository:mirror/team/app:pull"))
    other = "repository%3Amirror%2Fteam%2Fapp%3Apull"
    hostile.on("GET", "/token", lambda request: Reply.json({"token": "t2" if other in request.query else "t1"}))
    client = connect(hostile.url)

    assert [tags_of(client) for _ in range(3)] == [["1"]] * 3

    assert len(hostile.asked("/token")) == 1
    assert len(hostile.asked(TAGS)) == 4


def test_several_scopes_of_one_challenge_are_asked_for_one_by_one(hostile: Hostile, connect: Connect) -> None:
    both = "repository:a/b:pull repository:c/d:pull,push"
    hostile.on("GET", TAGS, guarded(hostile.url, "t1", scope=both))
    hostile.on("GET", "/token", Reply.json({"token": "t1"}))

    tags_of(connect(hostile.url))

    assert parse_qs(hostile.asked("/token")[0].query)["scope"] == both.split()


def test_ten_workers_ask_for_one_token(hostile: Hostile, connect: Connect) -> None:
    hostile.on("GET", TAGS, guarded(hostile.url, "t1"))
    hostile.on("GET", "/token", Reply(200, b'{"token":"t1"}', delay=0.1))
    client = connect(hostile.url)
    together = threading.Barrier(10)

    def work(_: int) -> list[str]:
        together.wait()
        return tags_of(client)

    with ThreadPoolExecutor(10) as pool:
        assert list(pool.map(work, range(10))) == [["1"]] * 10

    assert len(hostile.asked("/token")) == 1


def test_a_token_is_renewed_before_it_expires(
    hostile: Hostile,
    connect: Connect,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hostile.on("GET", TAGS, guarded(hostile.url, "t1", "t2"))
    hostile.on("GET", "/token", Reply.json({"token": "t1", "expires_in": 100}), Reply.json({"token": "t2"}))
    client = connect(hostile.url)
    tags_of(client)
    now = time.monotonic()

    monkeypatch.setattr(time, "monotonic", lambda: now + 85)
    tags_of(client)
    monkeypatch.setattr(time, "monotonic", lambda: now + 95)
    tags_of(client)

    sent = [request.headers.get("Authorization") for request in hostile.asked(TAGS)]
    assert sent == [None, "Bearer t1", "Bearer t1", "Bearer t2"]


def test_a_token_that_is_refused_is_renewed_once(hostile: Hostile, connect: Connect) -> None:
    hostile.on("GET", "/token", Reply.json({"token": "t1"}), Reply.json({"token": "t2"}))
    client = connect(hostile.url)
    hostile.on("GET", TAGS, guarded(hostile.url, "t1"))
    tags_of(client)
    hostile.on("GET", TAGS, guarded(hostile.url, "t2"))

    assert tags_of(client) == ["1"]

    assert len(hostile.asked("/token")) == 2


def test_a_401_after_a_fresh_token_is_final(hostile: Hostile, connect: Connect) -> None:
    hostile.on("GET", TAGS, Reply.challenge(bearer(hostile.url)))
    hostile.on("GET", "/v2/other/tags/list", Reply.challenge(bearer(hostile.url, "repository:other:pull")))
    hostile.on("GET", "/token", Reply.json({"token": "t1"}))
    client = connect(hostile.url, credentials=ALICE)

    with pytest.raises(Unauthorized):
        tags_of(client)
    assert (len(hostile.asked(TAGS)), len(hostile.asked("/token"))) == (2, 1)

    with pytest.raises(Unauthorized):
        tags_of(client, "other")
    assert (len(hostile.asked("/v2/other/tags/list")), len(hostile.asked("/token"))) == (1, 2)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b"<html>",
        b'{"token": ""}',
        b'{"token": 5}',
        b'{"token": "a b"}',
        b'{"token": "a\\r\\nX-Evil: 1"}',
        b'{"token": "\\u00e9"}',
        b'{"token": "' + b"a" * 200_000 + b'"}',
        b'{"token": "a", "pad": "' + b"a" * 300_000 + b'"}',
    ],
)
def test_a_token_service_that_talks_nonsense_is_a_bad_answer(body: bytes, hostile: Hostile, connect: Connect) -> None:
    hostile.on("GET", TAGS, Reply.challenge(bearer(hostile.url)))
    hostile.on("GET", "/token", Reply(200, body))

    with pytest.raises(BadAnswer):
        tags_of(connect(hostile.url))

    assert len(hostile.asked(TAGS)) == 1


@pytest.mark.parametrize("lifetime", ["60", -5, 0, 1.5, True, None, 10**40])
def test_a_strange_lifetime_of_a_token_is_survived(
    lifetime: object,
    hostile: Hostile,
    connect: Connect,
) -> None:
    hostile.on("GET", TAGS, guarded(hostile.url, "t1"))
    hostile.on("GET", "/token", Reply.json({"token": "t1", "expires_in": lifetime}))
    client = connect(hostile.url)

    assert [tags_of(client) for _ in range(2)] == [["1"]] * 2
    assert len(hostile.asked("/token")) == 1


def test_no_more_tokens_are_kept_than_memory_is_for_them() -> None:
    """A stranger names the scopes and makes the tokens, each as large as one may be."""
    asked: list[str] = []

    def fetch(url: Url, _: str) -> bytes:
        asked.append(url.query)
        return json.dumps({"token": "x" * 100_000, "expires_in": 3600}).encode()

    realm = Url.parse("https://registry.test/token")
    authorizer = Authorizer(None, {realm.origin}, fetch)
    scopes = [f"repository:app-{number}:pull" for number in range(200)]
    for scope in scopes:
        authorizer.answer(f'Bearer realm="{realm}",scope="{scope}"', scope, "", 0.0)
    assert len(asked) == len(scopes)

    authorizer.offer(scopes[-1])
    assert len(asked) == len(scopes), "the last ones are there"
    authorizer.offer(scopes[0])
    assert asked[-1] == asked[0], "the first ones were let go"


def test_what_the_token_service_refuses_is_told_as_its_refusal(hostile: Hostile, connect: Connect) -> None:
    hostile.on("GET", TAGS, Reply.challenge(bearer(hostile.url)))
    hostile.on("GET", "/token", Reply.errors(403, "DENIED", "your account is locked"))

    with pytest.raises(Denied, match="your account is locked") as refusal:
        tags_of(connect(hostile.url, credentials=ALICE))

    assert refusal.value.request == f"GET {hostile.url}/token"


# -- where credentials go ---------------------------------------------------------------------------------------


def test_a_realm_on_another_host_hears_nothing(hostile: Hostile, other_host: Hostile, connect: Connect) -> None:
    hostile.on("GET", TAGS, Reply.challenge(bearer(other_host.url)))

    with pytest.raises(ForeignRealm) as refusal:
        tags_of(connect(hostile.url, credentials=ALICE))

    assert other_host.requests == []
    assert other_host.connections == 0
    assert refusal.value.realm == other_host.url
    assert "127.0.0.1" in str(refusal.value)
    assert "token?" not in str(refusal.value)


@pytest.mark.parametrize(
    "realm",
    [
        "http://localhost:{port}",
        "http://127.0.0.1:{other}",
        "https://127.0.0.1:{port}",
        "http://alice:x@127.0.0.1:{port}",
        "http://127.0.0.1:{port}@169.254.169.254",
        "http://169.254.169.254",
        "//127.0.0.1:{port}",
        "ftp://127.0.0.1",
        "file:///etc/passwd",
        r"http://127.0.0.1:{port}\@evil",
        "",
        "http://127.0.0.1:{port}#",
    ],
)
def test_only_the_pinned_origin_is_asked_for_a_token(
    realm: str,
    hostile: Hostile,
    other_host: Hostile,
    connect: Connect,
) -> None:
    realm = realm.format(port=hostile.port, other=other_host.port).replace("\\", "\\\\")
    hostile.on("GET", TAGS, Reply.challenge(bearer(realm)))

    with pytest.raises(ForeignRealm):
        tags_of(connect(hostile.url, credentials=ALICE))

    assert [request.path for request in hostile.requests] == [TAGS]
    assert other_host.connections == 0


def test_a_pinned_realm_on_another_host_gets_the_credentials_and_the_registry_only_the_token(
    hostile: Hostile,
    other_host: Hostile,
    connect: Connect,
) -> None:
    hostile.on("GET", TAGS, guarded(other_host.url, "t1"))
    other_host.on("GET", "/token", Reply.json({"token": "t1"}))

    tags_of(connect(hostile.url, credentials=ALICE, realm=f"{other_host.url}/anything"))

    assert [request.headers["Authorization"] for request in other_host.requests] == [BASIC]
    assert [request.headers.get("Authorization") for request in hostile.requests] == [None, "Bearer t1"]


def test_with_another_realm_pinned_the_own_origin_is_not_asked(
    hostile: Hostile, other_host: Hostile, connect: Connect
) -> None:
    hostile.on("GET", TAGS, Reply.challenge(bearer(hostile.url)))

    with pytest.raises(ForeignRealm):
        tags_of(connect(hostile.url, credentials=ALICE, realm=other_host.url))

    assert [request.path for request in hostile.requests] == [TAGS]


def test_a_realm_that_changes_later_is_refused_then(hostile: Hostile, other_host: Hostile, connect: Connect) -> None:
    hostile.on("GET", TAGS, guarded(hostile.url, "t1"))
    hostile.on("GET", "/token", Reply.json({"token": "t1"}))
    client = connect(hostile.url, credentials=ALICE)
    tags_of(client)
    hostile.on("GET", TAGS, Reply.challenge(bearer(other_host.url)))

    with pytest.raises(ForeignRealm):
        tags_of(client)

    assert other_host.connections == 0


def test_a_token_service_that_redirects_is_not_followed(
    hostile: Hostile, other_host: Hostile, connect: Connect
) -> None:
    hostile.on("GET", TAGS, Reply.challenge(bearer(hostile.url)))
    hostile.on("GET", "/token", Reply.redirect(f"{other_host.url}/token"))

    with pytest.raises(BadAnswer):
        tags_of(connect(hostile.url, credentials=ALICE))

    assert other_host.connections == 0


def test_a_redirect_to_another_port_leaves_the_credentials_behind(
    hostile: Hostile,
    other_host: Hostile,
    connect: Connect,
) -> None:
    digest = Digest.of(b"blob")
    path = f"/v2/team/app/blobs/{digest}"
    hostile.on("GET", path, Reply.challenge('Basic realm="test"'), Reply.redirect(f"{other_host.url}/cdn"))
    other_host.on("GET", "/cdn", Reply(200, b"blob"))

    assert connect(hostile.url, credentials=ALICE).blob(REPOSITORY, digest, limit=10) == b"blob"

    assert [request.headers.get("Authorization") for request in hostile.requests] == [None, BASIC]
    assert [request.headers.get("Authorization") for request in other_host.requests] == [None]
    assert "Cookie" not in other_host.requests[0].headers


def test_a_redirect_there_and_back_does_not_bring_the_credentials_back(
    hostile: Hostile,
    other_host: Hostile,
    connect: Connect,
) -> None:
    hostile.on("GET", TAGS, Reply.challenge('Basic realm="test"'), Reply.redirect(f"{other_host.url}/there"))
    other_host.on("GET", "/there", Reply.redirect(f"{hostile.url}/back"))
    hostile.on("GET", "/back", Reply.json({"tags": ["1"]}))

    tags_of(connect(hostile.url, credentials=ALICE))

    assert "Authorization" not in hostile.asked("/back")[0].headers


def test_a_challenge_of_another_host_is_not_answered(hostile: Hostile, other_host: Hostile, connect: Connect) -> None:
    hostile.on("GET", TAGS, Reply.redirect(f"{other_host.url}/there"))
    other_host.on("GET", "/there", Reply.challenge('Basic realm="test"'))

    with pytest.raises(Unauthorized):
        tags_of(connect(hostile.url, credentials=ALICE))

    assert [request.headers.get("Authorization") for request in other_host.requests] == [None]


def test_credentials_of_a_registry_under_a_path_stay_under_it(hostile: Hostile, connect: Connect) -> None:
    hostile.on("GET", f"/mine{TAGS}", Reply.challenge('Basic realm="test"'), Reply.redirect("/yours/"))
    hostile.on("GET", "/yours/", Reply.json({"tags": ["1"]}))

    tags_of(connect(f"{hostile.url}/mine", credentials=ALICE))

    assert "Authorization" not in hostile.asked("/yours/")[0].headers


def test_no_secret_is_in_an_error_or_in_the_log(
    hostile: Hostile,
    connect: Connect,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)

    def echo(request: Asked) -> Reply:
        if "Authorization" not in request.headers:
            return Reply.challenge(bearer(hostile.url))
        return Reply.errors(403, "DENIED", f"you sent {request.headers['Authorization']} {PASSWORD}")

    hostile.on("GET", TAGS, echo)
    hostile.on("GET", "/token", Reply.json({"token": "CANARY-7f3"}))
    client = connect(hostile.url, credentials=ALICE)

    with pytest.raises(RegistryError) as error:
        tags_of(client)

    told = [str(error.value), repr(error.value), repr(client.transport.endpoint), caplog.text]
    for secret in (PASSWORD, "CANARY-7f3", BASIC.split()[1]):
        assert not [text for text in told if secret in text]
    assert "you sent Bearer …" in str(error.value)


# -- the real ones ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("generation", generations())
def test_a_real_registry_with_passwords_lets_us_in(generation: str, tmp_path: Path, connect: Connect) -> None:
    with RealRegistry(tmp_path, generation, htpasswd=True) as registry:
        Pusher(registry.url, "team/app", headers={"Authorization": BASIC}).image("1", "2")

        client = connect(registry.url, credentials=ALICE)
        assert sorted(tags_of(client)) == ["1", "2"]
        assert client.ping().auth == "basic"
        with pytest.raises(Unauthorized):
            tags_of(connect(registry.url, credentials=Credentials(USERNAME, "wrong")))
        with pytest.raises(Unauthorized):
            connect(registry.url).ping()


@pytest.mark.parametrize("generation", generations())
def test_a_real_registry_with_tokens_lets_us_in(
    generation: str,
    tmp_path: Path,
    hostile: Hostile,
    connect: Connect,
) -> None:
    signer = SelfSigned.made(tmp_path)

    def trade(request: Asked) -> Reply:
        if request.headers.get("Authorization") != BASIC:
            return Reply.errors(401, "UNAUTHORIZED")
        scopes = parse_qs(request.query).get("scope", [])
        return Reply.json({"token": signer.token(access_of(scopes)), "expires_in": 300})

    hostile.on("GET", "/token", trade)
    token = token_settings(signer, f"{hostile.url}/token")
    with RealRegistry(tmp_path / "registry", generation, token=token) as registry:
        client = connect(registry.url, credentials=ALICE, realm=hostile.url)
        digest = client.push_blob(REPOSITORY, b"{}")
        assert client.blob(REPOSITORY, digest, limit=10) == b"{}"
        config = {"mediaType": "application/vnd.example.config", "digest": str(digest), "size": 2}
        manifest = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": []}
        client.put_manifest(REPOSITORY, parse_tag("1"), OCI_MANIFEST, json.dumps(manifest).encode())
        assert tags_of(client) == ["1"]
        assert client.ping().auth == "bearer"
        assert [page.names for page in client.repositories()] == [("team/app",)]
        found = client.probe()
        assert (found.catalog_allowed, found.deletes, found.problem) == (True, True, "")

        with pytest.raises(Unauthorized):
            connect(registry.url, realm=hostile.url).ping()
        with pytest.raises(ForeignRealm):
            connect(registry.url, credentials=ALICE).ping()
