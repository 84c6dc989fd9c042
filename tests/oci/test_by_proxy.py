"""Registries that are asked by a proxy: who is told what, and that nothing goes past it."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from oci.auth import Credentials
from oci.client import RegistryClient
from oci.errors import BadAnswer, RegistryError, Unreachable
from oci.faults import ProxyRefused
from oci.names import Digest, parse_repository
from oci.proxy import Proxy
from tests.certificates import SelfSigned
from tests.hostile import Hostile, Reply
from tests.oci.conftest import Connect
from tests.proxying import ForwardProxy
from tests.real_registry import RealRegistry

PATH = "v2/a/manifests/b"
WHERE = f"/{PATH}"
OURS = Credentials("mara", "swordfish")
ITS_OWN = f"Basic {base64.b64encode(b'robot:CANARY-7f3').decode()}"


@pytest.fixture
def proxy() -> Iterator[ForwardProxy]:
    """It lets only robot in."""
    with ForwardProxy(ITS_OWN) as proxy:
        yield proxy


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[Hostile]:
    """A registry that speaks TLS."""
    made = SelfSigned.made(tmp_path)
    with Hostile((made.certificate, made.key)) as registry:
        yield registry


@pytest.fixture
def authority(secure: Hostile, tmp_path: Path) -> str:
    return (tmp_path / "certificate.pem").read_text()


def by(proxy: ForwardProxy) -> Proxy:
    return Proxy.parse(proxy.url.replace("//", "//robot:CANARY-7f3@"))


def heard(registry: Hostile) -> str:
    return "".join(f"{asked.target}{asked.headers.items()}{asked.body!r}" for asked in registry.requests)


def test_https_goes_through_a_tunnel_of_which_the_proxy_reads_nothing(
    secure: Hostile, authority: str, proxy: ForwardProxy, connect: Connect
) -> None:
    secure.on("GET", WHERE, Reply.challenge('Basic realm="x"'), Reply(200, b"{}"))
    client = connect(secure.url, ca=authority, credentials=OURS, proxy=by(proxy))
    for _ in range(3):
        client.transport.exchange("GET", PATH)

    assert proxy.lines == [f"CONNECT 127.0.0.1:{secure.port} HTTP/1.1"]
    assert f"\r\nHost: 127.0.0.1:{secure.port}\r\n" in proxy.heads[0]
    assert f"\r\nProxy-Authorization: {ITS_OWN}\r\n" in proxy.heads[0]
    assert OURS.basic not in proxy.heads[0]
    assert WHERE.encode() not in proxy.tunnelled
    assert secure.requests[-1].headers["Authorization"] == OURS.basic
    assert secure.requests[-1].target == WHERE
    assert "proxy" not in heard(secure).lower()
    assert ITS_OWN not in heard(secure)
    assert secure.connections == 1


def test_plain_http_is_asked_for_in_absolute_form(hostile: Hostile, proxy: ForwardProxy, connect: Connect) -> None:
    hostile.on("GET", WHERE, Reply.challenge('Basic realm="x"'), Reply(200, b"{}"))
    connect(hostile.url, credentials=OURS, proxy=by(proxy)).transport.exchange("GET", f"{PATH}?n=1&x=%2F")

    assert proxy.lines == [f"GET {hostile.url}{WHERE}?n=1&x=%2F HTTP/1.1"] * 2
    assert all(f"\r\nProxy-Authorization: {ITS_OWN}\r\n" in head for head in proxy.heads)
    assert hostile.requests[-1].target == f"{WHERE}?n=1&x=%2F"
    assert hostile.requests[-1].headers["Host"] == f"127.0.0.1:{hostile.port}"
    assert ITS_OWN not in heard(hostile)


def test_a_proxy_that_asks_nobody_is_told_nothing(hostile: Hostile, connect: Connect) -> None:
    hostile.on("GET", WHERE, Reply(200, b"{}"))
    with ForwardProxy() as proxy:
        connect(hostile.url, proxy=Proxy.parse(proxy.url)).transport.exchange("GET", PATH)
        assert "proxy-authorization" not in proxy.heads[0].lower()


def test_the_token_service_and_where_it_leads_are_asked_by_it_too(
    secure: Hostile, authority: str, other_host: Hostile, proxy: ForwardProxy, connect: Connect
) -> None:
    challenge = Reply.challenge(f'Bearer realm="{secure.url}/token",service="s"')
    secure.on("GET", WHERE, challenge, Reply(200, b"{}"))
    secure.on("GET", "/token", Reply.json({"token": "T"}))
    connect(secure.url, ca=authority, credentials=OURS, proxy=by(proxy)).transport.exchange("GET", PATH)
    assert secure.requests[-1].headers["Authorization"] == "Bearer T"

    other_host.on("GET", "/cdn", Reply(200, b"{}"))
    with ForwardProxy() as plain, Hostile() as home:
        home.on("GET", WHERE, Reply.redirect(f"{other_host.url}/cdn"))
        connect(home.url, credentials=OURS, proxy=Proxy.parse(plain.url)).transport.exchange("GET", PATH)
        assert plain.lines == [f"GET {home.url}{WHERE} HTTP/1.1", f"GET {other_host.url}/cdn HTTP/1.1"]
    assert len(proxy.lines) == 1


def test_the_environment_names_no_proxy(hostile: Hostile, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    hostile.on("GET", WHERE, Reply(200, b"{}"))
    with ForwardProxy() as proxy:
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        connect(hostile.url).transport.exchange("GET", PATH)
        assert proxy.connections == 0


def test_nothing_bypasses_it_whatever_the_environment_says(
    hostile: Hostile, proxy: ForwardProxy, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "*")
    hostile.on("GET", WHERE, Reply(200, b"{}"))
    connect(hostile.url, proxy=by(proxy)).transport.exchange("GET", PATH)
    assert len(proxy.lines) == 1


@pytest.mark.parametrize("is_secure", [False, True])
def test_a_proxy_that_lets_nobody_in_is_understood(  # noqa: PLR0913, PLR0917  all of them are the case
    is_secure: bool, hostile: Hostile, secure: Hostile, authority: str, proxy: ForwardProxy, connect: Connect
) -> None:
    registry = secure if is_secure else hostile
    client = connect(registry.url, ca=authority, credentials=OURS, proxy=Proxy.parse(proxy.url))
    with pytest.raises(ProxyRefused, match="wants a user name and a password") as refusal:
        client.transport.exchange("GET", PATH)

    assert refusal.value.code == "proxy"
    assert registry.requests == []
    assert len(proxy.lines) == 1  # it is not tried again


@pytest.mark.parametrize(
    ("answer", "error", "says"),
    [
        (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno", ProxyRefused, "does not let us there: it says 403"),
        (b"HTTP/1.1 302 Found\r\nLocation: https://evil.test\r\n\r\n", ProxyRefused, "it says 302"),
        (b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", Unreachable, "finds no way there: it says 502"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", RegistryError, "does not speak HTTP as it should"),
        (b"HTTP/1.1 200 OK\r\nnonsense\r\n\r\n", RegistryError, "does not speak HTTP as it should"),
        (b"", RegistryError, "the connection broke"),
    ],
)
def test_what_else_a_proxy_may_say(  # noqa: PLR0913, PLR0917  all of them are the case
    answer: bytes, error: type[RegistryError], says: str, secure: Hostile, authority: str, connect: Connect
) -> None:
    with ForwardProxy("", answer, answer, answer) as proxy:
        client = connect(secure.url, ca=authority, proxy=Proxy.parse(proxy.url), attempts=1)
        with pytest.raises(error, match=says):
            client.transport.exchange("GET", PATH)
    assert secure.requests == []


def test_a_proxy_that_is_not_there_is_told_from_a_registry_that_is_not(hostile: Hostile, connect: Connect) -> None:
    client = connect(hostile.url, proxy=Proxy.parse("http://127.0.0.1:1"), attempts=1)
    with pytest.raises(Unreachable, match="the proxy cannot be reached: connection refused"):
        client.transport.exchange("GET", PATH)


def test_a_proxy_in_the_middle_is_no_registry(secure: Hostile, tmp_path: Path, connect: Connect) -> None:
    """One that answers in the place of the registry has another certificate."""
    middle = SelfSigned.made(tmp_path / "middle")
    with ForwardProxy() as proxy, Hostile((middle.certificate, middle.key)) as pretender:
        client = connect(pretender.url, ca=str(tmp_path / "certificate.pem"), proxy=Proxy.parse(proxy.url), attempts=1)
        with pytest.raises(Unreachable, match="no trusted TLS connection"):
            client.transport.exchange("GET", PATH)
    assert pretender.requests == []


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]"]
)
def test_no_registry_elsewhere_leads_the_proxy_to_its_own_machine(
    host: str, hostile: Hostile, connect: Connect
) -> None:
    """Where an administrator has named a registry elsewhere: the proxy knows its name, and answers for it here."""
    redirect = f"HTTP/1.1 307 X\r\nLocation: http://{host}:{hostile.port}/secret\r\nContent-Length: 0\r\n\r\n".encode()
    with ForwardProxy("", redirect) as proxy:
        client = connect("http://registry.test", plain_http=True, proxy=Proxy.parse(proxy.url), attempts=1)
        with pytest.raises(BadAnswer, match="an address that only this machine can reach"):
            client.transport.exchange("GET", PATH)
        assert len(proxy.lines) == 1
    assert hostile.requests == []


@pytest.mark.parametrize("host", ["169.254.169.254", "[fe80::1]", "0", "2852039166", "224.0.0.1"])
def test_nobody_leads_the_proxy_to_where_no_registry_is(host: str, connect: Connect) -> None:
    redirect = f"HTTP/1.1 307 X\r\nLocation: http://{host}/latest\r\nContent-Length: 0\r\n\r\n".encode()
    with ForwardProxy("", redirect) as proxy:
        client = connect("http://registry.test", plain_http=True, proxy=Proxy.parse(proxy.url), attempts=1)
        with pytest.raises(BadAnswer, match="where no registry may be"):
            client.transport.exchange("GET", PATH)
        assert len(proxy.lines) == 1


def test_the_name_of_a_registry_is_the_proxy_s_to_look_up(connect: Connect) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
    with ForwardProxy("", answer) as proxy:
        client = connect("http://registry.invalid", plain_http=True, proxy=Proxy.parse(proxy.url))
        assert client.transport.exchange("GET", PATH).content == b"{}"
        assert proxy.lines == [f"GET http://registry.invalid{WHERE} HTTP/1.1"]


def test_a_proxy_on_this_machine_may_be_asked_wherever_a_registry_leads(connect: Connect) -> None:
    redirect = b"HTTP/1.1 307 X\r\nLocation: http://cdn.test/blob\r\nContent-Length: 0\r\n\r\n"
    with ForwardProxy("", redirect, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}") as proxy:
        client = connect("http://registry.test", plain_http=True, proxy=Proxy.parse(proxy.url))
        assert client.transport.exchange("GET", PATH).content == b"{}"
        assert proxy.lines[1] == "GET http://cdn.test/blob HTTP/1.1"


def test_a_proxy_that_dawdles_is_late_for_the_whole_call(secure: Hostile, authority: str, connect: Connect) -> None:
    with Hostile() as slow:  # which says nothing to a CONNECT for long
        slow.otherwise(Reply(200, delay=30))
        client = connect(
            secure.url, ca=authority, proxy=Proxy.parse(slow.url), attempts=1, total=0.3, read=60, connect=60
        )
        began = time.monotonic()
        with pytest.raises(Unreachable):
            client.transport.exchange("GET", PATH)
        assert time.monotonic() - began < 20  # it would take 30 seconds


def test_what_a_registry_repeats_of_the_password_of_the_proxy_is_hidden(connect: Connect) -> None:
    body = f'{{"errors":[{{"code":"DENIED","message":"you said {ITS_OWN} CANARY-7f3"}}]}}'.encode()
    answer = b"HTTP/1.1 403 X\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    with ForwardProxy("", answer) as proxy:
        client = connect("http://registry.test", plain_http=True, proxy=by(proxy))
        with pytest.raises(RegistryError, match="you said Basic … …"):
            client.transport.exchange("GET", PATH)


def test_a_real_registry_is_pushed_to_and_read_by_a_proxy(real_registry: RealRegistry, connect: Connect) -> None:
    with ForwardProxy() as proxy:
        client: RegistryClient = connect(real_registry.url, proxy=Proxy.parse(proxy.url))
        assert client.ping().generation in {2, 3}
        repository, content = parse_repository("by/proxy"), b"x" * 400_000
        digest = client.push_blob(repository, content)
        assert client.blob(repository, digest, limit=2**20) == content
        assert not client.manifest_exists(repository, Digest.of(b"absent"))
        assert next(client.repositories(), None) is not None
        assert proxy.connections >= 5
